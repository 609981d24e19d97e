package tensor

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

var seeds = []string{
	`[[1.5,-2e3],[0,0.1]]`, `{"x":[1]}`, `[[],[]]`, `12345678901234567890123.5`, `[0.12345678901234567]`, `[[[1]]]`, `[1,[2]]`, `[[1],2]`,
	`[[[]],[1]]`, `[1,]`, `[01]`, `[1.]`, `[ 1 , 2 ] x`, `{"x":[1],"x":[2]}`, `{"x":{"a":1}}`, `[1e400]`, `[-0.0]`, `[9007199254740993]`, `["a"]`, `[true]`, `[null]`,
	`[[1,2],[3]]`, `[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]`, `"x\ud800"`, `[NaN]`, `[1`, `{}`, ``, `{"\u0078":[0.1,0.2,0.3]}`, "[\n1\t,\r2 ]",
	`[0.1,0.2,0.30000001192092896,0.4,0.5,0.6,0.7,0.8,0.9,1.0,1.1,1.2,123456789.123456789,1e10,1e-10]`,
}

func seed(f *testing.F, texts []string) {
	f.Helper()
	if len(texts) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range texts {
		f.Add([]byte(s))
	}
}

// What the decoder accepts, encoding/json accepts with the same numbers and shape, those things apart that only the decoder takes.
func FuzzDecodeAgainstEncodingJSON(f *testing.F) {
	seed(f, seeds)
	specs := []Spec{open(Float32), open(Float64), open(Int64), open(Uint8), open(Bool), open(String), in(Float32, -1, -1), in(Float16, 2)}
	decoders := make([]*Decoder, len(specs))
	for i := range specs {
		decoders[i] = NewDecoder(specs[i:i+1], DecodeOptions{})
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tokens := strings.Contains(string(text), "NaN") || strings.Contains(string(text), "Infinity")
		var want any
		dec := json.NewDecoder(strings.NewReader(string(text)))
		dec.UseNumber()
		jerr := dec.Decode(&want)
		valid := jerr == nil && json.Valid(text)
		if m, ok := want.(map[string]any); ok {
			want = m["x"]
		}
		for i, d := range decoders {
			b := GetBatch()
			if err := d.JSON(text, b); err != nil {
				if e, ok := errors.AsType[*Error](err); !ok || e.Offset > len(text) || e.Msg == "" || len(b.Values) != 0 {
					t.Fatalf("%q: %#v", text, err)
				}
				b.Release()
				continue
			}
			v := b.Values[0]
			if n, ok := Elements(v.Shape); !ok || len(v.Data) != n*max(specs[i].DType.Bits()/8, 0) || specs[i].DType == String && len(v.Strings) != n {
				t.Fatalf("%q: %d bytes, %d strings, shape %v", text, len(v.Data), len(v.Strings), v.Shape)
			}
			if !tokens && !valid {
				t.Fatalf("%q is accepted as %v, encoding/json: %v", text, specs[i].Type, jerr)
			}
			if !tokens {
				compare(t, text, v, want)
			}
			b.Release()
		}
	})
}

// compare checks v against what encoding/json made of the text.
func compare(t *testing.T, text []byte, v Value, want any) {
	t.Helper()
	flat, shape := flatten(want, nil, nil, 0)
	if n, _ := Elements(v.Shape); n != len(flat) || n > 0 && !reflect.DeepEqual(append([]int64{}, v.Shape...), append([]int64{}, shape...)) {
		t.Fatalf("%q: shape %v, want %v", text, v.Shape, shape)
	}
	for k, w := range flat {
		var ok bool
		switch v.DType {
		case Float32:
			got, _ := Data[float32](v.Tensor)
			ok = math.Float32bits(got[k]) == math.Float32bits(float32(number(w))) || w == nil && got[k] != got[k]
		case Float64:
			got, _ := Data[float64](v.Tensor)
			ok = math.Float64bits(got[k]) == math.Float64bits(number(w)) || w == nil && got[k] != got[k]
		case Int64:
			got, _ := Data[int64](v.Tensor)
			ok = float64(got[k]) == number(w)
			if n, err := w.(json.Number).Int64(); err == nil {
				ok = got[k] == n
			}
		case Uint8:
			ok = float64(v.Data[k]) == number(w)
		case Bool:
			ok = w == (v.Data[k] == 1)
		case String:
			ok = w == v.Strings[k]
		default:
			ok = true
		}
		if !ok {
			t.Fatalf("%q as %v: element %d is not %v", text, v.DType, k, w)
		}
	}
}

