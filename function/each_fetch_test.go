package function

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/tensor"
)

// typed is a store whose objects are of a type.
type typed struct {
	blob.Store
	contentType string
}

func (s typed) Get(ctx context.Context, url string) (*blob.Object, error) {
	o, err := s.Store.Get(ctx, url)
	if err == nil {
		o.ContentType = s.contentType
	}
	return o, err
}

func TestFetchTellsWhatAnObjectIs(t *testing.T) {
	t.Parallel()
	f := newTest(t, picky, nil)
	for _, tt := range []struct{ name, event, stored, want string }{
		{"k.json", "", "", "application/json"},
		{"k.JSON", "", "binary/octet-stream", "application/json"},
		{"k.csv", "", "application/octet-stream", "text/csv"},
		{"k.csv", "", "text/plain", "text/csv"},
		{"k.npy", "", "", "application/x-npy"},
		{"k.jsonl", "", "", "application/x-ndjson"},
		{"k.ndjson", "", "application/json", "application/json"},
		{"k.png", "", "", "image/png"},
		{"k.jpg", "", "", "image/jpeg"},
		{"k.JPEG", "", "", "image/jpeg"},
		{"k.webp", "", "", "image/webp"},
		{"k.bin", "", "", "application/octet-stream"},
		{"k.raw", "", "text/plain", "application/octet-stream"},
		{"k.txt", "", "text/csv; charset=utf-8", "text/csv; charset=utf-8"},
		{"k.json", "", "image/png", "image/png"},
		{"k.json", "text/csv", "image/png", "text/csv"},
		{"k", "", "application/jsonlines", "application/jsonlines"},
		{"k", "", "application/problem+json", "application/problem+json"},
		{"k", "", "application/octet-stream", "application/octet-stream"},
		{"k", "application/octet-stream", "", "application/octet-stream"},
		{"k", "", "binary/octet-stream", ""},
		{"k.exe", "", "", ""},
		{"k.csv.gz", "", "application/gzip", "text/csv"},
		{"k.json.GZ", "", "", "application/json"},
		{"k.gz", "", "application/gzip", ""},
	} {
		for _, packed := range []bool{false, true} {
			const plain = `{"data":"x"}`
			body := plain
			if raw := tt.want == rawType && !strings.HasSuffix(tt.name, ".gz"); packed && !raw {
				body = zip(t, plain)
			}
			for _, url := range []string{"s3://b.csv/folder.csv/" + tt.name, "https://h/c/" + tt.name + "?x=.csv"} {
				e := Events{Store: typed{stored(t, map[string]string{url: body}), tt.stored}, MaxObject: 1000}
				r := Request{ContentType: tt.event}
				_, err := f.fetch(t.Context(), &r, &Item{URL: url}, &e)
				if err != nil || r.ContentType != tt.want || string(r.Body) != plain {
					t.Errorf("%s, stored as %q, packed %t: got %q, %q, %v; want %q", url, tt.stored, packed, r.ContentType, r.Body, err, tt.want)
				}
			}
		}
	}
}

func TestFetchKeepsBytesThatLookPacked(t *testing.T) {
	t.Parallel()
	f := newTest(t, picky, nil)
	packed := zip(t, "x")
	e := Events{Store: stored(t, map[string]string{"s3://b/k.bin": packed, "s3://b/k.bin.gz": packed}), MaxObject: 1000}
	for url, want := range map[string]string{"s3://b/k.bin": packed, "s3://b/k.bin.gz": "x"} {
		var r Request
		if _, err := f.fetch(t.Context(), &r, &Item{URL: url}, &e); err != nil || string(r.Body) != want || r.ContentType != rawType {
			t.Errorf("%s: got %q as %q, %v", url, r.Body, r.ContentType, err)
		}
	}
}

