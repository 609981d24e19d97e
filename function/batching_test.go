package function

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/modeldir"
	"github.com/scorefn/scorefn/function/tensor"
)

// doubler is a script whose model answers y = 2x for rows of one number, but not for 13.
type doubler struct {
	*batch.Joiner
	mu   sync.Mutex
	runs []int // rows of each
}

var numbers = tensor.Type{DType: tensor.Float64, Ranked: true, Shape: []int64{-1}, Symbols: []string{"N"}}

func (d *doubler) Batch(o batch.Options) (*batch.Joiner, error) {
	j, err := batch.New(doubling{d}, []tensor.Spec{{Name: "x", Type: numbers}}, []tensor.Spec{{Name: "y", Type: numbers}}, o)
	d.Joiner = j
	return j, err
}

func (d *doubler) Sample() []byte { return []byte(`{"data":[1,2,3]}`) }

func (d *doubler) Run(ctx context.Context, data json.RawMessage) (any, error) {
	var x []float64
	if err := json.Unmarshal(data, &x); err != nil {
		return nil, err
	}
	var out tensor.Batch
	if err := d.InferBatch(ctx, []tensor.Value{tensor.Of(x)}, &out); err != nil {
		return nil, err
	}
	return tensor.Data[float64](out.Values[0].Tensor)
}

// doubling is the model of a doubler.
type doubling struct{ d *doubler }

func (doubling) Check([]tensor.Value) error { return nil }

func (m doubling) InferBatch(_ context.Context, in []tensor.Value, out *tensor.Batch) error {
	x, err := tensor.Data[float64](in[0].Tensor)
	if err != nil {
		return err
	}
	m.d.mu.Lock()
	m.d.runs = append(m.d.runs, len(x))
	m.d.mu.Unlock()
	if slices.Contains(x, 13) {
		return Errorf(Invalid, "13 brings bad luck")
	}
	y := make([]float64, len(x))
	for i := range x {
		y[i] = 2 * x[i]
	}
	out.Reset(1)
	out.Values[0] = tensor.Of(y)
	return nil
}

func newDoubler(t *testing.T, env map[string]string) (*doubler, *Function) {
	t.Helper()
	d := &doubler{}
	f := New(func(context.Context, modeldir.Model) (Script, error) { return d, nil },
		WithModel(modeldir.Model{Name: "doubler"}), WithLogger(quiet), set(t, env))
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Init(t.Context()); err != nil {
		t.Fatal(Reason(err))
	}
	d.runs = nil // those of the check
	return d, f
}

func TestMessagesAndObjectsOfAnEventShareRuns(t *testing.T) {
	t.Parallel()
	d, f := newDoubler(t, map[string]string{"SCOREFN_BATCH": "8", "SCOREFN_CONCURRENCY": "1"})
	objects := map[string]string{}
	var items []Item
	var want []string
	for i := range 64 {
		id := fmt.Sprint("i", i)
		switch {
		case i%16 == 15:
			items = append(items, item(id, `[13]`))
			want = append(want, id+":"+Invalid.String())
			continue
		case i%16 == 14:
			items = append(items, Item{ID: id, Request: Request{Model: "other"}})
			want = append(want, id+":"+NotFound.String())
			continue
		case i%4 == 0:
			objects["mem://in/"+id+".json"] = fmt.Sprintf(`{"data":[%d]}`, i)
			items = append(items, Item{ID: id, URL: "mem://in/" + id + ".json"})
		default:
			items = append(items, item(id, fmt.Sprintf("[%d]", i)))
		}
		want = append(want, fmt.Sprintf("%s=[%d]", id, 2*i))
	}
	want[13] = "i13:" + Invalid.String() // it is 13 itself
	got := f.Each(t.Context(), items, Events{Store: stored(t, objects), Sink: "mem://out/"})
	if text := became(got); text != strings.Join(want, " ") {
		t.Errorf("got  %s\nwant %s", text, strings.Join(want, " "))
	}
	if slices.Max(d.runs) < 4 || slices.Max(d.runs) > 8 {
		t.Errorf("runs of %v rows", d.runs)
	}
}

