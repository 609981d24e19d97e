package azureemu_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/azureemu"
	"github.com/scorefn/scorefn/local/azureemu/storage"
)

// TestInputBlobs has functions that read a blob beside their trigger's message, and a storage with one blob.
func TestInputBlobs(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.Method != http.MethodGet: // the queue of poison
		case q.URL.Path == "/devstoreaccount1/in/a b.json":
			w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 20:35:39 GMT")
			fmt.Fprint(w, `{"data":1}`)
		case q.URL.Path == "/devstoreaccount1/in/down.json":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	account, err := storage.Open("AccountName=a;AccountKey=a2V5;BlobEndpoint=" + server.URL + "/devstoreaccount1;QueueEndpoint=" + server.URL + "/queues")
	if err != nil {
		t.Fatal(err)
	}
	const queue, grid = `"type":"queueTrigger","queueName":"q"`, `"type":"eventGridTrigger"`
	created := func(url string) string {
		return `{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"url":"` + url + `"}}`
	}
	for _, tt := range []struct{ name, trigger, blob, message, want, err string }{
		{"text", queue, `"path":"in/{queueTrigger}"`, "a b.json", `"\"{\\\"data\\\":1}\""`, ""},
		{"bytes", queue, `"path":"in/{queueTrigger}","dataType":"binary"`, "a b.json", `"eyJkYXRhIjoxfQ=="`, ""},
		{"a member of the message", queue, `"path":"{where}/a b.json"`, `{"where":"in"}`, `"\"{\\\"data\\\":1}\""`, ""},
		{"a URL", grid, `"path":"{data.url}","dataType":"binary"`, created(account.Blobs + "/in/a%20b.json"), `"eyJkYXRhIjoxfQ=="`, ""},
		{"not there", queue, `"path":"in/{queueTrigger}"`, "b.json", `"null"`, ""},
		{"elsewhere", grid, `"path":"{data.url}"`, created("https://a.blob.core.windows.net/in/a.json"), "", "is no blob of the storage"},
		{"no blob", queue, `"path":"in"`, "a", "", `"in" is no CONTAINER/BLOB`},
		{"without a value", queue, `"path":"in/{name}"`, "a", "", `no value for {name} in "in/{name}"`},
		{"the storage is down", queue, `"path":"in/down.json"`, "a", "", "503"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := make(chan string, 10)
			r := start(t, setup{
				config: azureemu.Config{Storage: account},
				files: map[string]string{"score/function.json": fmt.Sprintf(`{"bindings":[{%s,"direction":"in","name":"msg"},
					{"type":"blob","direction":"in","name":"content",%s}]}`, tt.trigger, tt.blob)},
				handler: func(w http.ResponseWriter, q *http.Request) {
					body, err := io.ReadAll(q.Body)
					if err != nil {
						t.Error(err)
					}
					got <- string(body)
					answerJSON(w, `{}`)
				},
			})
			d := r.deliver(tt.message)
			if tt.err != "" {
				if d.Err == nil || !strings.Contains(d.Err.Error(), tt.err) {
					t.Errorf("%v, want %s", d.Err, tt.err)
				}
				return
			}
			if d.Err != nil {
				t.Fatal(d.Err)
			}
			if body := <-got; !strings.Contains(body, `"content":`+tt.want) {
				t.Errorf("got %s, want %s", body, tt.want)
			}
		})
	}
}

// TestNamesInBindings resolves app settings and what the trigger brought.
func TestNamesInBindings(t *testing.T) {
	t.Parallel()
	function := func(queue, path string) string {
		return fmt.Sprintf(`{"bindings":[{"type":"queueTrigger","direction":"in","name":"msg","queueName":%q},
			{"type":"blob","direction":"out","name":"result","path":%q}]}`, queue, path)
	}
	r := start(t, setup{
		config: azureemu.Config{Env: []string{"WHERE=scored"}},
		files: map[string]string{
			"score/function.json": function("in", "%WHERE%/{queueTrigger}"), "lost/function.json": function("%UNSET%-in", "a/b"),
		},
		handler: func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, `{"Outputs":{"result":{"a":1}}}`) },
	})
	if d := r.deliver("a.json"); d.Err != nil || len(d.Outputs) != 1 || d.Outputs[0].Target != "scored/a.json" {
		t.Errorf("%+v", d)
	}
	if _, err := r.App().Function("lost"); err == nil {
		t.Error("a function whose queue has no name runs")
	}
	r.log.wait(t, 1, `ERROR the function lost does not run: %UNSET% of its binding msg is no app setting`)
}
