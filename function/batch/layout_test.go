package batch_test

import (
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/tensor"
)

func fixed(name string, d tensor.DType, shape ...int64) tensor.Spec {
	return tensor.Spec{Name: name, Type: tensor.Type{DType: d, Ranked: true, Shape: shape, Symbols: make([]string, len(shape))}}
}

func optional(s tensor.Spec) tensor.Spec {
	s.Optional = true
	return s
}

func TestWhichDeclarationsHaveRows(t *testing.T) {
	t.Parallel()
	x, y := rows("x", tensor.Float32, 3), rows("y", tensor.Float32)
	open := tensor.Spec{Name: "x", Type: tensor.Type{DType: tensor.Float32}}
	seq := tensor.Spec{Name: "s", Type: tensor.Type{Kind: tensor.KindSequence, Elem: &tensor.Type{DType: tensor.Float32}}}
	for name, test := range map[string]struct {
		in, out []tensor.Spec
		want    string // "" when it has
	}{
		"rows":                        {[]tensor.Spec{x}, []tensor.Spec{y}, ""},
		"two inputs":                  {[]tensor.Spec{x, rows("z", tensor.String)}, []tensor.Spec{y, y}, ""},
		"a scalar besides":            {[]tensor.Spec{x, fixed("sr", tensor.Int64)}, []tensor.Spec{y}, ""},
		"a default besides":           {[]tensor.Spec{x, optional(fixed("factor", tensor.Float32, 1))}, []tensor.Spec{y}, ""},
		"a default of rows":           {[]tensor.Spec{x, optional(rows("mask", tensor.Float32))}, []tensor.Spec{y}, ""},
		"an output of open rank":      {[]tensor.Spec{x}, []tensor.Spec{open}, ""},
		"a fixed first dimension":     {[]tensor.Spec{fixed("x", tensor.Float32, 1, 3)}, []tensor.Spec{y}, `input "x" is float32[1,3]`},
		"one of two inputs fixed":     {[]tensor.Spec{x, fixed("z", tensor.Float32, 3)}, []tensor.Spec{y}, `input "z"`},
		"an input of open rank":       {[]tensor.Spec{open}, []tensor.Spec{y}, `input "x" is float32[...]`},
		"a sequence in":               {[]tensor.Spec{x, seq}, []tensor.Spec{y}, `input "s" is seq(`},
		"half a byte an element":      {[]tensor.Spec{rows("x", tensor.Int4, 3)}, []tensor.Spec{y}, `input "x" is int4`},
		"no inputs":                   {nil, []tensor.Spec{y}, "no rows"},
		"scalars alone":               {[]tensor.Spec{fixed("sr", tensor.Int64)}, []tensor.Spec{y}, "no rows"},
		"no outputs":                  {[]tensor.Spec{x}, nil, "no rows"},
		"a sequence out":              {[]tensor.Spec{x}, []tensor.Spec{seq}, ""},
		"a map out":                   {[]tensor.Spec{x}, []tensor.Spec{{Name: "m", Type: tensor.Type{Kind: tensor.KindMap, DType: tensor.Int64, Elem: &y.Type}}}, `output "m" is map(`},
		"a scalar out":                {[]tensor.Spec{x}, []tensor.Spec{fixed("y", tensor.Float32)}, `output "y" is float32[]`},
		"a fixed first dimension out": {[]tensor.Spec{x}, []tensor.Spec{fixed("y", tensor.Float32, 10)}, `output "y" is float32[10]`},
	} {
		_, err := batch.New(&model{}, test.in, test.out, batch.Options{Rows: 2, Runs: 1})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestWhatIsNotARowMustBeEqual(t *testing.T) {
	t.Parallel()
	l, err := batch.NewLayout([]tensor.Spec{
		rows("x", tensor.Float32, -1), fixed("sr", tensor.Int64), optional(fixed("f", tensor.Float32, 1)), optional(rows("mask", tensor.Float32)),
	}, []tensor.Spec{rows("y", tensor.Float32)})
	if err != nil {
		t.Fatal(err)
	}
	x, sr, f, none := tensor.Of([]float32{1, 2}, 1, 2), tensor.Scalar(int64(16000)), tensor.Of([]float32{2}), tensor.None()
	base := []tensor.Value{x, sr, f, none}
	for name, test := range map[string]struct {
		in   []tensor.Value
		want bool
	}{
		"the same":             {base, true},
		"more rows":            {[]tensor.Value{tensor.Of([]float32{1, 2, 3, 4}, 2, 2), sr, f}, true},
		"another width":        {[]tensor.Value{tensor.Of([]float32{1, 2}, 2, 1), sr, f}, false},
		"another scalar":       {[]tensor.Value{x, tensor.Scalar(int64(8000)), f}, false},
		"another value":        {[]tensor.Value{x, sr, tensor.Of([]float32{3})}, false},
		"the default instead":  {[]tensor.Value{x, sr, none}, false},
		"the default left out": {[]tensor.Value{x, sr}, false},
	} {
		if got := l.Alike(base, test.in) && l.Alike(test.in, base); got != test.want {
			t.Errorf("%s: alike %v", name, got)
		}
	}
	if n, ok := l.Rows(base); n != 1 || !ok {
		t.Errorf("%d rows, %v", n, ok)
	}
	if _, ok := l.Rows([]tensor.Value{x, sr, none, tensor.Of([]float32{1})}); ok {
		t.Error("a given default of rows can be joined")
	}
}

// FuzzJoinThenSplit: what calls put in, each gets out again, whatever its type and size; aligned, and in memory of its own.
func FuzzJoinThenSplit(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint8(1), uint8(2), "text")
	f.Add([]byte{5, 0, 1, 200}, uint8(11), uint8(0), "")
	f.Add([]byte{2, 2}, uint8(2), uint8(7), "a\x00b")
	types := []tensor.DType{tensor.Float32, tensor.Int8, tensor.Uint16, tensor.Float64, tensor.Bool, tensor.BFloat16, tensor.Complex128}
	f.Fuzz(func(t *testing.T, counts []byte, kind, width uint8, text string) {
		d, w := types[int(kind)%len(types)], int64(width%16)
		specs := []tensor.Spec{rows("numbers", d, -1), fixed("scalar", tensor.Float32), rows("words", tensor.String, 2)}
		l, err := batch.NewLayout(specs, specs[:1])
		if err != nil {
			t.Fatal(err)
		}
		scalar := tensor.Scalar(float32(kind))
		var calls [][]tensor.Value
		total := 0
		for i, c := range counts[:min(len(counts), 20)] {
			n := int64(c%9) + 1
			total += int(n)
			size, _ := d.Bytes(int(n * w))
			data := make([]byte, size)
			for k := range data {
				data[k] = byte(i*31 + k)
			}
			words := make([]string, 2*n)
			for k := range words {
				words[k] = text + string(binary.AppendVarint(nil, int64(i*1000+k)))
			}
			calls = append(calls, []tensor.Value{
				{Tensor: tensor.Tensor{DType: d, Shape: []int64{n, w}, Data: data}}, scalar, tensor.OfStrings(words, n, 2),
			})
		}
		if len(calls) == 0 {
			return
		}
		joined, part := tensor.GetBatch(), tensor.GetBatch()
		defer joined.Release()
		defer part.Release()
		l.Join(calls, joined)
		if !l.Alike(calls[0], joined.Values) || !reflect.DeepEqual(joined.Values[1].Data, scalar.Data) {
			t.Fatalf("joined %v of %v", joined.Values, calls)
		}
		for i := range joined.Values {
			if b := joined.Values[i].Data; len(b) > 0 && uintptr(unsafe.Pointer(unsafe.SliceData(b)))%64 != 0 {
				t.Fatalf("input %d is not aligned", i)
			}
		}
		outputs := []tensor.Value{joined.Values[0], joined.Values[2]}
		from := 0
		for _, c := range calls {
			n := int(c[0].Shape[0])
			batch.Split(outputs, from, n, total, part)
			for k, want := range []tensor.Value{c[0], c[2]} {
				got := part.Values[k]
				if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || string(got.Data) != string(want.Data) || !slices.Equal(got.Strings, want.Strings) {
					t.Fatalf("rows %d to %d: got %v, want %v", from, from+n, got, want)
				}
			}
			from += n
		}
	})
}
