package lambdaemu_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// asFake makes this test binary a bootstrap: a Runtime API client that does what the event tells it.
const asFake = "SCOREFN_TEST_BOOTSTRAP"

func TestMain(m *testing.M) {
	if os.Getenv(asFake) == "" {
		os.Exit(m.Run())
	}
	f := &fake{api: "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API")}
	if err := f.run(); err != nil {
		fmt.Fprintln(os.Stderr, "fake bootstrap:", err)
		os.Exit(1)
	}
}

// order is an event for the fake.
type order struct {
	Do     string          `json:"do"`
	URL    string          `json:"url,omitempty"`    // where to ask
	Bytes  int             `json:"bytes,omitempty"`  // of the response
	Text   string          `json:"text,omitempty"`   // to print
	Answer json.RawMessage `json:"answer,omitempty"` // to give
	Pad    string          `json:"pad,omitempty"`
}

type fake struct{ api string }

func (f *fake) run() error {
	if err := f.init(os.Getenv("FAKE_INIT")); err != nil {
		return err
	}
	for {
		r, err := http.Get(f.api + "/2018-06-01/runtime/invocation/next")
		if err != nil {
			return err
		}
		payload, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != 200 {
			return fmt.Errorf("next: %s %w", r.Status, err)
		}
		if err := f.call(r.Header, payload); err != nil {
			return err
		}
	}
}

// init does what FAKE_INIT says: MODE or MODE=ARGUMENT.
func (f *fake) init(what string) error {
	mode, argument, _ := strings.Cut(what, "=")
	switch mode {
	case "exit":
		fmt.Println("init says goodbye")
		os.Exit(7)
	case "error":
		f.post("/2018-06-01/runtime/init/error", "application/json", "Model.NotFound", strings.NewReader(`{"errorType":"Model.NotFound","errorMessage":"no model"}`), nil)
		os.Exit(1)
	case "hang":
		select {}
	case "hang-once":
		if f, err := os.OpenFile(argument, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			f.Close()
			select {}
		}
	case "ask":
		r, err := http.Get(argument)
		if err != nil {
			return err
		}
		r.Body.Close()
	case "sigterm":
		r, err := http.NewRequest("POST", f.api+"/2020-01-01/extension/register", strings.NewReader(`{"events":[]}`))
		if err != nil {
			return err
		}
		r.Header.Set("Lambda-Extension-Name", "fake")
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		a.Body.Close()
		if a.StatusCode != 200 || a.Header.Get("Lambda-Extension-Identifier") == "" {
			return fmt.Errorf("register: %s", a.Status)
		}
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		go func() {
			<-c
			fmt.Println("SIGTERM came")
			os.Exit(0)
		}()
	}
	return nil
}

func (f *fake) post(path, kind, errorType string, body io.Reader, trailer http.Header) (int, string) {
	r, err := http.NewRequest("POST", f.api+path, body)
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Content-Type", kind)
	if errorType != "" {
		r.Header.Set("Lambda-Runtime-Function-Error-Type", errorType)
	}
	r.Trailer = trailer
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(b)
}

func (f *fake) call(h http.Header, payload []byte) error {
	var o order
	if err := json.Unmarshal(payload, &o); err != nil {
		return err
	}
	path := "/2018-06-01/runtime/invocation/" + h.Get("Lambda-Runtime-Aws-Request-Id")
	respond := func(v any) {
		b, _ := json.Marshal(v)
		f.post(path+"/response", "application/json", "", bytes.NewReader(b), nil)
	}
	switch o.Do {
	case "", "pid":
		respond(os.Getpid())
	case "print":
		fmt.Print(o.Text)
		respond(nil)
	case "error":
		f.post(path+"/error", "application/json", "Function.Broken", strings.NewReader(`{"errorType":"Function.Broken","errorMessage":"on purpose"}`), nil)
	case "panic":
		f.post(path+"/error", "application/json", "", strings.NewReader(`{"errorType":"string","errorMessage":"at the disco"}`), nil)
		os.Exit(1)
	case "exit":
		os.Exit(3)
	case "exit-0":
		os.Exit(0)
	case "hang":
		fmt.Println("hangs")
		select {}
	case "answer-and-hang":
		respond(os.Getpid())
		select {}
	case "bytes":
		status, text := f.post(path+"/response", "application/json", "", strings.NewReader(`"`+strings.Repeat("x", o.Bytes-2)+`"`), nil)
		fmt.Println("response answered", status, text)
	case "answer":
		f.post(path+"/response", "application/json", "", bytes.NewReader(o.Answer), nil)
	case "context":
		dir, _ := os.Getwd()
		respond(map[string]any{"env": os.Environ(), "dir": dir, "header": h})
	case "ask": // the answer is the asked one's; it may take as long as it wants
		r, err := http.Get(o.URL)
		if err != nil {
			return err
		}
		r.Body.Close()
		if r.StatusCode != 200 {
			f.post(path+"/error", "application/json", "", strings.NewReader(`{"errorType":"Function.Refused","errorMessage":"asked in vain"}`), nil)
			return nil
		}
		respond(os.Getpid())
	case "misuse":
		var got []string
		say := func(status int, text string) { got = append(got, fmt.Sprintf("%d %s", status, text)) }
		say(f.post("/2018-06-01/runtime/invocation/nonsense/response", "application/json", "", strings.NewReader("{}"), nil))
		say(f.post("/2018-06-01/runtime/init/error", "application/json", "", strings.NewReader("{}"), nil))
		r, err := http.Get(f.api + "/2018-06-01/runtime/invocation/next")
		if err != nil {
			return err
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		say(r.StatusCode, string(b))
		respond(got)
	default:
		return f.stream(path, o)
	}
	return nil
}

// stream answers in two pieces, and asks between them.
func (f *fake) stream(path string, o order) error {
	pr, pw := io.Pipe()
	trailer := http.Header{"Lambda-Runtime-Function-Error-Type": nil, "Lambda-Runtime-Function-Error-Body": nil}
	go func() {
		io.WriteString(pw, `{"statusCode":201,"headers":{"x-kind":"stream"},"cookies":["a=1","b=2"]}`+strings.Repeat("\x00", 8)+"first ")
		if o.URL != "" {
			if r, err := http.Get(o.URL); err == nil {
				r.Body.Close()
			}
		}
		switch o.Do {
		case "stream-exit":
			os.Exit(4)
		case "stream-hang":
			select {}
		case "stream-error":
			trailer.Set("Lambda-Runtime-Function-Error-Type", "Function.Midway")
			trailer.Set("Lambda-Runtime-Function-Error-Body", base64.StdEncoding.EncodeToString([]byte(`{"errorType":"Function.Midway","errorMessage":"half of it"}`)))
		default:
			io.WriteString(pw, "second")
		}
		pw.Close()
	}()
	f.post(path+"/response", "application/vnd.awslambda.http-integration-response", "", pr, trailer)
	return nil
}
