package onnx_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/scorefn/scorefn/function/onnx"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
	"github.com/scorefn/scorefn/function/tensor"
)

func models() map[string]onnxtest.Model {
	f := onnxtest.T(tensor.Float32, "N", 3, "")
	return map[string]onnxtest.Model{
		"affine":   onnxtest.Affine(2, 3),
		"zipmap":   onnxtest.ZipMap(),
		"map":      onnxtest.Vectorize(),
		"sequence": onnxtest.Pair(tensor.Int64),
		"optional": onnxtest.Absent(),
		"nested":   onnxtest.FromOptional(onnxtest.Seq(f)),
		"default":  onnxtest.Scale(),
		"none":     onnxtest.Constant(tensor.Scalar(int64(1))),
		"scalar":   onnxtest.Identity(onnxtest.T(tensor.Float32)),
		"any rank": onnxtest.Identity(onnxtest.AnyRank(tensor.String)),
		"dims":     onnxtest.Identity(f),
		"loop":     onnxtest.Long(4),
		"external": onnxtest.External(),
		"function": withFunction(),
		"int4":     onnxtest.Cast(tensor.Int4, tensor.Uint4),
	}
}

// withFunction calls a model-local function that holds a Neg, from inside an If.
func withFunction() onnxtest.Model {
	f := onnxtest.T(tensor.Float32, "N")
	branch := func(op, domain string) onnxtest.Graph {
		return onnxtest.Graph{
			Outputs: []tensor.Spec{onnxtest.In("r", f)},
			Nodes:   []onnxtest.Node{{Op: op, Domain: domain, Inputs: []string{"x"}, Outputs: []string{"r"}}},
		}
	}
	return onnxtest.Model{
		Domains:   map[string]int64{"mine": 1},
		Functions: []onnxtest.Function{{Domain: "mine", Name: "Minus", Inputs: []string{"a"}, Outputs: []string{"b"}, Nodes: []onnxtest.Node{{Op: "Neg", Inputs: []string{"a"}, Outputs: []string{"b"}}}}},
		Graph: onnxtest.Graph{
			Inputs:  []tensor.Spec{onnxtest.In("c", onnxtest.T(tensor.Bool)), onnxtest.In("x", f)},
			Outputs: []tensor.Spec{onnxtest.In("y", f)},
			Nodes: []onnxtest.Node{{
				Op: "If", Inputs: []string{"c"}, Outputs: []string{"y"},
				Attrs: []onnxtest.Attr{onnxtest.Body("then_branch", branch("Abs", "")), onnxtest.Body("else_branch", branch("Minus", "mine"))},
			}},
		},
	}
}

