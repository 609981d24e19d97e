package tensor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// v2Inputs is one input of every type that the protocol names.
func v2Inputs() []Spec {
	var specs []Spec
	for _, n := range v2Names {
		specs = append(specs, Spec{Name: n.name, Type: Type{DType: n.d, Ranked: true, Shape: []int64{-1, 2}, Symbols: []string{"N", ""}}, Optional: true})
	}
	return specs
}

// v2Values is values of these inputs: bytes that r chooses, finite floats and valid UTF-8.
func v2Values(specs []Spec, r *rand.Rand) []Value {
	var vs []Value
	for _, s := range specs {
		rows := int64(r.IntN(3))
		shape := []int64{rows, 2}
		n := int(2 * rows)
		if s.DType == String {
			strs := make([]string, n)
			for i := range strs {
				strs[i] = strings.Repeat("ż\x00\"", r.IntN(3))
			}
			vs = append(vs, OfStrings(strs, shape...))
			continue
		}
		size, _ := s.DType.Bytes(n)
		words := make([]uint64, (size+7)/8+1)
		for i := range words {
			words[i] = r.Uint64()
		}
		data := bytesOfWords(words, size)
		v := Value{Tensor: Tensor{DType: s.DType, Shape: shape, Data: data}}
		for i := range n {
			makeFinite(&v.Tensor, i)
		}
		vs = append(vs, v)
	}
	return vs
}

// makeFinite clears an exponent that is all ones, and makes a bool of a byte.
func makeFinite(t *Tensor, i int) {
	le := binary.LittleEndian
	switch t.DType {
	case Bool:
		t.Data[i] &= 1
	case Float16:
		le.PutUint16(t.Data[2*i:], le.Uint16(t.Data[2*i:])&^0x4000)
	case BFloat16:
		le.PutUint16(t.Data[2*i:], le.Uint16(t.Data[2*i:])&^0x4000)
	case Float32:
		le.PutUint32(t.Data[4*i:], le.Uint32(t.Data[4*i:])&^0x40000000)
	case Float64:
		le.PutUint64(t.Data[8*i:], le.Uint64(t.Data[8*i:])&^0x4000000000000000)
	default:
	}
}

// v2Body is a request of these values, which AppendV2 writes as an answer.
func v2Body(tb testing.TB, specs []Spec, vs []Value, asBytes bool) (body []byte, headerLength int) {
	tb.Helper()
	var names []string
	var flags []bool
	for _, s := range specs {
		names, flags = append(names, s.Name), append(flags, asBytes)
	}
	out, length, any, err := AppendV2(nil, &V2Response{ModelName: "m"}, names, vs, flags, EncodeOptions{})
	if err != nil || any != asBytes && len(vs) > 0 {
		tb.Fatal(err, any)
	}
	head := strings.Replace(strings.Replace(string(out[:length]), `"model_name":"m",`, "", 1), `"outputs"`, `"inputs"`, 1)
	if !asBytes {
		return []byte(head), -1
	}
	return append([]byte(head), out[length:]...), len(head)
}

func sameValues(a, b []Value) error {
	for i := range a {
		x, y := &a[i], &b[i]
		if x.Kind != y.Kind || x.DType != y.DType || !slices.Equal(x.Shape, y.Shape) || !bytes.Equal(x.Data, y.Data) || !slices.Equal(x.Strings, y.Strings) {
			return fmt.Errorf("value %d: %+v, want %+v", i, x, y)
		}
	}
	return nil
}

func checkV2RoundTrip(t *testing.T, seed uint64) {
	t.Helper()
	specs := v2Inputs()
	vs := v2Values(specs, rand.New(rand.NewPCG(seed, 1)))
	d := NewDecoder(specs, DecodeOptions{})
	var req V2Request
	for _, asBytes := range []bool{false, true} {
		body, length := v2Body(t, specs, vs, asBytes)
		b := new(Batch)
		if err := d.V2(body, length, &req, b); err != nil {
			t.Fatalf("%v: %.300q", err, body)
		}
		if err := sameValues(b.Values, vs); err != nil {
			t.Fatalf("as bytes %v: %v", asBytes, err)
		}
	}
}

