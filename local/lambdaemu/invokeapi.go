package lambdaemu

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// InvokePath is where AWS's own emulator and its SDKs call a function named "function"; any name is accepted.
const InvokePath = "/2015-03-31/functions/function/invocations"

// Handler is the Invoke API: docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and API_InvokeWithResponseStream.html.
func (e *Emulator) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", e.serveInvoke)
	mux.HandleFunc("POST /2021-11-15/functions/{name}/response-streaming-invocations", e.serveStream)
	return mux
}

func (e *Emulator) serveInvoke(w http.ResponseWriter, r *http.Request) {
	c, err := callOf(r)
	if err != nil {
		Refuse(w, err)
		return
	}
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		e.serveSync(w, r, c)
	case "Event":
		id, err := e.InvokeAsync(c)
		if err != nil {
			Refuse(w, err)
			return
		}
		w.Header().Set("X-Amzn-Requestid", id)
		w.WriteHeader(http.StatusAccepted)
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	default:
		Refuse(w, &RejectedError{400, "InvalidParameterValueException", "X-Amz-Invocation-Type must be RequestResponse, Event or DryRun, not " + strconv.Quote(kind), ""})
	}
}

func (e *Emulator) serveSync(w http.ResponseWriter, r *http.Request, c Call) {
	a, err := e.Invoke(r.Context(), c)
	if err != nil {
		Refuse(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(a.Payload)))
	h.Set("X-Amzn-Requestid", a.RequestID)
	h.Set("X-Amz-Executed-Version", version)
	if a.FunctionError != "" {
		h.Set("X-Amz-Function-Error", a.FunctionError)
	}
	if r.Header.Get("X-Amz-Log-Type") == "Tail" {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(a.Log))
	}
	_, _ = w.Write(a.Payload) // a caller that left
}

// callOf is the call that a request describes. What is too large is read only as far as to know it.
func callOf(r *http.Request) (Call, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxPayload+1))
	if err != nil {
		return Call{}, &RejectedError{400, "InvalidRequestContentException", "could not read the request: " + err.Error(), ""}
	}
	if len(body) > MaxPayload { // a client that still sends would not read the status
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 10*MaxPayload))
	}
	c := Call{Payload: body, Function: r.PathValue("name"), TraceID: r.Header.Get("X-Amzn-Trace-Id")}
	if text := r.Header.Get("X-Amz-Client-Context"); text != "" {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !json.Valid(b) {
			return c, &RejectedError{400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.", ""}
		}
		c.ClientContext = string(b)
	}
	if q := r.URL.Query().Get("Qualifier"); q != "" && q != version {
		c.Function += ":" + q
	}
	return c, nil
}

func checkPayload(b []byte, limit int, kind string) error {
	if len(b) > limit {
		text := fmt.Sprintf("%d byte payload is too large for the %s invocation type (limit %d bytes)", len(b), kind, limit)
		return &RejectedError{413, "RequestTooLargeException", text, ""}
	}
	if len(b) > 0 && !json.Valid(b) {
		return &RejectedError{400, "InvalidRequestContentException", "Could not parse request body into json: " + syntax(b), ""}
	}
	return nil
}

func syntax(b []byte) string {
	var v json.RawMessage
	if err := json.Unmarshal(b, &v); err != nil {
		return err.Error()
	}
	return ""
}

// Refuse answers with an error of [Emulator.Invoke] as the service writes it.
func Refuse(w http.ResponseWriter, err error) {
	r, ok := errors.AsType[*RejectedError](err)
	if !ok {
		r = &RejectedError{503, "ServiceException", err.Error(), ""}
	}
	body := map[string]string{"Type": "User", "message": r.Message}
	if r.Reason != "" {
		body["Reason"] = r.Reason
	}
	b, err := json.Marshal(body)
	if err != nil {
		b = []byte("{}") // strings always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", r.Type)
	w.WriteHeader(r.Status)
	_, _ = w.Write(b) // a caller that left
}