func TestSignatureIsWhatWasBuilt(t *testing.T) {
	t.Parallel()
	for name, m := range models() {
		sig, err := onnx.ReadSignature(m.Temp(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantIn, wantOut := m.Inputs, m.Outputs
		if name == "default" { // the one that may be left out comes last
			factor := m.Inputs[0]
			factor.Optional = true
			wantIn = []tensor.Spec{m.Inputs[1], factor}
		}
		if !reflect.DeepEqual(sig.Inputs, wantIn) || !reflect.DeepEqual(sig.Outputs, wantOut) {
			t.Errorf("%s: got %v -> %v, want %v -> %v", name, sig.Inputs, sig.Outputs, wantIn, wantOut)
		}
	}
}

func TestSignatureAndSessionAgree(t *testing.T) {
	t.Parallel()
	for name, m := range models() {
		s := open(t, m) // which compares kinds, names and element types itself
		own, err := s.OwnSpecs()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := append(own[0], own[1]...)
		if len(got) != len(s.Inputs()) {
			t.Errorf("%s: %d inputs, want %d", name, len(got), len(s.Inputs()))
			continue
		}
		for i, in := range s.Inputs() { // symbols, open ranks and rank 0 as well
			if got[i].String() != in.String() || got[i].Ranked != in.Ranked || got[i].Optional != in.Optional {
				t.Errorf("%s: the session says %v, the file %v", name, got[i], in)
			}
		}
	}
}

func TestOutputWithoutATypeHasTheInferredOne(t *testing.T) {
	t.Parallel()
	m := onnxtest.Affine(2, 3)
	m.Outputs[0].Type = tensor.Type{Kind: tensor.KindOpaque}
	if got := open(t, m).Outputs()[0].String(); got != "float32[N,3]" {
		t.Errorf("got %s", got)
	}
}

func TestDisagreementIsNamed(t *testing.T) {
	t.Parallel()
	s := open(t, onnxtest.Affine(2, 3))
	own, err := s.OwnSpecs()
	if err != nil {
		t.Fatal(err)
	}
	f := onnxtest.T(tensor.Float32, "N", 2)
	out := []tensor.Spec{onnxtest.In("y", f)}
	for _, test := range []struct {
		sig  onnx.Signature
		want string
	}{
		{onnx.Signature{Inputs: []tensor.Spec{onnxtest.In("other", f)}, Outputs: out}, `"other"`},
		{onnx.Signature{Inputs: []tensor.Spec{onnxtest.In("x", onnxtest.T(tensor.Int8, "N", 2))}, Outputs: out}, `int8[N,2]`},
		{onnx.Signature{Inputs: []tensor.Spec{onnxtest.In("x", onnxtest.Seq(f))}, Outputs: out}, `seq(`},
		{onnx.Signature{Outputs: out}, `lists 0`},
	} {
		if err := onnx.Agree(&test.sig, own); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

func TestOperatorsOfSubgraphsAndFunctionsCount(t *testing.T) {
	t.Parallel()
	s := open(t, withFunction())
	for _, c := range []bool{true, false} {
		if got := floats(t, infer(t, s, tensor.Scalar(c), tensor.Of([]float32{-2}))[0])[0]; got != 2 {
			t.Errorf("%v: got %v", c, got)
		}
	}
	for _, test := range []struct {
		m    onnxtest.Model
		want map[string]int
	}{
		{withFunction(), map[string]int{"If": 1, "Abs": 1, "mine.Minus": 1, "Neg": 1}},
		{onnxtest.Long(2), map[string]int{"Loop": 1, "Identity": 1, "MatMul": 1}},
		{onnxtest.ZipMap(), map[string]int{"ai.onnx.ml.ZipMap": 1}},
	} {
		sig, err := onnx.ReadSignatureBytes(test.m.Bytes())
		if err != nil || !maps.Equal(sig.Ops, test.want) {
			t.Errorf("got %v, %v, want %v", sig, err, test.want)
		}
	}
}

func TestORTFilesTellTheirSignature(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	for name, m := range models() {
		switch name {
		case "external", "int4":
			continue
		case "optional", "nested":
			continue // "We do not support type [9] for now"
		case "none":
			continue // the shape that was open is known after optimisation
		}
		m.Producer, m.Metadata = "me", [][2]string{{"k", "v"}}
		want := open(t, m)
		s, err := onnx.Open(context.Background(), bake(t, m), onnx.Options{Threads: 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := s.Metadata()
		if !reflect.DeepEqual(texts(s.Inputs()), texts(want.Inputs())) || !reflect.DeepEqual(texts(s.Outputs()), texts(want.Outputs())) {
			t.Errorf("%s: got %v -> %v, want %v -> %v", name, s.Inputs(), s.Outputs(), want.Inputs(), want.Outputs())
		}
		if got.Producer != "me" || got.Custom["k"] != "v" {
			t.Errorf("%s: metadata %+v", name, got)
		}
		if name == "affine" {
			if y := floats(t, infer(t, s, tensor.Of([]float32{1, 2}, 1, 2))[0]); y[0] != 5 {
				t.Errorf("got %v", y)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func texts(specs []tensor.Spec) (all []string) {
	for _, s := range specs {
		all = append(all, s.Name+" "+s.String())
	}
	return all
}

// bake writes m in ONNX Runtime's own format, as a session does for itself.
func bake(t *testing.T, m onnxtest.Model) string {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "model.ort")
	o, err := ort.NewSessionOptions()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Destroy() }()
	if err := errors.Join(o.SetOptimizedModelFilePath(out), o.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableExtended),
		o.AddSessionConfigEntry("session.save_model_format", "ORT")); err != nil {
		t.Fatal(err)
	}
	s, err := ort.NewDynamicAdvancedSession(m.Write(t, dir), nil, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Destroy(); err != nil {
		t.Fatal(err)
	}
	return out
}

// damage must not be able to make the walk crash, hang or take the memory.
func TestDamagedSignatures(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	start := time.Now()
	for _, m := range models() {
		whole := m.Bytes()
		for n := range whole { // cut: anything but the whole is an error, or lacks the end
			if sig, err := onnx.ReadSignatureBytes(whole[:n]); (sig == nil) == (err == nil) {
				t.Fatalf("cut at %d: %v, %v", n, sig, err)
			}
		}
		for range 2000 {
			b := append([]byte(nil), whole...)
			for range 1 + rng.IntN(4) {
				b[rng.IntN(len(b))] ^= byte(1 << rng.IntN(8))
			}
			if sig, err := onnx.ReadSignatureBytes(b); (sig == nil) == (err == nil) {
				t.Fatalf("% x: %v, %v", b, sig, err)
			}
		}
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v", took)
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	t.Parallel()
	g := onnxtest.Graph{Nodes: []onnxtest.Node{{Op: "Abs"}}}
	typ := onnxtest.T(tensor.Float32)
	for range 200 {
		g = onnxtest.Graph{Nodes: []onnxtest.Node{{Op: "If", Attrs: []onnxtest.Attr{onnxtest.Body("then_branch", g)}}}}
		typ = onnxtest.Seq(typ)
	}
	for _, m := range []onnxtest.Model{{Graph: g}, onnxtest.Identity(typ)} {
		if _, err := onnx.ReadSignatureBytes(m.Bytes()); err == nil {
			t.Error("no error")
		}
	}
}

func TestReadSignatureErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := onnx.ReadSignature(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := onnx.ReadSignature(dir); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("got %v", err)
	}
}

func FuzzReadSignature(f *testing.F) {
	seeds := 0
	for _, m := range models() {
		f.Add(m.Bytes())
		seeds++
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sig, err := onnx.ReadSignatureBytes(b)
		if (sig == nil) == (err == nil) {
			t.Fatalf("%v, %v", sig, err)
		}
		if sig == nil {
			return
		}
		texts(sig.Inputs) // every type can be printed
		texts(sig.Outputs)
	})
}

func BenchmarkReadSignature(b *testing.B) {
	path := onnxtest.MLP(512, 2048, 10, 1).Temp(b)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ReportMetric(float64(info.Size()), "file-bytes")
	for b.Loop() {
		if _, err := onnx.ReadSignature(path); err != nil {
			b.Fatal(err)
		}
	}
}
