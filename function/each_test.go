package function

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/modeldir"
)

// picky echoes its data, and has an error for some.
func picky(ctx context.Context, data json.RawMessage) (any, error) {
	switch string(data) {
	case `"invalid"`:
		return nil, Errorf(Invalid, "not this one")
	case `"internal"`:
		return nil, errors.New("secret detail")
	case `"panic"`:
		panic("oh")
	case `"busy"`:
		return nil, Errorf(Unavailable, "later")
	case `"wait"`:
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return data, nil
}

func item(id, data string) Item {
	return Item{ID: id, Request: Request{Body: []byte(`{"data":` + data + `}`)}}
}

// stored is a store with objects, by URL.
func stored(tb testing.TB, objects map[string]string) blob.Store {
	tb.Helper()
	s := blob.Mem()
	for url, body := range objects {
		if err := s.Put(tb.Context(), url, "", []byte(body)); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

func zip(tb testing.TB, text string) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// became is what became of each item: its answer, or the kind of its error.
func became(results []Result) string {
	var b strings.Builder
	for _, r := range results {
		switch {
		case errors.Is(r.Err, ErrSkipped):
			fmt.Fprintf(&b, "%s:skipped ", r.ID)
		case r.Err != nil:
			fmt.Fprintf(&b, "%s:%v ", r.ID, AsError(r.Err).Kind)
		default:
			fmt.Fprintf(&b, "%s=%s ", r.ID, r.Response.Body)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestEachAnswersEachItemInOrder(t *testing.T) {
	t.Parallel()
	items := []Item{
		item("a", `1`), item("b", `"invalid"`), item("c", `"panic"`), item("d", `"internal"`),
		{ID: "e", Err: Errorf(Invalid, "no record")},
		item("f", `"busy"`), item("g", `[2]`),
		{ID: "h", URL: "mem://b/none.json"},
		{ID: "i", Request: Request{Model: "none"}},
	}
	for _, tt := range []struct {
		name, want string
		ordered    bool
	}{
		{"free", `a=1 b:invalid c:internal d:internal e:invalid f:unavailable g=[2] h:not found i:not found`, false},
		{"ordered", `a=1 b:invalid c:skipped d:skipped e:skipped f:skipped g:skipped h:skipped i:skipped`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newTest(t, picky, map[string]string{"SCOREFN_CONCURRENCY": "3"})
			results := f.Each(t.Context(), items, Events{Store: blob.Mem(), Ordered: tt.ordered})
			if got := became(results); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			for _, r := range results {
				if r.Err != nil && (r.Response.Body != nil || r.Stored != "") {
					t.Errorf("%s: an error with an answer", r.ID)
				}
			}
		})
	}
}

func TestEachOfNothing(t *testing.T) {
	t.Parallel()
	f := New(func(context.Context, modeldir.Model) (Script, error) { panic("there is nothing to load a model for") }, WithLogger(quiet), set(t, nil))
	if got := f.Each(t.Context(), nil, Events{}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if got := became(f.Each(t.Context(), []Item{{ID: "a", Err: Errorf(TooLarge, "it is")}}, Events{Ordered: true})); got != "a:too large" {
		t.Errorf("got %v", got)
	}
}

func TestEachIsErrSkippedWorthARetry(t *testing.T) {
	t.Parallel()
	if k := AsError(ErrSkipped).Kind; !k.Retryable() {
		t.Errorf("%v is not retryable", k)
	}
}

// A full queue would refuse an item: there are never more at one time than the model takes.
func TestEachScoresAsManyAtOneTimeAsTheModelTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		f := newTest(t, func(_ context.Context, data json.RawMessage) (any, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return data, nil
		}, map[string]string{"SCOREFN_CONCURRENCY": "3", "SCOREFN_QUEUE": "0"})
		start, items := time.Now(), make([]Item, 10)
		for i := range items {
			items[i] = item(fmt.Sprint(i), fmt.Sprint(i))
		}
		got := became(f.Each(t.Context(), items, Events{}))
		if want := "0=0 1=1 2=2 3=3 4=4 5=5 6=6 7=7 8=8 9=9"; got != want {
			t.Errorf("got %s", got)
		}
		if took := time.Since(start); took != 4*time.Second || most.Load() != 3 {
			t.Errorf("took %v with %d at one time, want 4 s with 3", took, most.Load())
		}
	})
}

func TestEachStopsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, ordered := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newTest(t, picky, map[string]string{"SCOREFN_CONCURRENCY": "1"})
			cause := errors.New("the function's time is over")
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, cause)
			defer cancel()
			results := f.Each(ctx, []Item{item("a", `1`), item("b", `"wait"`), item("c", `2`), {ID: "d", URL: "mem://b/k"}}, Events{Store: blob.Mem(), Ordered: ordered})
			if string(results[0].Response.Body) != "1" {
				t.Errorf("the item before: got %v", results[0])
			}
			for _, r := range results[1:] {
				if !errors.Is(r.Err, cause) {
					t.Errorf("%s: got %v, want the cause", r.ID, r.Err)
				}
			}
		})
	}
}