func TestLinesOfAnObjectShareRuns(t *testing.T) {
	t.Parallel()
	d, f := newDoubler(t, map[string]string{"SCOREFN_BATCH": "8", "SCOREFN_CONCURRENCY": "1"})
	var lines, want strings.Builder
	for i := range 100 {
		switch {
		case i == 13:
			want.WriteString(`{"error": "13 brings bad luck"}` + "\n")
		case i%10 == 9:
			lines.WriteString("{\n\n")
			want.WriteString(`{"error": "POST body could not be decoded as JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"}` + "\n")
			continue
		default:
			fmt.Fprintf(&want, "[%d]\n", 2*i)
		}
		fmt.Fprintf(&lines, "{\"data\": [%d]}\n", i)
	}
	store := stored(t, map[string]string{"mem://in/numbers.jsonl": lines.String()})
	got := f.Each(t.Context(), []Item{{ID: "a", URL: "mem://in/numbers.jsonl"}}, Events{Store: store})[0]
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	if text := string(got.Response.Body); text != want.String() {
		t.Errorf("got %s\nwant %s", text, want.String())
	}
	if slices.Max(d.runs) < 4 || slices.Max(d.runs) > 8 {
		t.Errorf("runs of %v rows", d.runs)
	}
}

// warmDoubler is a doubler that needs no warm-up.
type warmDoubler struct{ *doubler }

func (warmDoubler) Warmed() bool { return true }

func TestTheSampleShowsWhatRowsLookLikeEvenWithoutAWarmUp(t *testing.T) {
	t.Parallel()
	d := &doubler{}
	f := New(func(context.Context, modeldir.Model) (Script, error) { return warmDoubler{d}, nil },
		WithModel(modeldir.Model{Name: "doubler"}), WithLogger(quiet), set(t, map[string]string{"SCOREFN_BATCH": "8"}))
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Init(t.Context()); err != nil {
		t.Fatal(Reason(err))
	}
	if !slices.Equal(d.runs, []int{3, 1, 1, 1, 2, 8}) || !d.On() { // the sample, its rows, the check's runs
		t.Errorf("runs of %v rows", d.runs)
	}
}

func TestOrderedItemsHaveRunsOfTheirOwn(t *testing.T) {
	t.Parallel()
	d, f := newDoubler(t, map[string]string{"SCOREFN_BATCH": "8"})
	got := f.Each(t.Context(), []Item{item("a", `[1]`), item("b", `[13]`), item("c", `[3]`)}, Events{Ordered: true})
	if text := became(got); text != "a=[2] b:"+Invalid.String()+" c:skipped" {
		t.Error(text)
	}
	if !slices.Equal(d.runs, []int{1, 1}) {
		t.Errorf("runs of %v rows", d.runs)
	}
}

func TestWithoutTheSettingTheScriptIsNotAsked(t *testing.T) {
	t.Parallel()
	asked := false
	f := New(func(context.Context, modeldir.Model) (Script, error) { return batcher{echo, &asked}, nil },
		WithModel(modeldir.Model{Name: "m"}), WithLogger(quiet), set(t, nil))
	t.Cleanup(func() { _ = f.Close() })
	if err := f.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := f.loaded()[0]; asked || s.joiner != nil || cap(s.gate.slots) != f.settings.VCPUs() {
		t.Errorf("asked: %v, joiner %v, %d slots", asked, s.joiner, cap(s.gate.slots))
	}
}

// batcher is a script that notes whether it is asked for a joiner.
type batcher struct {
	scriptFunc
	asked *bool
}

func (b batcher) Batch(batch.Options) (*batch.Joiner, error) {
	*b.asked = true
	return nil, errNoBatcher
}
