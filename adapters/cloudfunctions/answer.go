package cloudfunctions

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/tensor"
)

// account is what is answered about one event. Pub/Sub and Eventarc do not read it; people do, and the local twin.
type account struct {
	ID         string          `json:"id"`
	Source     string          `json:"source,omitempty"`
	Status     status          `json:"status"`
	Result     json.RawMessage `json:"result,omitempty"`        // where it is JSON and not stored
	Packed     []byte          `json:"result_base64,omitempty"` // where it is not JSON
	Omitted    bool            `json:"omitted,omitempty"`       // the result is too large to be told and was not stored
	Stored     string          `json:"stored,omitempty"`
	DeadLetter string          `json:"dead_letter,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Kind       string          `json:"kind,omitempty"`
	Error      string          `json:"error,omitempty"`
}

// maxResults is how many bytes of results an answer tells. They have no reader in production.
const maxResults = 1 << 20

// answer tells what became of the events.
func (h *handler) answer(w *response, out []outcome) {
	list := make([]account, len(out))
	code, room, after := http.StatusOK, maxResults, time.Duration(0)
	for i := range out {
		o, a := &out[i], &list[i]
		a.ID, a.Source, a.Status, a.Reason = o.ID, o.Source, o.status, o.reason
		switch o.status {
		case scored:
			a.Stored = o.stored
			room = a.tell(o, room)
		case dropped:
			a.DeadLetter = o.stored
		case failed:
			e := function.AsError(o.err)
			code, after = max(code, statusOf(e.Kind)), max(after, e.RetryAfter)
		case skipped:
		}
		if o.err != nil {
			e := function.AsError(o.err)
			a.Kind, a.Error = e.Kind.String(), e.Msg
		}
	}
	if code == http.StatusServiceUnavailable {
		w.retryAfter(after)
	}
	var body bytes.Buffer
	to := json.NewEncoder(&body)
	to.SetEscapeHTML(false)
	if err := to.Encode(map[string]any{"results": list}); err != nil {
		w.fail(http.StatusInternalServerError, "The outcome of the event cannot be written: "+err.Error())
		return
	}
	w.json(code, bytes.TrimSuffix(body.Bytes(), []byte("\n")))
}

// tell puts a result that was not stored into the account, as far as there is room, and returns the room that is left.
func (a *account) tell(o *outcome, room int) int {
	switch body := o.response.Body; {
	case o.stored != "":
		return room
	case len(body) > room:
		a.Omitted = true
		return room
	case isJSON(o.response.ContentType) && json.Valid(body):
		a.Result = body
	default:
		a.Packed = body
	}
	return room - len(o.response.Body)
}

// statusOf is the HTTP status that asks for another delivery.
func statusOf(k function.Kind) int {
	if k == function.Timeout {
		return http.StatusGatewayTimeout
	}
	return max(k.Status(), http.StatusInternalServerError) // a caller who went away: nobody reads it
}

// appendString appends text as a JSON string. What is not UTF-8 in it is replaced.
func appendString(dst []byte, text string) []byte {
	out, err := tensor.AppendString(dst, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil { // cannot happen: the text is valid UTF-8
		return append(dst, `""`...)
	}
	return out
}

func unescape(part string) string {
	u, err := url.PathUnescape(part)
	if err != nil {
		return part
	}
	return u
}
