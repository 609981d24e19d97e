package batch_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/tensor"
)

// plain is a model that is one function of its inputs, which every input fits that it does not refuse.
type plain func(in []tensor.Value) ([]tensor.Value, error)

func (plain) Check([]tensor.Value) error { return nil }

func (p plain) InferBatch(_ context.Context, in []tensor.Value, out *tensor.Batch) error {
	values, err := p(in)
	if err != nil {
		return err
	}
	out.Reset(len(values))
	copy(out.Values, values)
	return nil
}

func data[T tensor.Element](v tensor.Value) []T {
	d, err := tensor.Data[T](v.Tensor)
	if err != nil {
		panic(err)
	}
	return d
}

// each answers a float32 a row of float32[N,4].
func each(f func(row, all []float32, n int) float32) plain {
	return func(in []tensor.Value) ([]tensor.Value, error) {
		x, n := data[float32](in[0]), int(in[0].Shape[0])
		y := make([]float32, n)
		for i := range y {
			y[i] = f(x[4*i:4*i+4], x, n)
		}
		return []tensor.Value{tensor.Of(y)}, nil
	}
}

func TestCheckFindsModelsThatMixRows(t *testing.T) {
	t.Parallel()
	sum := func(x []float32) (s float32) {
		for _, v := range x {
			s += v
		}
		return s
	}
	nan := float32(math.NaN())
	for name, test := range map[string]struct {
		m    plain
		want string // "" when rows may be joined
	}{
		"a row by itself":         {each(func(row, _ []float32, _ int) float32 { return sum(row) }), ""},
		"the mean of all rows":    {each(func(_, all []float32, n int) float32 { return sum(all) / float32(n) }), "row 0 of 2"},
		"a share of all rows":     {each(func(row, all []float32, _ int) float32 { return sum(row) / sum(all) }), "alike"},
		"the number of rows":      {each(func(row, _ []float32, n int) float32 { return sum(row) + float32(n) }), "row 0 of 2"},
		"bad in large runs alone": {each(func(row, all []float32, n int) float32 { return sum(row) + sum(all[:max(0, n-2)]) }), "row 0 of 8"},
		"another last digit":      {each(func(row, _ []float32, n int) float32 { return sum(row) * (1 + 1e-6*float32(n)) }), ""},
		"another fourth digit":    {each(func(row, _ []float32, n int) float32 { return sum(row) * (1 + 1e-4*float32(n)) }), "row 0 of 2"},
		"NaN beside numbers": {each(func(row, _ []float32, _ int) float32 {
			if row[0] > row[1] {
				return nan
			}
			return sum(row)
		}), ""},
		"NaN when joined": {each(func(row, _ []float32, n int) float32 {
			if n > 1 {
				return nan
			}
			return sum(row)
		}), "NaN"},
		"the same whatever the row": {each(func(_, _ []float32, _ int) float32 { return 1 }), "alike"},
		"one answer for all rows": {func(in []tensor.Value) ([]tensor.Value, error) {
			return []tensor.Value{tensor.Of([]float32{sum(data[float32](in[0]))})}, nil
		}, "not a row for each row"},
		"integers that differ": {func(in []tensor.Value) ([]tensor.Value, error) {
			y := make([]int64, in[0].Shape[0])
			for i := range y {
				y[i] = int64(1000*data[float32](in[0])[4*i]) + in[0].Shape[0]
			}
			return []tensor.Value{tensor.Of(y)}, nil
		}, "output 0: it differs"},
		"refuses two rows": {func(in []tensor.Value) ([]tensor.Value, error) {
			if in[0].Shape[0] > 1 {
				return nil, errors.New("one at a time")
			}
			return []tensor.Value{tensor.Of([]float32{data[float32](in[0])[0]})}, nil
		}, "failed in one run: one at a time"},
		"refuses what is made up": {func([]tensor.Value) ([]tensor.Value, error) { return nil, errors.New("no such thing") }, "put a sample.json"},
	} {
		j, err := batch.New(test.m, []tensor.Spec{rows("x", tensor.Float32, 4)}, []tensor.Spec{{Name: "y", Type: tensor.Type{DType: tensor.Float32}}}, batch.Options{Rows: 8, Runs: 1})
		if err != nil {
			t.Fatal(err)
		}
		err = j.Check(t.Context())
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) || j.On() != (err == nil) {
			t.Errorf("%s: got %v, want %q; on: %v", name, err, test.want, j.On())
		}
	}
}