func TestEachItemHasACallOfItsOwnWithTheEventsID(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	calls := map[*Call]bool{}
	f := newTest(t, func(ctx context.Context, data json.RawMessage) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		calls[CallOf(ctx)] = true
		CallOf(ctx).Decoded()
		return CallOf(ctx).RequestID, nil
	}, map[string]string{"SCOREFN_CONCURRENCY": "2"})
	got := became(f.Each(WithRequestID(t.Context(), "event-1"), []Item{item("a", "1"), item("b", "2"), item("c", "3")}, Events{}))
	if got != `a="event-1" b="event-1" c="event-1"` || len(calls) != 3 {
		t.Errorf("got %s with %d calls", got, len(calls))
	}
}

func TestEachLogsFailuresWithoutBodies(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := New(func(context.Context, modeldir.Model) (Script, error) { return scriptFunc(picky), nil },
		WithModel(modeldir.Model{Name: "test"}), WithLogger(slog.New(slog.NewTextHandler(&log, nil))), set(t, nil))
	store := stored(t, map[string]string{"mem://b/k.json": `{"data":"in the body`})
	f.Each(WithRequestID(t.Context(), "event-1"), []Item{
		item("a", `"fine"`), item("b", `"invalid"`), item("c", `"internal"`), {ID: "d", URL: "mem://b/k.json"},
	}, Events{Store: store, Ordered: false})
	for _, want := range []string{
		`level=WARN msg="item failed" item=b kind=invalid retry=false error="not this one" requestId=event-1`,
		`level=ERROR msg="item failed" item=c kind=internal retry=true error="secret detail" requestId=event-1`,
		`level=WARN msg="item failed" item=d kind=invalid`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no line %s in\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), "in the body") || strings.Contains(log.String(), "item=a") {
		t.Errorf("too much is logged:\n%s", &log)
	}
}

func TestEachHandsOverItsLogLines(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := New(func(context.Context, modeldir.Model) (Script, error) { return scriptFunc(picky), nil },
		WithModel(modeldir.Model{Name: "test"}), WithLogger(slog.New(slog.NewTextHandler(&log, nil))), set(t, nil))
	if err := f.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	log.Reset() // of the model's line
	var lines []func()
	f.Each(WithRequestID(t.Context(), "event-1"), []Item{item("a", `"fine"`), item("b", `"invalid"`), item("c", `"internal"`)},
		Events{Ordered: true, Log: func(line func()) { lines = append(lines, line) }})
	if log.Len() > 0 || len(lines) != 2 { // what is behind a failure is skipped, and told at the level of information
		t.Fatalf("%d lines were handed over, the log has %s", len(lines), &log)
	}
	lines[0]()
	if got, want := log.String(), `level=WARN msg="item failed" item=b kind=invalid retry=false error="not this one" requestId=event-1`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	f := newTest(t, picky, map[string]string{"SCOREFN_CONCURRENCY": "3"})
	if n := f.Concurrency(t.Context()); n != 3 {
		t.Errorf("got %d, want 3", n)
	}
	broken := New(func(context.Context, modeldir.Model) (Script, error) { return nil, errors.New("no") },
		WithModel(modeldir.Model{}), WithLogger(quiet), set(t, map[string]string{"SCOREFN_CONCURRENCY": "3"}))
	if n := broken.Concurrency(t.Context()); n != 1 {
		t.Errorf("a model that cannot be loaded: got %d, want 1", n)
	}
}

func TestEachResultIsStoredOnce(t *testing.T) {
	t.Parallel()
	var runs atomic.Int64
	f := newTest(t, func(context.Context, json.RawMessage) (any, error) { return runs.Add(1), nil }, nil)
	for _, tt := range []struct {
		name  string
		store blob.Store
	}{{"mem", blob.Mem()}, {"dir", blob.Dir(filepath.Join(t.TempDir(), "results"))}} {
		first := runs.Load() + 1
		for range 2 { // the second is a redelivery
			r := f.Each(t.Context(), []Item{item("msg/1", "0")}, Events{Store: tt.store, Sink: "s3://out/scores/"})[0]
			if r.Err != nil || r.Stored != "s3://out/scores/msg~2F1.json" {
				t.Fatalf("%s: got %+v", tt.name, r)
			}
		}
		_, body, err := blob.Read(t.Context(), tt.store, "s3://out/scores/msg~2F1.json", 100)
		if err != nil || string(body) != fmt.Sprint(first) {
			t.Errorf("%s: got %s, %v; want the first answer, %d", tt.name, body, err, first)
		}
	}
}