func TestFetchBoundsWhatItReadsAndUnpacks(t *testing.T) {
	t.Parallel()
	f := newTest(t, picky, map[string]string{"SCOREFN_MAX_BODY": "1000"})
	body := `{"data":"` + strings.Repeat("x", 989) + `"}` // 1000 bytes
	store := stored(t, map[string]string{
		"s3://b/fits": body, "s3://b/fits.gz": zip(t, body), "s3://b/large": body + " ", "s3://b/bomb.gz": zip(t, strings.Repeat(" ", 10<<20)),
		"s3://b/cut.json.gz": zip(t, body)[:20], "s3://b/head.gz": "\x1f\x8b\x08", "s3://b/two.json.gz": zip(t, `{"data":`) + zip(t, `2}`),
		"s3://b/check.json.gz": strings.Replace(zip(t, `{"data":1}`), "\n", "\r", 1) + "x",
	})
	for _, tt := range []struct {
		key  string
		max  int64
		want string
	}{
		{"fits", 0, ""},
		{"fits.gz", 0, ""},
		{"large", 0, "The object s3://b/large is larger than 1000 bytes, the limit of this service."},
		{"large", 1001, ""},
		{"fits", 999, "The object s3://b/fits is larger than 999 bytes, the limit of this service."},
		{"fits.gz", 999, "The object s3://b/fits.gz is larger than 999 bytes, the limit of this service."},
		{"bomb.gz", 20_000, "The object s3://b/bomb.gz is larger than 20000 bytes, the limit of this service."},
		{"cut.json.gz", 0, "The object s3://b/cut.json.gz is not valid gzip."},
		{"head.gz", 0, "The object s3://b/head.gz is not valid gzip."},
		{"check.json.gz", 0, "The object s3://b/check.json.gz is not valid gzip."},
		{"two.json.gz", 0, ""},
	} {
		r := f.Each(t.Context(), []Item{{ID: tt.key, URL: "s3://b/" + tt.key}}, Events{Store: store, MaxObject: tt.max})[0]
		switch {
		case tt.want == "" && r.Err != nil:
			t.Errorf("%s within %d: got %v", tt.key, tt.max, r.Err)
		case tt.want != "" && (r.Err == nil || AsError(r.Err).Msg != tt.want || AsError(r.Err).Kind.Retryable()):
			t.Errorf("%s within %d: got %v, want %s", tt.key, tt.max, r.Err, tt.want)
		}
	}
}

// What cannot be scored is not fetched, and nothing is said about the object.
func TestFetchComesAfterTheModel(t *testing.T) {
	t.Parallel()
	f := New(func(context.Context, modeldir.Model) (Script, error) { return nil, errors.New("no model") },
		WithModel(modeldir.Model{Name: "test"}), WithLogger(quiet), set(t, nil))
	if got := became(f.Each(t.Context(), []Item{{ID: "a", URL: "s3://b/k"}}, Events{Store: panicking{}})); got != "a:unavailable" {
		t.Errorf("got %s", got)
	}
}

// text is an answer that writes itself, as it is.
type text string

func (t text) AppendJSON(dst []byte, _ tensor.EncodeOptions) ([]byte, error) {
	return append(dst, t...), nil
}

