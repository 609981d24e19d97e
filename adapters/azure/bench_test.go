package azure

import (
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

// What the protocol costs: the same request forwarded, in a payload, and as a message; and each message of a large batch.
func BenchmarkHandler(b *testing.B) {
	files := map[string]string{
		"host.json":           `{"customHandler":{"enableForwardingHttpRequest":true}}`,
		"score/function.json": functionJSON(`{"type":"httpTrigger","direction":"in","name":"req","route":"score"}`, "http:res"),
		"mixed/function.json": functionJSON(`{"type":"httpTrigger","direction":"in","name":"req"}`, "http:res", "queue"),
		"queue/function.json": functionJSON(`{"type":"queueTrigger","direction":"in","name":"msg"}`, "queue"),
		"blob/function.json":  functionJSON(`{"type":"blobTrigger","direction":"in","name":"msg"}`, "blob"),
		"hub/function.json":   functionJSON(`{"type":"eventHubTrigger","direction":"in","name":"msg","cardinality":"many"}`, "eventHub"),
	}
	h, _ := newTest(b, files, map[string]string{})
	list, numbers := strings.Repeat(`{"data":2},`, 1000), strings.Repeat(`5,`, 1000)
	for _, bench := range []struct{ name, path, body string }{
		{"forwarded", "/api/score", `{"data":2}`},
		{"payload", "/mixed", request("POST", "/mixed", `"Content-Type":["application/json"]`, `"{\"data\":2}"`)},
		{"queue", "/queue", `{"Data":{"msg":` + quoted(quoted(`{"data":2}`)) + `},"Metadata":{"Id":"\"m\""}}`},
		{"blob of 1 MB", "/blob", `{"Data":{"msg":"` + base64.StdEncoding.EncodeToString([]byte(`{"data":2`+strings.Repeat(" ", 1<<20)+`}`)) + `"},"Metadata":{"Uri":"\"https://a.blob.core.windows.net/c/a.json\""}}`},
		{"1000 of a hub", "/hub", `{"Data":{"msg":` + quoted(`[`+strings.TrimSuffix(list, ",")+`]`) + `},"Metadata":{"SequenceNumberArray":"[` + strings.TrimSuffix(numbers, ",") + `]","PartitionContext":{"PartitionId":"0"}}}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bench.body)))
			for b.Loop() {
				q := httptest.NewRequestWithContext(b.Context(), "POST", bench.path, strings.NewReader(bench.body))
				q.Header.Set("X-Azure-Functions-InvocationId", "inv-1")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, q)
				if w.Code != 200 {
					b.Fatal(fmt.Sprint(w.Code, w.Body))
				}
			}
		})
	}
}
