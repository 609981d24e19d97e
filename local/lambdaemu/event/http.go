package event

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/scorefn/scorefn/local/lambdaemu/door"
)

func httpV2(m *maker) (any, error) { return m.request(door.HTTPAPI) }

func httpV1(m *maker) (any, error) { return m.request(door.RESTAPI) }

func alb(m *maker) (any, error) { return m.request(door.ALB) }

func functionURL(m *maker) (any, error) { return m.request(door.FunctionURL) }

// request is what the door makes of a POST.
func (m *maker) request(k door.Kind) (any, error) {
	body := m.Bodies[0]
	r, err := http.NewRequest(http.MethodPost, "https://local.example.com"+m.Path, bytes.NewReader(body)) //nolint:noctx // it is never sent
	if err != nil {
		return nil, err
	}
	kind := "application/octet-stream"
	if json.Valid(body) {
		kind = "application/json"
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("User-Agent", "scorefn")
	b, err := door.Event(k, r, body, m.now, m.NewID())
	return json.RawMessage(b), err
}