func TestLinesAreAnsweredLineByLine(t *testing.T) {
	t.Parallel()
	indented := func(ctx context.Context, data json.RawMessage) (any, error) {
		if string(data) == `"indented"` {
			return text("{\r\n  \"a\": [1,\n  2]\n}"), nil
		}
		return picky(ctx, data)
	}
	f := newTest(t, indented, map[string]string{"SCOREFN_MAX_BODY": "200"})
	for _, tt := range []struct{ name, body, want string }{
		{"one", `{"data":1}`, "1\n"},
		{"several", "{\"data\":1}\n{\"data\":[2]}\n", "1\n[2]\n"},
		{"empty lines", "\n\r\n{\"data\":1}\r\n \t\n\n{\"data\":2}\n\n", "1\n2\n"},
		{
			"bad lines", "{\"data\":1}\n{\"data\":\n[3]\n{\"data\":\"invalid\"}\n{\"data\":4}",
			"1\n{\"error\": *\n{\"error\": *\n{\"error\": \"not this one\"}\n4\n",
		},
		{
			"long line", `{"data":"` + strings.Repeat("x", 200) + "\"}\n{\"data\":2}",
			"{\"error\": \"The line is larger than 200 bytes, the limit of this service (SCOREFN_MAX_BODY).\"}\n2\n",
		},
		{"an answer of several lines", "{\"data\":\"indented\"}\n{\"data\":2}", "{\"a\":[1,2]}\n2\n"},
		{"byte order mark", "\xEF\xBB\xBF{\"data\":1}\n", "1\n"},
		{"the model's fault", "{\"data\":1}\n{\"data\":\"internal\"}\n{\"data\":2}", "internal"},
		{"overload", "{\"data\":1}\n{\"data\":\"busy\"}\n{\"data\":2}", "unavailable"},
		{"panic", "{\"data\":\"panic\"}", "internal"},
		{"nothing", "\n\n", "invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := stored(t, map[string]string{"s3://b/k.jsonl": tt.body})
			inline := Item{ID: "msg", Request: Request{ContentType: "application/x-ndjson", Body: []byte(tt.body), Accept: "text/csv"}}
			for _, r := range f.Each(t.Context(), []Item{{ID: "k", URL: "s3://b/k.jsonl"}, inline}, Events{Store: store, MaxObject: 10_000}) {
				if r.Err != nil {
					if got := AsError(r.Err).Kind.String(); got != tt.want {
						t.Errorf("got %v (%v), want %s", got, r.Err, tt.want)
					}
					continue
				}
				got := strings.Split(string(r.Response.Body), "\n")
				for i, want := range strings.Split(tt.want, "\n") {
					start, open := strings.CutSuffix(want, "*")
					if len(got) <= i || got[i] != want && (!open || !strings.HasPrefix(got[i], start)) {
						t.Errorf("got %q, want %q", r.Response.Body, tt.want)
						break
					}
				}
				if len(got) != strings.Count(tt.want, "\n")+1 || r.Response.ContentType != "application/x-ndjson" {
					t.Errorf("got %q as %s", r.Response.Body, r.Response.ContentType)
				}
				for _, line := range got {
					if line != "" && !json.Valid([]byte(line)) {
						t.Errorf("not JSON: %s", line)
					}
				}
			}
		})
	}
}

func TestResultsAreNamedAfterTheAnswer(t *testing.T) {
	t.Parallel()
	f := newTest(t, picky, nil)
	store := stored(t, map[string]string{"s3://b/k.jsonl": `{"data":1}`, "s3://b/k.json": `{"data":1}`})
	results := f.Each(t.Context(), []Item{{URL: "s3://b/k.jsonl"}, {URL: "s3://b/k.json"}}, Events{Store: store, Sink: "gs://out/"})
	for i, want := range []string{"gs://out/b/k.jsonl@*.jsonl", "gs://out/b/k.json@*.json"} {
		before, after, _ := strings.Cut(want, "*")
		if got := results[i].Stored; !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) || results[i].Err != nil {
			t.Errorf("got %s, %v; want %s", got, results[i].Err, want)
		}
	}
	for contentType, want := range map[string]string{
		"application/json": ".json", "text/csv": ".csv", "text/csv; header=present": ".csv", "application/x-npy": ".npy",
		"application/octet-stream": ".bin", "application/x-ndjson": ".jsonl", "": ".json",
	} {
		if got := resultExtension(contentType); got != want {
			t.Errorf("%s: got %s", contentType, got)
		}
	}
}

// A signed sink is written to, and its signature is told to nobody.
func TestResultsBelowASignedPrefix(t *testing.T) {
	t.Parallel()
	f := newTest(t, picky, nil)
	store := blob.Mem()
	r := f.Each(t.Context(), []Item{item("a", "1")}, Events{Store: store, Sink: "https://h/c/out?sig=secret"})[0]
	if r.Err != nil || r.Stored != "https://h/c/out/a.json" {
		t.Errorf("got %+v", r)
	}
	if _, _, err := blob.Read(t.Context(), store, "https://h/c/out/a.json", 10); err != nil {
		t.Error(err)
	}
}