func TestV2CarriesEveryType(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		checkV2RoundTrip(t, seed)
	}
}

func FuzzV2RoundTrip(f *testing.F) {
	for seed := range uint64(5) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { checkV2RoundTrip(t, seed) })
}

// FuzzV2: whatever is sent is refused, or is values that fit the inputs.
func FuzzV2(f *testing.F) {
	specs := v2Inputs()
	seeds := 0
	for seed := range uint64(4) {
		for _, asBytes := range []bool{false, true} {
			body, length := v2Body(f, specs, v2Values(specs, rand.New(rand.NewPCG(seed, 1))), asBytes)
			f.Add(body, length)
			seeds++
		}
	}
	f.Add([]byte(`{"id":"a","parameters":{"binary_data_output":true},"outputs":[{"name":"y","parameters":{"binary_data":false}}],"inputs":[]}`), -1)
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	d := NewDecoder(specs, DecodeOptions{MaxElements: 1 << 16})
	f.Fuzz(func(t *testing.T, body []byte, length int) {
		var req V2Request
		b := new(Batch)
		if err := d.V2(body, max(length, -1), &req, b); err != nil {
			e, ok := err.(*Error) //nolint:errorlint // it is returned unwrapped
			if !ok || e.Offset > len(body) || len(b.Values) != 0 {
				t.Fatalf("%v, %d values", err, len(b.Values))
			}
			return
		}
		for i := range b.Values {
			v := &b.Values[i]
			if v.Kind == KindNone {
				continue
			}
			if _, err := check(&v.Tensor); err != nil || v.DType != specs[i].DType || len(v.Shape) != 2 || v.Shape[1] != 2 {
				t.Fatalf("%+v: %v", v, err)
			}
		}
	})
}

func TestV2Request(t *testing.T) {
	t.Parallel()
	d := NewDecoder([]Spec{{Name: "x", Type: Type{DType: Float32, Ranked: true, Shape: []int64{-1}, Symbols: []string{"N"}}}}, DecodeOptions{})
	var req V2Request
	b := new(Batch)
	err := d.V2([]byte(`{"unknown":[{"a":1}],"id":"7","parameters":{"a":1,"binary_data_output":true},
		"outputs":[{"name":"p","parameters":{"binary_data":false,"classification":2}},{"parameters":null,"name":"q"}],
		"inputs":[{"data":[1,NaN,null],"parameters":{"b":[1]},"shape":[3],"datatype":"FP32","name":"x","more":{}}]}`), -1, &req, b)
	want := []V2Output{{Name: "p", HasBinary: true}, {Name: "q"}}
	if err != nil || req.ID != "7" || !req.HasID || !req.BinaryOutput || !slices.Equal(req.Outputs, want) || string(req.Parameters) != `{"a":1,"binary_data_output":true}` {
		t.Fatalf("%+v, %v", req, err)
	}
	if v, err := Data[float32](b.Values[0].Tensor); err != nil || len(v) != 3 || v[0] != 1 || !math.IsNaN(float64(v[1])) || !math.IsNaN(float64(v[2])) {
		t.Errorf("%v, %v", v, err)
	}
	if err := d.V2([]byte(`{"inputs":[{"name":"x","shape":[0],"datatype":"FP32","data":[]}]}`), -1, &req, b); err != nil || req.HasID || req.Parameters != nil || len(req.Outputs) != 0 {
		t.Errorf("what was there before is left: %+v, %v", req, err)
	}
	if err := d.V2(binary.LittleEndian.AppendUint32(nil, math.Float32bits(2.5)), 0, &req, b); err != nil || len(b.Values[0].Shape) != 1 {
		t.Errorf("raw: %+v, %v", b.Values, err)
	}
}

