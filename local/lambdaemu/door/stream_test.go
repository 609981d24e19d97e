package door_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// streams is a function that writes its answer with write.
func streams(kind string, write func(w *io.PipeWriter)) function {
	return func(_ context.Context, c lambdaemu.Call) (*lambdaemu.Answer, error) {
		if !c.Stream {
			return nil, errors.New("the door wants no stream")
		}
		r, w := io.Pipe()
		go write(w)
		return &lambdaemu.Answer{Body: r, ContentType: kind}, nil
	}
}

const nuls = "\x00\x00\x00\x00\x00\x00\x00\x00"

func TestStreamIsPassedOnWhileItComes(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"/function-url-stream", "/rest-api-stream"} {
		seen := make(chan struct{})
		url := serve(t, streams(lambdaemu.StreamType, func(w *io.PipeWriter) {
			io.WriteString(w, `{"statusCode":202,"headers":{"content-type":"text/plain"},"cookies":["a=1","b=2"]}`+nuls[:3])
			io.WriteString(w, nuls[3:]+"fi")
			io.WriteString(w, "rst ")
			<-seen
			io.WriteString(w, "second")
			w.Close()
		}))
		r, err := http.Get(url + prefix)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 6)
		if _, err := io.ReadFull(r.Body, first); err != nil || string(first) != "first " {
			t.Fatalf("%q %v", first, err)
		}
		close(seen)
		rest, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || string(rest) != "second" || r.StatusCode != 202 || r.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("%s: %s %q %v", prefix, r.Status, rest, err)
		}
		if c := strings.Join(r.Header["Set-Cookie"], "|"); c != "a=1|b=2" {
			t.Errorf("%s: cookies %s", prefix, c)
		}
	}
}

func TestStreamThatBreaksBreaksTheConnection(t *testing.T) {
	t.Parallel()
	url := serve(t, streams(lambdaemu.StreamType, func(w *io.PipeWriter) {
		io.WriteString(w, `{}`+nuls+"half")
		w.CloseWithError(&lambdaemu.StreamError{Type: "Function.Midway"})
	}))
	r, err := http.Get(url + "/function-url-stream")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err == nil || r.StatusCode != 200 {
		t.Errorf("%s %q ended well", r.Status, b)
	}
}

func TestStreamWithoutPrelude(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, text, body string
		status           int
	}{
		"plain":        {"text/plain", "as it is", "as it is", 200},
		"no end":       {lambdaemu.StreamType, `{"statusCode":200}`, "", 502},
		"no JSON":      {lambdaemu.StreamType, "nonsense" + nuls, "", 502},
		"wrong status": {lambdaemu.StreamType, `{"statusCode":7}` + nuls, "", 502},
		"no body":      {lambdaemu.StreamType, `{"statusCode":204}` + nuls + "x", "", 204},
	} {
		url := serve(t, streams(c.kind, func(w *io.PipeWriter) {
			io.WriteString(w, c.text)
			w.Close()
		}))
		if got := get(t, url+"/function-url-stream"); got.status != c.status || c.status < 500 && got.body != c.body {
			t.Errorf("%s: %d %q", name, got.status, got.body)
		}
	}
}

func TestBufferedAnswersBehindAStreamingDoorAndBack(t *testing.T) {
	t.Parallel()
	if got := get(t, serve(t, answers(`{"statusCode":201,"body":"b"}`))+"/function-url-stream"); got.status != 201 || got.body != "b" {
		t.Errorf("%d %s", got.status, got.body)
	}
	buffered := function(func(context.Context, lambdaemu.Call) (*lambdaemu.Answer, error) {
		return &lambdaemu.Answer{ContentType: lambdaemu.StreamType, Payload: []byte(`{"statusCode":201}` + nuls + "b")}, nil
	})
	if got := get(t, serve(t, buffered)+"/function-url"); got.status != 201 || got.body != "b" {
		t.Errorf("%d %s", got.status, got.body)
	}
}
