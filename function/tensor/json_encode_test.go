package tensor

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	mapped := Value{Kind: KindMap, Items: []Value{Of([]int64{0, -7}), Of([]float32{0.93, 0.07})}}
	for _, c := range []struct {
		v          Value
		want, with string // with: as tokens, if that differs
	}{
		{Scalar(float32(0.1)), `0.1`, ""},
		{Scalar(true), `true`, ""},
		{Of([]float32{1, -2.5, 0.3, 1.0 / 3}, 2, 2), `[[1.0,-2.5],[0.3,0.33333334]]`, ""},
		{Of([]float32{nan, inf, -inf}), `[null,null,null]`, `[NaN,Infinity,-Infinity]`},
		{Of([]float64{math.NaN(), math.Inf(-1), 0.1, 1e16, 1e15, 1e-5, 1e-4, 5e-324, 1e100, -0.5, 123456789}), `[null,null,0.1,1e+16,1000000000000000.0,1e-05,0.0001,5e-324,1e+100,-0.5,123456789.0]`, `[NaN,-Infinity,0.1,1e+16,1000000000000000.0,1e-05,0.0001,5e-324,1e+100,-0.5,123456789.0]`},
		{Of([]float64{math.Copysign(0, -1), 0}), `[-0.0,0.0]`, ""},
		{Of([]float32{}, 0, 3), `[]`, ""},
		{Of([]float32{}, 3, 0), `[[],[],[]]`, ""},
		{Of([]float32{}, 2, 0, 5), `[[],[]]`, ""},
		{Of([]float32{}, 2, 1, 0), `[[[]],[[]]]`, ""},
		{Of([]int64{math.MinInt64, math.MaxInt64, 1<<53 + 1}), `[-9223372036854775808,9223372036854775807,9007199254740993]`, ""},
		{Of([]uint64{math.MaxUint64}), `[18446744073709551615]`, ""},
		{Of([]uint8{0, 255}, 1, 2), `[[0,255]]`, ""},
		{OfStrings([]string{"a\"\\", "\x00\n", "<&>é\u2028"}), `["a\"\\","\u0000\n","<&>é` + "\u2028" + `"]`, ""},
		{None(), `null`, ""},
		{mapped, `{"0":0.93,"-7":0.07}`, ""},
		{Value{Kind: KindSequence, Items: []Value{mapped, Of([]int8{1}), None()}}, `[{"0":0.93,"-7":0.07},[1],null]`, ""},
		{Value{Kind: KindSequence}, `[]`, ""},
		{Value{Kind: KindMap, Items: []Value{OfStrings([]string{"b", "a"}), OfStrings([]string{"x", "y"})}}, `{"b":"x","a":"y"}`, ""},
	} {
		got, err := c.v.AppendJSON([]byte("-"), EncodeOptions{})
		if err != nil || string(got) != "-"+c.want || !json.Valid(got[1:]) {
			t.Errorf("got %s %v, want %s", got, err, c.want)
		}
		if c.with == "" {
			c.with = c.want
		}
		if got, err = c.v.AppendJSON(nil, EncodeOptions{NonFinite: NonFiniteToken}); err != nil || string(got) != c.with {
			t.Errorf("got %s %v, want %s", got, err, c.with)
		}
	}
}

func TestFloat32Text(t *testing.T) {
	t.Parallel()
	for f, want := range map[float32]string{
		0: "0.0", 1: "1.0", 100: "100.0", 16777216: "16777216.0", 1e16: "1e+16", 1e17: "1e+17", 1e15: "1000000000000000.0", 0.1: "0.1",
		0.0001: "0.0001", 0.00001: "1e-05", 1.5e-45: "1e-45", 3.4028235e38: "3.4028235e+38", 123456: "123456.0", 1234567.5: "1234567.5",
		-2.5: "-2.5", 1.0 / 3: "0.33333334", 0.5: "0.5", 0.3: "0.3",
	} {
		if got := string(appendFloat32(nil, f)); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}

func TestEncodeRefusesWhatIsNoValue(t *testing.T) {
	t.Parallel()
	tensor := func(d DType, data int, shape ...int64) Value {
		return Value{Tensor: Tensor{DType: d, Shape: shape, Data: make([]byte, data)}}
	}
	for name, c := range map[string]struct {
		v    Value
		want string
	}{
		"too few bytes":    {tensor(Float32, 7, 2), "7 bytes for float32 of shape [2]"},
		"too many bytes":   {tensor(Int4, 3, 3), "3 bytes for int4 of shape [3]"},
		"no bytes":         {tensor(Float64, 0), "0 bytes for float64"},
		"negative":         {tensor(Float32, 4, -1), "not possible"},
		"overflow":         {tensor(Float32, 4, 1<<40, 1<<40), "not possible"},
		"endless brackets": {tensor(Float32, 0, 1<<40, 0), "too many empty arrays"},
		"complex":          {tensor(Complex64, 8, 1), "complex64 is not written"},
		"undefined":        {tensor(Undefined, 8, 1), "undefined is not written"},
		"unknown type":     {tensor(DType(99), 8, 1), "dtype99 is not written"},
		"strings":          {Value{Tensor: Tensor{DType: String, Shape: []int64{2}, Strings: []string{"a"}}}, "1 strings"},
		"not UTF-8":        {OfStrings([]string{"a", "\xff"}), "not valid UTF-8"},
		"map":              {Value{Kind: KindMap, Items: []Value{Of([]int64{1})}}, "keys and values"},
		"map sizes":        {Value{Kind: KindMap, Items: []Value{Of([]int64{1}), Of([]int64{1, 2})}}, "1 keys and 2 values"},
		"map keys":         {Value{Kind: KindMap, Items: []Value{Of([]float32{1}), Of([]int64{1})}}, "keys of type float32"},
		"kind":             {Value{Kind: KindOpaque}, "unknown kind"},
		"inside":           {Value{Kind: KindSequence, Items: []Value{tensor(Float32, 7, 2)}}, "7 bytes"},
	} {
		if got, err := c.v.AppendJSON(nil, EncodeOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, c.want)
		}
	}
}