func TestV2NamesItsMistakes(t *testing.T) {
	t.Parallel()
	d := NewDecoder([]Spec{{Name: "x", Type: Type{DType: Float32, Ranked: true, Shape: []int64{-1, 2}, Symbols: []string{"N", ""}}}}, DecodeOptions{})
	for body, want := range map[string]string{
		`{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1,2]}]}`:   `inputs[0]: input "x" float32[N,2]: datatype FP64, expected FP32 (at byte 11)`,
		`{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}`: `inputs[0]: input "x" float32[N,2]: shape [1 3] has size 3 on dimension 1, expected 2 (at byte 11)`,
		`{"inputs":[{"name":"x","shape":[-1,2],"datatype":"FP32","data":[1,2]}]}`:  `inputs[0].shape[0]: -1 is not a size (at byte 32)`,
		`{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,"a"]}]}`: `inputs[0].data[1]: expected a number, found a string (input "x" float32[2]) (at byte 65)`,
		`{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1]}]}`:     `inputs[0].data: 1 value, expected 2 (input "x" float32[2]) (at byte 64)`,
		`{"inputs":[{"name":"z","shape":[1,2],"datatype":"FP32","data":[1]}]}`:     `inputs[0]: unknown input "z" (inputs: "x" float32[N,2]) (at byte 11)`,
		`{"inputs":[]}`: `input "x" is missing (inputs: "x" float32[N,2])`,
		`{}`:            `"inputs" is missing: a list of {"name", "shape", "datatype", "data"} is expected (inputs: "x" float32[N,2])`,
	} {
		if err := d.V2([]byte(body), -1, new(V2Request), new(Batch)); err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", body, err, want)
		}
	}
}

func TestV2RefusesWhatItCannotExpress(t *testing.T) {
	t.Parallel()
	for _, v := range []Value{{Kind: KindSequence}, None(), {Tensor: Tensor{DType: Int4, Shape: []int64{2}, Data: []byte{1}}}} {
		if _, _, _, err := AppendV2(nil, &V2Response{}, []string{"y"}, []Value{v}, []bool{false}, EncodeOptions{}); err == nil || !strings.Contains(err.Error(), `output "y"`) {
			t.Errorf("%+v: %v", v, err)
		}
	}
}

// An image and digits in the protocol's forms, beside the plain value and a copy of the body.
func BenchmarkV2(b *testing.B) {
	for _, c := range []struct {
		name  string
		shape []int64
	}{{"digits", []int64{1, 1, 28, 28}}, {"image", []int64{1, 3, 224, 224}}} {
		n, _ := Elements(c.shape)
		r := rand.New(rand.NewPCG(1, 2))
		data := make([]float32, n)
		for i := range data {
			data[i] = r.Float32()
		}
		v := Of(data, c.shape...)
		spec := []Spec{{Name: "x", Type: Type{DType: Float32, Ranked: true, Shape: c.shape, Symbols: make([]string, 4)}}}
		d := NewDecoder(spec, DecodeOptions{})
		plain, _ := v.AppendJSON(nil, EncodeOptions{})
		text, _ := v2Body(b, spec, []Value{v}, false)
		packed, length := v2Body(b, spec, []Value{v}, true)
		run := func(name string, size int, f func(into *Batch) error) {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				into := new(Batch)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if err := f(into); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		var req V2Request
		run("data", len(plain), func(into *Batch) error { return d.JSON(plain, into) })
		run("v2-json", len(text), func(into *Batch) error { return d.V2(text, -1, &req, into) })
		run("v2-binary", len(packed), func(into *Batch) error { return d.V2(packed, length, &req, into) })
		to := make([]byte, len(packed))
		run("memcpy", len(packed), func(*Batch) error { copy(to, packed); return nil })
		out := make([]byte, 0, 4*len(text))
		run("encode-data", len(plain), func(*Batch) error { _, err := v.AppendJSON(out, EncodeOptions{}); return err })
		run("encode-v2-json", len(text), func(*Batch) error {
			_, _, _, err := AppendV2(out, &V2Response{ModelName: "m"}, []string{"x"}, []Value{v}, []bool{false}, EncodeOptions{})
			return err
		})
		run("encode-v2-binary", len(packed), func(*Batch) error {
			_, _, _, err := AppendV2(out, &V2Response{ModelName: "m"}, []string{"x"}, []Value{v}, []bool{true}, EncodeOptions{})
			return err
		})
	}
}