func number(v any) float64 {
	n, _ := v.(json.Number)
	f, _ := n.Float64()
	return f
}

func flatten(v any, out []any, shape []int64, depth int) (flat []any, dims []int64) {
	list, ok := v.([]any)
	if !ok {
		return append(out, v), shape
	}
	if depth == len(shape) {
		shape = append(shape, int64(len(list)))
	}
	for _, e := range list {
		out, shape = flatten(e, out, shape, depth+1)
	}
	return out, shape
}

// No text makes the decoder panic or accept a value that cannot be written again, whatever the input's kind.
func FuzzDecodeEveryKind(f *testing.F) {
	seed(f, append(seeds, `[{"a":1},{"b":2}]`, `{"1":0.5}`, `[[1],[2,3]]`, `[["a"],[]]`, `{"x":1,"y":[true]}`, `[6,-0.5]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, specs := range [][]Spec{
			{of(KindSequence, open(Int8).Type)},
			{of(KindSequence, open(String).Type)},
			{of(KindSequence, mapOf(String, Float32))},
			{of(KindSequence, mapOf(Int64, String))},
			{{Name: "x", Type: mapOf(Int64, Float64)}},
			{of(KindOptional, open(Bool).Type)},
			{open(Int4)},
			{open(Uint2)},
			{open(Float8E5M2)},
			{open(Float4E2M1)},
			{open(BFloat16)},
			{of(KindSparse, Type{})},
			{optional(open(Int16))},
			{named("x", in(Float32)), optional(named("y", in(Bool, -1)))},
			{},
		} {
			b := GetBatch()
			if err := NewDecoder(specs, DecodeOptions{}).JSON(text, b); err == nil {
				for i := range b.Values {
					out, err := b.Values[i].AppendJSON(nil, EncodeOptions{})
					if err != nil || !json.Valid(out) {
						t.Fatalf("%q: %s %v", text, out, err)
					}
				}
			}
			b.Release()
		}
	})
}

// What is encoded decodes to the same bits.
func FuzzEncodeDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	n := 0
	for i, d := range numeric {
		v := random(r, d, 4)
		f.Add(uint8(i), v.Data)
		n++
	}
	if n == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, k uint8, data []byte) { checkIdentity(t, fuzzed(k, data)) })
}

// fuzzed is a tensor of rank 1 of as many elements as data has.
func fuzzed(k uint8, data []byte) Value {
	d := numeric[int(k)%len(numeric)]
	size, _ := d.Bytes(1)
	data = data[:len(data)/size*size]
	if d == Bool {
		for i := range data {
			data[i] &= 1
		}
	}
	return Value{Tensor: Tensor{DType: d, Shape: []int64{int64(len(data) * 8 / d.Bits())}, Data: data}}
}

func FuzzAppendString(f *testing.F) {
	seed(f, []string{"", "a\"\\\n\x00", "é\u2028😀", "\xff", "<&>\x7f"})
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := AppendString(nil, string(text))
		if !utf8.Valid(text) {
			if err == nil {
				t.Fatalf("%q is accepted", text)
			}
			return
		}
		var back string
		if err != nil || json.Unmarshal(got, &back) != nil || back != string(text) {
			t.Fatalf("%q: %s %v", text, got, err)
		}
	})
}
