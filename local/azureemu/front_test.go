package azureemu_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	function := func(route string, methods ...string) string {
		more := fmt.Sprintf(`,"route":%q`, route)
		if len(methods) > 0 {
			more += `,"methods":["` + strings.Join(methods, `","`) + `"]`
		}
		return fmt.Sprintf(httpJSON, more)
	}
	r := start(t, setup{
		files: map[string]string{
			"plain/function.json": fmt.Sprintf(httpJSON, ""), "one/function.json": function("models/{name}/score", "post"),
			"two/function.json": function("models/special/score"), "opt/function.json": function("opt/{a}/{b?}"),
			"rest/function.json": function("files/{*path}"), "number/function.json": function("n/{id:int}"), "get/function.json": function("models/{name}/score", "get"),
			"queue/function.json": queueJSON,
		},
		handler: func(w http.ResponseWriter, q *http.Request) {
			var f struct {
				Data struct {
					Req struct{ Params map[string]*string }
				}
			}
			if err := json.NewDecoder(q.Body).Decode(&f); err != nil {
				t.Error(err)
			}
			params, _ := json.Marshal(f.Data.Req.Params)
			text, _ := json.Marshal(q.URL.Path + " " + string(params))
			answerJSON(w, fmt.Sprintf(`{"Outputs":{"res":{"body":%s}}}`, text))
		},
	})
	for _, tt := range []struct{ request, want string }{
		{"POST /api/plain", `/plain {}`},
		{"POST /API/Plain/", `/plain {}`},
		{"DELETE /api/plain", `/plain {}`},
		{"POST /api/models/a%20b/score", `/one {"name":"a b"}`},
		{"GET /api/models/x/score", `/get {"name":"x"}`},
		{"POST /api/models/special/score", `/two {}`},
		{"GET /api/opt/1", `/opt {"a":"1","b":null}`},
		{"GET /api/opt/1/2", `/opt {"a":"1","b":"2"}`},
		{"GET /api/files/a/b/c", `/rest {"path":"a/b/c"}`},
		{"GET /api/files", `/rest {"path":""}`},
		{"GET /api/n/12", `/number {"id":"12"}`},
		{"GET /api/n/twelve", ""},
		{"DELETE /api/models/x/score", ""},
		{"GET /api/opt", ""},
		{"GET /api/opt/1/2/3", ""},
		{"GET /plain", ""},
		{"GET /api/queue", ""},
	} {
		method, path, _ := strings.Cut(tt.request, " ")
		w := r.ask(method, path, "")
		if got := w.Body.String(); tt.want == "" && w.Code != 404 || tt.want != "" && (w.Code != 200 || got != tt.want) {
			t.Errorf("%s: %d %s, want %s", tt.request, w.Code, got, tt.want)
		}
	}
}

func TestAdminRoutes(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 10)
	r := start(t, setup{
		files: map[string]string{"score/function.json": fmt.Sprintf(httpJSON, ""), "queue/function.json": queueJSON},
		handler: func(w http.ResponseWriter, q *http.Request) {
			var f struct{ Data map[string]string }
			if err := json.NewDecoder(q.Body).Decode(&f); err != nil {
				t.Error(err)
			}
			bodies <- f.Data["msg"]
			answerJSON(w, `{"Outputs":{"result":{"ok":true}}}`)
		},
	})
	for _, input := range []string{`{"input":"hello"}`, `{"input":{"data":[1]}}`} {
		if w := r.ask("POST", "/admin/functions/queue", input); w.Code != 202 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	got := []string{<-bodies, <-bodies}
	slices.Sort(got)
	if !slices.Equal(got, []string{`"hello"`, `"{\"data\":[1]}"`}) {
		t.Errorf("%q", got)
	}
	for _, tt := range []struct {
		path, body string
		status     int
		text       string
	}{
		{"/admin/functions/none", "{}", 404, `there is no function \"none\"; there are queue, score`},
		{"/admin/functions/queue", "{", 400, `the body must be`},
		{"/admin/functions/score", "{}", 400, "is called over HTTP"},
		{"/admin/else", "{}", 404, ""},
	} {
		if w := r.ask("POST", tt.path, tt.body); w.Code != tt.status || !strings.Contains(w.Body.String(), tt.text) {
			t.Errorf("%s: %d %s", tt.path, w.Code, w.Body)
		}
	}
	var list []struct {
		Name string
		URL  string `json:"invoke_url_template"`
	}
	if err := json.Unmarshal(r.ask("GET", "/admin/functions", "").Body.Bytes(), &list); err != nil || len(list) != 2 || list[1].URL != "http://example.com/api/score" {
		t.Errorf("%+v %v", list, err)
	}
	if w := r.ask("GET", "/", ""); !strings.Contains(w.Body.String(), "http://example.com/api/score") {
		t.Errorf("%s", w.Body)
	}
}

// The list has paths that match, and says which keys will be missing in Azure.
func TestList(t *testing.T) {
	t.Parallel()
	function := func(route, level string) string {
		return fmt.Sprintf(httpJSON, fmt.Sprintf(`,"route":%q,"authLevel":%q`, route, level))
	}
	r := start(t, setup{
		files: map[string]string{
			"a/function.json": function("n/{id:int:min(1)}/{name:alpha}", "anonymous"), "b/function.json": function("g/{id:guid}/{on:bool}/{x?}", "Admin"),
			"c/function.json": function("{name}", "function"), "d/function.json": fmt.Sprintf(httpJSON, ""),
		},
		handler: func(w http.ResponseWriter, q *http.Request) {
			answerJSON(w, fmt.Sprintf(`{"Outputs":{"res":{"body":%q}}}`, q.URL.Path))
		},
	})
	for name, want := range map[string]string{
		"a": "(payload)", "b": "(payload; Azure asks for the master key)", "c": "(payload; Azure asks for a function key)",
		"d": "(payload; Azure asks for a function key)",
	} {
		method, path := r.App().Path(r.function(name))
		var list strings.Builder
		r.App().List(&list, "")
		if text := strings.Join(strings.Fields(list.String()), " "); !strings.Contains(text, name+" "+method+" "+path+" "+want) {
			t.Errorf("%s: %s", name, text)
		}
		if w := r.ask(method, path, ""); w.Body.String() != "/"+name {
			t.Errorf("%s: %s is a path of %q, %d", name, path, w.Body, w.Code)
		}
	}
}
