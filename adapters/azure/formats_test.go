package azure_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The event names a blob, whose answer becomes a blob too. Here both are an emulator's.
func TestTheRealHandlerFetchesAndStoresBlobs(t *testing.T) {
	t.Parallel()
	s := samples(t)["eventgrid_schema"]
	type blob struct{ body, contentType, condition, auth string }
	put := make(chan blob, 4)
	account := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		switch {
		case err != nil, !strings.HasPrefix(r.Header.Get("Authorization"), "SharedKey devstoreaccount1:"):
			w.WriteHeader(http.StatusForbidden)
		case r.Method == http.MethodGet && r.URL.Path == "/devstoreaccount1/incoming/a.json":
			w.Header().Set("ETag", `"0x8D"`)
			_, _ = io.WriteString(w, `{"data":[[1,2]]}`) // the handler may be gone
		case r.Method == http.MethodPut:
			put <- blob{string(b), r.Header.Get("x-ms-blob-content-type"), r.Header.Get("If-None-Match"), r.URL.Path}
			w.WriteHeader(http.StatusCreated)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(account.Close)
	endpoint := account.URL + "/devstoreaccount1"
	app := map[string]string{"host.json": forwarding, "score-event/function.json": withOutput(t, s.FunctionJSON)}
	p := realHandler(t, appFolder(t, app), "AZUREML_MODEL_DIR="+iris(t), "SCOREFN_OUTPUT="+endpoint+"/scored/day",
		"AzureWebJobsStorage=AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint="+endpoint)
	body := bytes.ReplaceAll(s.HostRequest.Body, []byte("https://a.blob.core.windows.net"), []byte(endpoint))
	r := p.post(t, s.HostRequest.Path, body, chunked, s.HostRequest.Headers)
	outputs, err := hostOutputs(r.status, r.header.Get("Content-Type"), r.body)
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, r.body, p.log(t))
	}
	host := strings.TrimPrefix(account.URL, "http://")
	name := strings.ReplaceAll(host, ":", "~3A") + "/devstoreaccount1/incoming/a.json@0x8D.json"
	checkDocument(t, app["score-event/function.json"], outputs, `{"id":"831e1650-001e-001b-66ab-eeb76e069631","output":"`+endpoint+"/scored/day/"+name+`"}`)
	if got := <-put; got != (blob{`[[1.0,2.0]]`, "application/json", "*", "/devstoreaccount1/scored/day/" + name}) {
		t.Errorf("got %+v", got)
	}
	// As it is, the sample names an account for which there is neither a key nor an identity: it comes again.
	r = p.post(t, s.HostRequest.Path, s.HostRequest.Body, chunked, s.HostRequest.Headers)
	if r.status != 500 || !strings.Contains(p.log(t), "there is no credential for https://a.blob.core.windows.net/incoming/a.json") {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

// What is no JSON is told by the type that Service Bus was given, by a blob's type or name, or by its first bytes.
func TestTheRealHandlerReadsOtherFormats(t *testing.T) {
	t.Parallel()
	trigger := func(kind, more string) string {
		return `{"bindings":[{"type":"` + kind + `","direction":"in","name":"msg"` + more + `},{"type":"queue","direction":"out","name":"result","queueName":"out"}]}`
	}
	app := map[string]string{
		"host.json": forwarding, "bus/function.json": trigger("serviceBusTrigger", ""), "busmany/function.json": trigger("serviceBusTrigger", `,"cardinality":"many","dataType":"string"`),
		"blob/function.json": trigger("blobTrigger", ""),
	}
	p := realHandler(t, appFolder(t, app), "AZUREML_MODEL_DIR="+iris(t))
	b64 := func(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
	blob := func(name, contentType string) map[string]any {
		return map[string]any{"Uri": asText("https://a.blob.core.windows.net/in/" + name), "Properties": map[string]any{"ContentType": contentType}}
	}
	for _, tt := range []struct {
		name, path, value string
		metadata          map[string]any
		want              string
	}{
		{"CSV of a bus", "/bus", asText("5.5,1\n2,3\n"), map[string]any{"ContentType": `"text/csv"`}, `"result":[[5.5,1.0],[2.0,3.0]]`},
		{"JSON whose own member says CSV", "/bus", asText(`{"data":[[1]],"contentType":"text/csv"}`), map[string]any{"ContentType": `"text/csv"`}, `"result":[[1.0]]`},
		{"CSV among others", "/busmany", `["{\"data\":[[1]]}","4,5"]`, map[string]any{"ContentTypeArray": `[null,"text/csv; charset=utf-8"]`}, `"result":[[4.0,5.0]]`},
		{"CSV by its name", "/blob", b64([]byte("4,5\n")), blob("a.csv", "application/octet-stream"), `"result":[[4.0,5.0]]`},
		{"packed", "/blob", b64(gzipped(t, []byte(`{"data":[[7]]}`))), blob("a.json.gz", ""), `"result":[[7.0]]`},
		{"lines", "/blob", b64([]byte("{\"data\":[[1]]}\n{\"data\":[[2]]}\n")), blob("a.jsonl", ""), `"results":[[[1.0]],[[2.0]]]`},
	} {
		r := p.post(t, tt.path, invocationOf(t, "msg", tt.value, tt.metadata), chunked, nil)
		outputs, err := hostOutputs(r.status, r.header.Get("Content-Type"), r.body)
		if err != nil {
			t.Errorf("%s: %v: %s", tt.name, err, r.body)
			continue
		}
		if written, trap := hostWrites("queue", "", outputs["result"]); trap != "" || len(written) != 1 || !strings.Contains(written[0], tt.want) {
			t.Errorf("%s: got %q %s, want %s", tt.name, written, trap, tt.want)
		}
	}
}
