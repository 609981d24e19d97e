package lambda

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// envelopes are HTTP API events with bodies of digits (64 numbers) and of a picture (150528).
func envelopes(b *testing.B) map[string][]byte {
	b.Helper()
	out := map[string][]byte{}
	for name, n := range map[string]int{"digits": 64, "picture": 150528} {
		row := strings.TrimSuffix(strings.Repeat("0.125,", n), ",")
		body, err := json.Marshal(fmt.Sprintf(`{"data":[[%s]]}`, row))
		if err != nil {
			b.Fatal(err)
		}
		event := fixture(b, "http-api")
		at := bytes.Index(event, []byte(`"body": "`)) + len(`"body": `)
		end := at + bytes.IndexByte(event[at:], '\n')
		out[name] = append(append(append([]byte(nil), event[:at]...), body...), append([]byte(","), event[end:]...)...)
		if !json.Valid(out[name]) {
			b.Fatal("the event is not JSON")
		}
	}
	return out
}

// BenchmarkEnvelope is what HTTP costs over a direct invocation: the event in, a request, a response, the answer out.
func BenchmarkEnvelope(b *testing.B) {
	for name, payload := range envelopes(b) {
		h := newTest(b, nil)
		h.http = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{"application/json"}
			_, _ = w.Write([]byte("[2]"))
		})
		b.Run(name+"/classify", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if classify(payload).kind != httpAPI {
					b.Fatal("not found")
				}
			}
		})
		b.Run(name+"/invoke", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if _, err := h.Invoke(b.Context(), payload); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/json.Unmarshal", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				var e events.APIGatewayV2HTTPRequest
				if err := json.Unmarshal(payload, &e); err != nil {
					b.Fatal(err)
				}
				if _, err := json.Marshal(events.APIGatewayV2HTTPResponse{StatusCode: 200, Headers: map[string]string{"Content-Type": "application/json"}, Body: "[2]"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDirect is what telling a request from an event costs.
func BenchmarkDirect(b *testing.B) {
	payload := []byte(`{"data":[[` + strings.TrimSuffix(strings.Repeat("0.125,", 150528), ",") + `]]}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if classify(payload).kind != direct {
			b.Fatal("an event")
		}
	}
}
