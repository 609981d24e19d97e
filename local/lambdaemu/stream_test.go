package lambdaemu_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

const prelude = `{"statusCode":201,"headers":{"x-kind":"stream"},"cookies":["a=1","b=2"]}` + "\x00\x00\x00\x00\x00\x00\x00\x00"

func stream(t *testing.T, e *lambdaemu.Emulator, o order) io.Reader {
	t.Helper()
	a, err := e.Invoke(t.Context(), lambdaemu.Call{Payload: o.json(), Stream: true})
	if err != nil {
		t.Fatal(err)
	}
	if a.Body == nil || a.ContentType != lambdaemu.StreamType {
		t.Fatalf("no stream: %+v", a)
	}
	return a.Body
}

func TestStreamArrivesWhileItIsWritten(t *testing.T) {
	t.Parallel()
	e, _ := start(t, nil)
	before := pid(t, e)
	url, arrived, open := gate(t)
	body := stream(t, e, order{Do: "stream", URL: url})
	first := make([]byte, len(prelude)+len("first "))
	if _, err := io.ReadFull(body, first); err != nil || string(first) != prelude+"first " {
		t.Fatalf("%q %v", first, err)
	}
	<-arrived // the function has not written the rest
	open()
	if rest, err := io.ReadAll(body); err != nil || string(rest) != "second" {
		t.Errorf("%q %v", rest, err)
	}
	if pid(t, e) != before {
		t.Error("the process is another")
	}
}

func TestStreamsThatDoNotEndWell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		do, kind, text string
		lives          bool
	}{
		{"stream-error", "Function.Midway", "half of it", true},
		{"stream-exit", "Runtime.ExitError", "exit status 4", false},
		{"stream-hang", "Sandbox.Timedout", "Task timed out after 1.50 seconds", false},
	} {
		t.Run(c.do, func(t *testing.T) {
			t.Parallel()
			e, out := start(t, func(cfg *lambdaemu.Config) { cfg.Timeout = 1500 * time.Millisecond })
			before := pid(t, e)
			url, _, open := gate(t)
			body := stream(t, e, order{Do: c.do, URL: url})
			open() // the stream has begun; a process may end before what it writes is sent
			b, err := io.ReadAll(body)
			s, ok := errors.AsType[*lambdaemu.StreamError](err)
			if !ok || s.Type != c.kind || !strings.Contains(string(s.Body), c.text) {
				t.Errorf("got %v, want %s, %s", err, c.kind, c.text)
			}
			if c.lives && string(b) != prelude+"first " {
				t.Errorf("before: %q", b)
			}
			if lives := pid(t, e) == before; lives != c.lives {
				t.Errorf("the process lives on: %v", lives)
			}
			if count(out, "Status: ") != 1 {
				t.Error("the REPORT does not tell")
			}
		})
	}
}

func TestBufferedCallsTakeAStreamAsAWhole(t *testing.T) {
	t.Parallel()
	e, _ := start(t, nil)
	if a := invoke(t, e, order{Do: "stream"}); string(a.Payload) != prelude+"first second" || a.Body != nil {
		t.Errorf("got %q", a.Payload)
	}
	wantError(t, invoke(t, e, order{Do: "stream-error"}), "Function.Midway", "^half of it$")
}

func TestStreamCallerThatLeaves(t *testing.T) {
	t.Parallel()
	e, _ := start(t, nil)
	before := pid(t, e)
	url, arrived, open := gate(t)
	body := stream(t, e, order{Do: "stream", URL: url})
	<-arrived
	if err := body.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	open()
	if _, err := io.Copy(io.Discard, body); err == nil { // until the process is free again
		t.Error("a closed stream can be read")
	}
	if pid(t, e) != before {
		t.Error("the process is another")
	}
}

func TestInvokeWithResponseStream(t *testing.T) {
	t.Parallel()
	e, _ := start(t, nil)
	s := httptest.NewServer(e.Handler())
	t.Cleanup(s.Close)
	for _, c := range []struct{ do, payload, complete string }{
		{"stream", prelude + "first second", `{}`},
		{"stream-error", prelude + "first ", `{"ErrorCode":"Function.Midway","ErrorDetails":"{\"errorType\":\"Function.Midway\",\"errorMessage\":\"half of it\"}"}`},
		{"error", "", `{"ErrorCode":"Function.Broken","ErrorDetails":"{\"errorType\":\"Function.Broken\",\"errorMessage\":\"on purpose\"}"}`},
		{"print", "null", `{}`}, // does not stream
	} {
		r, err := http.Post(s.URL+"/2021-11-15/functions/f/response-streaming-invocations", "application/json", bytes.NewReader(order{Do: c.do, Text: "\n"}.json()))
		if err != nil {
			t.Fatal(err)
		}
		payload, complete := events(t, r.Body)
		r.Body.Close()
		if payload != c.payload || complete != c.complete || r.Header.Get("Content-Type") != "application/vnd.amazon.eventstream" {
			t.Errorf("%s: got %q and %s", c.do, payload, complete)
		}
	}
}

// events reads a stream as the SDKs do: lengths, headers, payload, and two checksums over all of it.
func events(t *testing.T, r io.Reader) (payload, complete string) {
	t.Helper()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for len(all) > 0 {
		n := binary.BigEndian.Uint32(all)
		m := all[:n]
		all = all[n:]
		body := 12 + binary.BigEndian.Uint32(m[4:])
		if crc32.ChecksumIEEE(m[:8]) != binary.BigEndian.Uint32(m[8:]) || crc32.ChecksumIEEE(m[:n-4]) != binary.BigEndian.Uint32(m[n-4:]) {
			t.Fatalf("checksums of %q", m)
		}
		switch headers := string(m[12:body]); {
		case strings.Contains(headers, "\x0b:event-type\x07\x00\x0cPayloadChunk"):
			payload += string(m[body : n-4])
		case strings.Contains(headers, "\x0b:event-type\x07\x00\x0eInvokeComplete"):
			complete = string(m[body : n-4])
		default:
			t.Fatalf("event %q", headers)
		}
	}
	return payload, complete
}