func TestAppendObject(t *testing.T) {
	t.Parallel()
	got, err := AppendObject(nil, []string{"label", "p/q:0"}, []Value{Of([]int64{1}), Scalar(float32(0.5))}, EncodeOptions{})
	if want := `{"label":[1],"p/q:0":0.5}`; err != nil || string(got) != want {
		t.Errorf("got %s %v, want %s", got, err, want)
	}
	if got, err := AppendObject(nil, nil, nil, EncodeOptions{}); err != nil || string(got) != "{}" {
		t.Error(string(got), err)
	}
	if _, err := AppendObject(nil, []string{"a"}, nil, EncodeOptions{}); err == nil {
		t.Error("a name without a value is accepted")
	}
	if _, err := AppendObject(nil, []string{"a"}, []Value{OfStrings([]string{"\xff"})}, EncodeOptions{}); err == nil || !strings.Contains(err.Error(), `output "a"`) {
		t.Error(err)
	}
}

func TestValuesInsideOtherJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(map[string]any{"p": Of([]float32{0.5, float32(math.NaN())}), "n": 1})
	if want := `{"n":1,"p":[0.5,null]}`; err != nil || string(got) != want {
		t.Errorf("got %s %v, want %s", got, err, want)
	}
}

func specOf(v Value) Spec {
	shape := make([]int64, len(v.Shape))
	for i := range shape {
		shape[i] = -1
	}
	return in(v.DType, shape...)
}

// checkIdentity: what is encoded decodes to the same bits, NaN for NaN.
func checkIdentity(t *testing.T, v Value) {
	t.Helper()
	text, err := v.AppendJSON(nil, EncodeOptions{NonFinite: NonFiniteToken})
	if err != nil {
		t.Fatal(err)
	}
	spec := specOf(v)
	for k, n := range v.Shape {
		if n == 0 { // what is inside an empty array is known from the declaration alone
			copy(spec.Shape[k:], v.Shape[k:])
			break
		}
	}
	b := new(Batch)
	if err := NewDecoder([]Spec{spec}, DecodeOptions{}).JSON(text, b); err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
	got := b.Values[0]
	if again, err := got.AppendJSON(nil, EncodeOptions{NonFinite: NonFiniteToken}); err != nil || !bytes.Equal(again, text) {
		t.Fatalf("%v: %.200s becomes %.200s, %v", spec.Type, text, again, err)
	}
	if !bytes.Equal(got.Data, v.Data) && !bytes.Contains(text, []byte("NaN")) {
		t.Fatalf("%v: %.200s is not the same bits", spec.Type, text)
	}
	if len(got.Shape) != len(v.Shape) {
		t.Fatalf("%v becomes %v", v.Shape, got.Shape)
	}
	for k := range got.Shape {
		if got.Shape[k] != v.Shape[k] {
			t.Fatalf("%v becomes %v", v.Shape, got.Shape)
		}
	}
}

var numeric = []DType{
	Float32, Float64, Float16, BFloat16, Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64, Bool, Int4, Uint4, Int2, Uint2,
	Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0, Float4E2M1,
}

// random is a tensor of any bits that d can have.
func random(r *rand.Rand, d DType, shape ...int64) Value {
	n, _ := Elements(shape)
	size, _ := d.Bytes(n)
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(r.Uint32())
		if d == Bool {
			data[i] &= 1
		}
	}
	if unused := size*8 - n*d.Bits(); unused > 0 { // what pads the last byte
		data[size-1] &= 1<<(8-unused) - 1
	}
	return Value{Tensor: Tensor{DType: d, Shape: shape, Data: data}}
}

func TestEveryTypeSurvivesTheText(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 9))
	for _, d := range numeric {
		for _, shape := range [][]int64{{}, {0}, {1}, {2, 3}, {3, 0}, {0, 3}, {3, 5, 7}, {2, 0, 4}, {1000}} {
			checkIdentity(t, random(r, d, shape...))
		}
	}
}