func TestEachNeedsAStore(t *testing.T) {
	t.Parallel()
	f := newTest(t, picky, nil)
	for _, tt := range []struct {
		name string
		item Item
		e    Events
	}{
		{"to fetch", Item{ID: "a", URL: "s3://b/k"}, Events{}},
		{"to put", item("a", "1"), Events{Sink: "s3://b/k"}},
		{"of the scheme", Item{ID: "a", URL: "gs://b/k"}, Events{Store: blob.Mux{"s3": blob.Mem()}}},
		{"with a scheme", item("a", "1"), Events{Store: blob.Mux{"s3": blob.Mem()}, Sink: "results"}},
	} {
		if got := became(f.Each(t.Context(), []Item{tt.item}, tt.e)); got != "a:unsupported" {
			t.Errorf("%s: got %s", tt.name, got)
		}
	}
}

// failing is a store that fails.
type failing struct {
	blob.Store
	get, put error
}

func (s failing) Get(ctx context.Context, url string) (*blob.Object, error) {
	if s.get != nil {
		return nil, s.get
	}
	return s.Store.Get(ctx, url)
}

func (s failing) Put(context.Context, string, string, []byte) error { return s.put }

// panicking is a store with a fault.
type panicking struct{ blob.Store }

func (panicking) Get(context.Context, string) (*blob.Object, error) { panic("oh") }

func TestEachGivesTheErrorsOfAStoreTheirKinds(t *testing.T) {
	t.Parallel()
	f := newTest(t, picky, nil)
	for _, tt := range []struct {
		name     string
		err      error
		get, put Kind
	}{
		{"not found", fmt.Errorf("s3: %w", blob.ErrNotFound), NotFound, Unavailable}, // to put: the bucket, which somebody may make
		{"temporary", fmt.Errorf("s3: %w: 503", blob.ErrTemporary), Unavailable, Unavailable},
		{"too large", fmt.Errorf("s3: %w", blob.ErrTooLarge), TooLarge, TooLarge},
		{"unsupported", blob.ErrUnsupported, Unsupported, Unsupported},
		{"other", errors.New("access denied"), Internal, Internal},
		{"one with a kind", Errorf(Timeout, "too late"), Timeout, Timeout},
		{"deadline of a client", context.DeadlineExceeded, Internal, Internal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			have := stored(t, map[string]string{"mem://b/k.json": `{"data":1}`})
			items := []Item{{ID: "k", URL: "mem://b/k.json"}}
			for what, s := range map[string]blob.Store{"get": failing{have, tt.err, nil}, "put": failing{have, nil, tt.err}} {
				want := tt.get
				if what == "put" {
					want = tt.put
				}
				r := f.Each(t.Context(), items, Events{Store: s, Sink: "mem://out"})[0]
				if e := AsError(r.Err); e.Kind != want || !errors.Is(r.Err, tt.err) {
					t.Errorf("%s: got %v (%v), want %v", what, r.Err, e.Kind, want)
				} else if strings.Contains(e.Msg, "denied") {
					t.Errorf("%s: the caller is told %q", what, e.Msg)
				}
			}
		})
	}
	r := f.Each(t.Context(), []Item{{ID: "k", URL: "mem://b/k"}}, Events{Store: panicking{}})[0]
	if AsError(r.Err).Kind != Internal {
		t.Errorf("a panic: got %v", r.Err)
	}
}

func TestEachDoesNotScoreItsOwnResults(t *testing.T) {
	t.Parallel()
	f := newTest(t, picky, nil)
	for _, tt := range []struct {
		sink, url string
		want      bool
	}{
		{"s3://b/out", "s3://b/out/b/in/a.json.json", true},
		{"s3://b/out/", "S3://b/out/b/a.json", true},
		{"s3://b", "s3://b/b/a.json", true},
		{"https://h/c/out?sig=1", "https://h/c/out/h/c/in/a.json.json?sig=2", true},
		{"s3://b/out", "s3://b/out/in/a.json", false},
		{"s3://b/out", "s3://b/outer/b/a.json", false},
		{"s3://b", "s3://b/in/a.json", false},
		{"s3://b/out", "s3://c/out/b/a.json", false},
		{"s3://b/out", "gs://b/out/b/a.json", false},
	} {
		store := stored(t, map[string]string{tt.url: `{"data":1}`})
		r := f.Each(t.Context(), []Item{{ID: "k", URL: tt.url}}, Events{Store: store, Sink: tt.sink})[0]
		if got := r.Err != nil && AsError(r.Err).Kind == Invalid; got != tt.want {
			t.Errorf("%s of %s: got %v", tt.sink, tt.url, r.Err)
		}
	}
}
