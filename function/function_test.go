package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/function/tensor"
)

// scriptFunc is a script that is one function.
type scriptFunc func(ctx context.Context, data json.RawMessage) (any, error)

func (s scriptFunc) Run(ctx context.Context, data json.RawMessage) (any, error) { return s(ctx, data) }

// quiet discards the log.
var quiet = slog.New(slog.DiscardHandler)

// set is the default settings, changed by env.
func set(tb testing.TB, env map[string]string) Option {
	tb.Helper()
	s, err := settings.Load(func(name string) string { return env[name] })
	if err != nil {
		tb.Fatal(err)
	}
	return WithSettings(s)
}

// newTest is a function of a script that needs no model.
func newTest(tb testing.TB, run scriptFunc, env map[string]string) *Function {
	tb.Helper()
	f := New(func(context.Context, modeldir.Model) (Script, error) { return run, nil },
		WithModel(modeldir.Model{Name: "test"}), WithLogger(quiet), set(tb, env))
	tb.Cleanup(func() { _ = f.Close() })
	return f
}

func echo(_ context.Context, data json.RawMessage) (any, error) { return data, nil }

func TestRunGetsExactlyTheBytesOfData(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, want string }{
		{"number", `{"data":1}`, `1`},
		{"spaces inside stay", `{ "data" : [1, 2 ] }`, `[1, 2 ]`},
		{"other members are ignored", `{"a":{"data":3},"data":[1],"method":"predict"}`, `[1]`},
		{"escaped name", `{"d\u0061ta":"x"}`, `"x"`},
		{"byte order mark", "\xEF\xBB\xBF{\"data\":null}", `null`},
		{"object", `{"data":{"data":[1]}}`, `{"data":[1]}`},
		{"string with brackets", `{"data":"]}","x":"\"}"}`, `"]}"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got string
			f := newTest(t, func(_ context.Context, data json.RawMessage) (any, error) {
				got = string(data)
				return nil, nil
			}, nil)
			r, err := f.Run(t.Context(), Request{Body: []byte(tt.body)})
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
			if string(r.Body) != "{}" || r.ContentType != "application/json" {
				t.Errorf("nil is answered %s %s, want {}", r.ContentType, r.Body)
			}
		})
	}
}

func TestRunRefusesWhatIsNoEnvelope(t *testing.T) {
	t.Parallel()
	f := newTest(t, echo, nil)
	for _, tt := range []struct{ body, want string }{
		{``, `POST body is empty. Expecting a JSON dictionary.`},
		{" \n", `POST body is empty. Expecting a JSON dictionary.`},
		{`[1]`, `POST body should be a JSON dictionary.`},
		{`null`, `POST body should be a JSON dictionary.`},
		{`{}`, `A value is not provided for the 'data' parameter.`},
		{`{"Data":1}`, `A value is not provided for the 'data' parameter.`},
		{`{"data":1,"data":2}`, `"data" is given twice`},
		{`{"data":1} x`, `(char 11)`},
		{`{"data":}`, `(char 8)`},
		{`{"data":[1,}`, `Expecting value: line 1 column 12 (char 11)`},
		{`{"data":[1 2]}`, `(char 11)`},
		{`{"data":1,"x":nul}`, `(char 14)`},
		{`{'data':1}`, `(char 1)`},
		{`hello`, `(char 0)`},
		{`5 x`, `(char 2)`},
		{`{"data":"a`, `POST body could not be decoded as JSON`},
		{`{"data":01}`, `POST body could not be decoded as JSON`},
		{"{\"data\":\"\xff\"}", `POST body could not be decoded as JSON`},
		{`{"data":` + strings.Repeat("[", 5_000_000), `POST body could not be decoded as JSON`},
		{`{"x":` + strings.Repeat("[", 5_000_000), `POST body could not be decoded as JSON`},
	} {
		_, err := f.Run(t.Context(), Request{Body: []byte(tt.body)})
		e := AsError(err)
		if err == nil || e.Kind != Invalid || !strings.Contains(e.Msg, tt.want) {
			t.Errorf("%.40q: got %v, want %q", tt.body, err, tt.want)
		}
	}
}

func TestRunAnswersAnythingThatJSONCanHold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer any
		want   string
	}{
		{"nil", nil, `{}`},
		{"string", "a<b>&\u2028", "\"a<b>&\\u2028\""},
		{"raw", json.RawMessage(`[1]`), `[1]`},
		{"map", map[string]any{"label": []int{2}}, `{"label":[2]}`},
		{"big integer", uint64(math.MaxUint64), `18446744073709551615`},
		{"NaN and infinities", map[string]any{"a": []float32{1, float32(math.NaN())}, "b": math.Inf(1), "c": [2]any{nil, "x"}}, `{"a":[1,null],"b":null,"c":[null,"x"]}`},
		{"tensor", tensor.Of([]float32{0.5, 1}), `[0.5,1.0]`},
		{"tensor in a map", map[string]any{"y": tensor.Scalar(int64(7))}, `{"y":7}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newTest(t, func(context.Context, json.RawMessage) (any, error) { return tt.answer, nil }, nil)
			r, err := f.Run(t.Context(), Request{Body: []byte(`{"data":0}`)})
			if err != nil || string(r.Body) != tt.want {
				t.Errorf("got %s, %v; want %s", r.Body, err, tt.want)
			}
		})
	}
}

func TestRunTurnsErrorsIntoKinds(t *testing.T) {
	t.Parallel()
	secret := errors.New("password in the stack trace")
	for _, tt := range []struct {
		name string
		run  scriptFunc
		kind Kind
		msg  string
	}{
		{"unknown error", func(context.Context, json.RawMessage) (any, error) { return nil, secret }, Internal, msgScript},
		{"panic", func(context.Context, json.RawMessage) (any, error) { panic(secret) }, Internal, msgScript},
		{"index out of range", func(_ context.Context, d json.RawMessage) (any, error) { return d[len(d)], nil }, Internal, msgScript},
		{"own kind", func(context.Context, json.RawMessage) (any, error) { return nil, Errorf(Unsupported, "no %s", "gifs") }, Unsupported, "no gifs"},
		{"wrapped own kind", func(context.Context, json.RawMessage) (any, error) {
			return nil, fmt.Errorf("x: %w", Errorf(TooLarge, "big"))
		}, TooLarge, "big"},
		{"tensor error moves to the body", func(context.Context, json.RawMessage) (any, error) {
			return nil, &tensor.Error{Path: "data[0]", Offset: 1, Msg: "wrong"}
		}, Invalid, "data[0]: wrong (at byte 9)"},
		{"encoding/json", func(_ context.Context, d json.RawMessage) (any, error) {
			var s string
			return nil, json.Unmarshal(d, &s)
		}, Invalid, "json: cannot unmarshal number into Go value of type string"},
		{"not encodable", func(context.Context, json.RawMessage) (any, error) { return func() {}, nil }, Internal, msgInternal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newTest(t, tt.run, nil)
			for range 2 { // and the process goes on
				_, err := f.Run(t.Context(), Request{Body: []byte(`{"data":1}`)})
				if e := AsError(err); err == nil || e.Kind != tt.kind || e.Msg != tt.msg {
					t.Errorf("got %v %q, want %v %q", e.Kind, e.Msg, tt.kind, tt.msg)
				}
				if strings.Contains(AsError(err).Msg, "password") {
					t.Error("the public message shows the cause")
				}
			}
		})
	}
}

func TestRunStopsAtTheScoringTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newTest(t, func(ctx context.Context, _ json.RawMessage) (any, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}, map[string]string{"SCORING_TIMEOUT_MS": "200", "SCOREFN_CONCURRENCY": "1"})
		start := time.Now()
		_, err := f.Run(t.Context(), Request{Body: []byte(`{"data":1}`)})
		if e := AsError(err); e.Kind != Timeout || e.Msg != "Scoring timeout after 200 ms" {
			t.Errorf("got %v %q", e.Kind, e.Msg)
		}
		if d := time.Since(start); d != 200*time.Millisecond {
			t.Errorf("after %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = f.Run(ctx, Request{Body: []byte(`{"data":1}`)})
		if e := AsError(err); e.Kind != Timeout {
			t.Errorf("the caller's own deadline: got %v", err)
		}
	})
}

func TestInitIsTriedAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inits := 0
		f := New(func(context.Context, modeldir.Model) (Script, error) {
			if inits++; inits == 1 {
				return nil, errors.New("disk not mounted")
			}
			return scriptFunc(echo), nil
		}, WithModel(modeldir.Model{Name: "test"}), WithLogger(quiet), set(t, nil))
		err := f.Init(t.Context())
		e := AsError(err)
		if e.Kind != Unavailable || e.Msg != msgInit || e.RetryAfter != time.Second || Reason(err).Error() != "disk not mounted" {
			t.Fatalf("got %v %q %v, reason %v", e.Kind, e.Msg, e.RetryAfter, Reason(err))
		}
		time.Sleep(time.Second)
		if _, err := f.Run(t.Context(), Request{Body: []byte(`{"data":1}`)}); err != nil || inits != 2 {
			t.Errorf("got %v after %d inits", err, inits)
		}
	})
}

func TestNilScriptIsAnInitError(t *testing.T) {
	t.Parallel()
	f := New(func(context.Context, modeldir.Model) (Script, error) { return nil, nil },
		WithModel(modeldir.Model{}), WithLogger(quiet), set(t, nil))
	if err := f.Init(t.Context()); err == nil || !strings.Contains(Reason(err).Error(), "neither a script nor an error") {
		t.Errorf("got %v", err)
	}
}

// closer counts how often it is closed.
type closer struct {
	scriptFunc
	closed *atomic.Int32
}

func (c closer) Close() error { c.closed.Add(1); return nil }

func TestCloseClosesTheScriptOnceAndRefusesRuns(t *testing.T) {
	t.Parallel()
	var closed atomic.Int32
	f := New(func(context.Context, modeldir.Model) (Script, error) { return closer{echo, &closed}, nil },
		WithModel(modeldir.Model{}), WithLogger(quiet), set(t, nil))
	if err := f.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := closed.Load(); n != 1 {
		t.Errorf("closed %d times", n)
	}
	_, err := f.Run(t.Context(), Request{Body: []byte(`{"data":1}`)})
	if e := AsError(err); !errors.Is(err, ErrClosed) || e.Kind != Unavailable {
		t.Errorf("run after close: %v", err)
	}
}

func TestUnknownModelIsNotFound(t *testing.T) {
	t.Parallel()
	f := newTest(t, echo, nil)
	_, err := f.Run(t.Context(), Request{Model: "other", Body: []byte(`{"data":1}`)})
	if e := AsError(err); e.Kind != NotFound || !strings.Contains(e.Msg, `"other"`) {
		t.Errorf("got %v", err)
	}
}

// sampler is warmed up with its own sample.
type sampler struct{ scriptFunc }

func (sampler) Sample() []byte { return []byte(`{"data":"warm"}`) }

func TestInitWarmsUpThroughTheWholePath(t *testing.T) {
	t.Parallel()
	for _, result := range []error{nil, errors.New("a bad sample is no reason not to serve")} {
		var got []string
		f := New(func(context.Context, modeldir.Model) (Script, error) {
			return sampler{func(_ context.Context, data json.RawMessage) (any, error) {
				got = append(got, string(data))
				return nil, result
			}}, nil
		}, WithModel(modeldir.Model{}), WithLogger(quiet), set(t, nil))
		if err := f.Init(t.Context()); err != nil || len(got) != 1 || got[0] != `"warm"` {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestBadSettingsAreAnsweredByEveryCall(t *testing.T) {
	t.Parallel()
	_, problem := settings.Load(func(name string) string {
		return map[string]string{"PORT": "http"}[name]
	})
	f := New(nil, WithLogger(quiet))
	f.problem = problem
	if err := f.Init(t.Context()); err == nil || !strings.Contains(err.Error(), `PORT="http"`) {
		t.Errorf("got %v", err)
	}
}

func TestErrorfKeepsTheCause(t *testing.T) {
	t.Parallel()
	err := Errorf(Invalid, "reading: %w", io.ErrUnexpectedEOF)
	if !errors.Is(err, io.ErrUnexpectedEOF) || AsError(err).Msg != "reading: unexpected EOF" {
		t.Errorf("got %v", err)
	}
}

// warmed is a sampler that ran its model in init.
type warmed struct{ sampler }

func (warmed) Warmed() bool { return true }

func TestWarmedScriptScoresItsSampleOnlyForTheDocuments(t *testing.T) {
	t.Parallel()
	var runs atomic.Int64
	f := New(func(context.Context, modeldir.Model) (Script, error) {
		return warmed{sampler{func(context.Context, json.RawMessage) (any, error) {
			runs.Add(1)
			return "answered", nil
		}}}, nil
	}, WithModel(modeldir.Model{Name: "m"}), WithLogger(quiet), set(t, nil))
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Init(t.Context()); err != nil || runs.Load() != 0 {
		t.Fatalf("init: %v, %d runs", err, runs.Load())
	}
	for range 2 {
		w := httptest.NewRecorder()
		Handler(f).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/swagger.json?version=3", nil))
		if w.Code != 200 || !strings.Contains(w.Body.String(), "answered") || runs.Load() != 1 {
			t.Errorf("%d %s, %d runs", w.Code, w.Body, runs.Load())
		}
	}
}

// What stands in the message already is not told again behind it.
func TestACauseIsToldOnce(t *testing.T) {
	t.Parallel()
	cause := errors.New("no such key")
	for _, tt := range []struct {
		err          error
		text, reason string
	}{
		{Errorf(Invalid, "the file is bad: %w", cause), "the file is bad: no such key", "the file is bad: no such key"},
		{&Error{Kind: Internal, Msg: "Check the logs.", Err: cause}, "Check the logs: no such key", "no such key"},
		{&Error{Kind: Unavailable, Msg: "Later.", Err: Errorf(Invalid, "the file is bad: %w", cause)}, "Later: the file is bad: no such key", "the file is bad: no such key"},
	} {
		if got := tt.err.Error(); got != tt.text {
			t.Errorf("got %q, want %q", got, tt.text)
		}
		if got := Reason(tt.err).Error(); got != tt.reason || !errors.Is(tt.err, cause) {
			t.Errorf("reason: got %q, want %q", got, tt.reason)
		}
	}
}
