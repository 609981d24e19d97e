package lambdaemu

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"net/http"
)

// serveStream answers InvokeWithResponseStream: the function's bytes as PayloadChunk events while they come, and
// InvokeComplete at the end, in the framing application/vnd.amazon.eventstream
// (smithy.io/2.0/aws/amazon-eventstream.html).
func (e *Emulator) serveStream(w http.ResponseWriter, r *http.Request) {
	c, err := callOf(r)
	if err != nil {
		Refuse(w, err)
		return
	}
	c.Stream = true
	a, err := e.Invoke(r.Context(), c)
	if err != nil {
		Refuse(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/vnd.amazon.eventstream")
	h.Set("X-Amzn-Requestid", a.RequestID)
	h.Set("X-Amz-Executed-Version", version)
	if a.ContentType != "" {
		h.Set("X-Amzn-Remapped-Content-Type", a.ContentType)
	}
	complete := struct {
		Code    string `json:"ErrorCode,omitempty"`
		Details string `json:"ErrorDetails,omitempty"`
	}{}
	body := a.Body
	switch {
	case a.FunctionError != "":
		complete.Code, complete.Details = a.ErrorType, string(a.Payload)
	case body == nil:
		writeEvent(w, "PayloadChunk", "application/octet-stream", a.Payload)
	default:
		chunk := make([]byte, 32*1024)
		for {
			n, err := body.Read(chunk)
			if n > 0 {
				writeEvent(w, "PayloadChunk", "application/octet-stream", chunk[:n])
			}
			if s, ok := errors.AsType[*StreamError](err); ok {
				complete.Code, complete.Details = s.Type, string(s.Body)
			}
			if err != nil {
				break
			}
		}
	}
	end, err := json.Marshal(complete)
	if err != nil {
		end = []byte("{}") // strings always marshal
	}
	writeEvent(w, "InvokeComplete", "application/json", end)
}

// writeEvent is one message and goes out at once. The caller may have left: then the rest is for nobody.
func writeEvent(w http.ResponseWriter, kind, contentType string, payload []byte) {
	var headers []byte
	for _, kv := range [][2]string{{":event-type", kind}, {":content-type", contentType}, {":message-type", "event"}} {
		headers = append(append(headers, byte(len(kv[0]))), kv[0]...)
		headers = append(binary.BigEndian.AppendUint16(append(headers, 7), uint16(len(kv[1]))), kv[1]...) // 7: a string
	}
	const frame = 4 + 4 + 4 + 4 // two lengths, two checksums
	m := binary.BigEndian.AppendUint32(nil, uint32(frame+len(headers)+len(payload)))
	m = binary.BigEndian.AppendUint32(m, uint32(len(headers)))
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
	m = append(append(m, headers...), payload...)
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
	if _, err := w.Write(m); err == nil {
		_ = http.NewResponseController(w).Flush()
	}
}