// The call before the check shows what the model takes: here, indices of a table of 3.
func TestCheckTriesRowsLikeTheSample(t *testing.T) {
	t.Parallel()
	table := []float32{5, 6, 7}
	seen := map[int64]bool{}
	lookUp := plain(func(in []tensor.Value) ([]tensor.Value, error) {
		ids := data[int64](in[0])
		y := make([]float32, len(ids))
		for i, id := range ids {
			if id < 1 || id > 3 {
				return nil, errors.New("no such row in the table")
			}
			seen[id] = true
			y[i] = table[id-1]
		}
		return []tensor.Value{tensor.Of(y, in[0].Shape...)}, nil
	})
	in, out := []tensor.Spec{rows("id", tensor.Int64)}, []tensor.Spec{rows("y", tensor.Float32)}
	for name, test := range map[string]struct {
		sample []int64
		want   string
	}{
		"no sample":           {nil, "put a sample.json"},
		"a sample of one row": {[]int64{3}, ""}, // 1 is tried besides
		"two rows":            {[]int64{3, 2}, ""},
		"equal rows":          {[]int64{2, 2, 2}, "answered alike"},
	} {
		j, err := batch.New(lookUp, in, out, batch.Options{Rows: 8, Runs: 1})
		if err != nil {
			t.Fatal(err)
		}
		if test.sample != nil {
			if err := j.InferBatch(t.Context(), []tensor.Value{tensor.Of(test.sample)}, new(tensor.Batch)); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Check(t.Context()); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestToleranceIsOfTheType(t *testing.T) {
	t.Parallel()
	off := func(d tensor.DType, first, joined []byte) error {
		m := plain(func(in []tensor.Value) ([]tensor.Value, error) {
			n := int(in[0].Shape[0])
			var b []byte
			for i := range n {
				v := first
				if n > 1 {
					v = joined
				}
				b = append(b, v...)
				// One more element, which tells the rows apart and is the largest.
				b = append(b, make([]byte, len(v)-1)...)
				b = append(b, 0x30+data[uint8](in[0])[i]%4)
			}
			return []tensor.Value{{Tensor: tensor.Tensor{DType: d, Shape: []int64{int64(n), 2}, Data: b}}}, nil
		})
		j, err := batch.New(m, []tensor.Spec{rows("x", tensor.Uint8)}, []tensor.Spec{rows("y", d, 2)}, batch.Options{Rows: 2, Runs: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.InferBatch(t.Context(), []tensor.Value{tensor.Of([]uint8{1, 2, 3})}, new(tensor.Batch)); err != nil {
			t.Fatal(err)
		}
		return j.Check(t.Context())
	}
	for name, test := range map[string]struct {
		d             tensor.DType
		first, joined []byte
		ok            bool
	}{
		"float16, last bit":     {tensor.Float16, []byte{0, 0x3c}, []byte{1, 0x3c}, true},
		"float16, 1 and 1.25":   {tensor.Float16, []byte{0, 0x3c}, []byte{0, 0x3d}, false},
		"bfloat16, last bit":    {tensor.BFloat16, []byte{0x80, 0x3f}, []byte{0x81, 0x3f}, true},
		"bfloat16, 1 and 2":     {tensor.BFloat16, []byte{0x80, 0x3f}, []byte{0x00, 0x40}, false},
		"float64, last bits":    {tensor.Float64, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, []byte{9, 0, 0, 0, 0, 0, 0xf0, 0x3f}, true},
		"float64, tenth digits": {tensor.Float64, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, []byte{0, 0, 0, 9, 0, 0, 0xf0, 0x3f}, false},
		"int8":                  {tensor.Int8, []byte{1}, []byte{2}, false},
		"float8":                {tensor.Float8E5M2, []byte{0x3c}, []byte{0x3d}, false},
	} {
		if err := off(test.d, test.first, test.joined); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
