package tensor

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// asRequest makes a request of the answer that AppendV2 writes for these values.
func asRequest(tb testing.TB, names []string, values []Value, binary []bool) (body []byte, headerLen int) {
	tb.Helper()
	out, n, anyBinary, err := AppendV2(nil, &V2Response{ModelName: "m", ID: "7", HasID: true}, names, values, binary, EncodeOptions{NonFinite: NonFiniteToken})
	if err != nil {
		tb.Fatal(err)
	}
	text := strings.Replace(string(out[:n]), `"outputs":[`, `"inputs":[`, 1)
	if !anyBinary {
		return []byte(text), -1
	}
	return append([]byte(text), out[n:]...), len(text)
}

// checkV2 sends v as JSON, nested JSON and bytes, alone and beside another input, and gets the same bits back.
func checkV2(t *testing.T, v Value) {
	t.Helper()
	specs := []Spec{specOf(v), optional(named("k", in(Int8, -1)))}
	d := NewDecoder(specs, DecodeOptions{})
	k := Of([]int8{-3, 4, 5}) // three bytes: what follows is not aligned
	for form := range 6 {
		var body []byte
		headerLen := -1
		switch form {
		case 0, 1:
			body, headerLen = asRequest(t, []string{"x"}, []Value{v}, []bool{form == 1})
		case 2, 3, 4:
			body, headerLen = asRequest(t, []string{"k", "x"}, []Value{k, v}, []bool{form > 2, form < 4})
		case 5: // nested, and data first
			text, err := v.AppendJSON(nil, EncodeOptions{NonFinite: NonFiniteToken})
			if err != nil {
				t.Fatal(err)
			}
			body = append([]byte(`{"inputs":[{"data":`), text...)
			body = append(body, `,"shape":`...)
			body = append(appendV2Shape(body, v.Shape), `,"name":"x","datatype":"`+V2DType(v.DType)+`"}]}`...)
			if n, _ := Elements(v.Shape); n == 0 {
				continue
			}
		}
		b := new(Batch)
		if err := d.V2(body, headerLen, new(V2Request), b); err != nil {
			t.Fatalf("%q %d: %v", body, headerLen, err)
		}
		got := b.Values[0]
		if got.DType != v.DType || !slices.Equal(got.Shape, v.Shape) || !slices.Equal(got.Strings, v.Strings) || !sameBits(got.Tensor, v.Tensor) {
			t.Fatalf("form %d: %v, want %v", form, show(got), show(v))
		}
		if size := v.DType.Bits() / 8; len(got.Data) > 0 && uintptr(unsafe.Pointer(&got.Data[0]))%uintptr(size) != 0 {
			t.Fatalf("form %d is not aligned", form)
		}
		if form > 1 && form < 5 && !bytes.Equal(b.Values[1].Data, k.Data) {
			t.Fatalf("form %d: %v beside it", form, show(b.Values[1]))
		}
	}
}

// sameBits is whether the bytes are the same, all NaN being one.
func sameBits(a, b Tensor) bool {
	if bytes.Equal(a.Data, b.Data) {
		return true
	}
	x, errX := Value{Tensor: a}.AppendJSON(nil, EncodeOptions{NonFinite: NonFiniteToken})
	y, errY := Value{Tensor: b}.AppendJSON(nil, EncodeOptions{NonFinite: NonFiniteToken})
	return errX == nil && errY == nil && bytes.Contains(x, []byte("NaN")) && bytes.Equal(x, y)
}

func v2TypeList() (list []DType) {
	for i := range v2Types {
		list = append(list, v2Types[i].d)
	}
	return list
}

func TestV2CarriesEveryType(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for _, d := range v2TypeList() {
		for _, shape := range [][]int64{{}, {0}, {1}, {7}, {2, 3}, {3, 0, 2}, {2, 1, 4}, {1, 3, 50}} {
			n, _ := Elements(shape)
			if d == String {
				checkV2(t, OfStrings(randomStrings(r, n), append([]int64{}, shape...)...))
				continue
			}
			v := random(r, d, shape...)
			v.Shape = shape
			checkV2(t, v)
		}
	}
}

func randomStrings(r *rand.Rand, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.Repeat("a\"\\\x00é😀"[:1+r.IntN(4)], r.IntN(3))
	}
	return list
}

// What is written is read again with the same bits, for every type, in JSON and in bytes.
func FuzzV2RoundTrip(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	types := v2TypeList()
	for i, d := range types {
		if d == String {
			f.Add(uint8(i), []byte("a,b\x00,é"))
		} else {
			f.Add(uint8(i), random(r, d, 5).Data)
		}
	}
	if len(types) == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, k uint8, data []byte) {
		d := types[int(k)%len(types)]
		if d == String {
			text := strings.Split(strings.ToValidUTF8(string(data), "?"), ",")
			checkV2(t, OfStrings(text))
			return
		}
		size := d.Bits() / 8
		data = slices.Clone(data[:len(data)/size*size])
		if d == Bool {
			for i := range data {
				data[i] &= 1
			}
		}
		words := sized(nil, len(data))
		copy(bytesOfWords(words, len(data)), data)
		checkV2(t, Value{Tensor: Tensor{DType: d, Shape: []int64{int64(len(data) / size)}, Data: bytesOfWords(words, len(data))}})
	})
}

// Whatever is sent, the decoder does not panic, and what it accepts are values that fit the declaration, JSON that encoding/json takes
// as well, and the same values when it is sent in bytes.
func FuzzV2(f *testing.F) {
	n := 0
	for _, r := range v2HostileRequests() {
		if len(r.text) < 1000 {
			f.Add([]byte(r.text+r.bytes), len(r.text)-max(0, 1-len(r.bytes))*(len(r.text)+1))
			n++
		}
	}
	f.Add([]byte(`{"id":"a","inputs":[{"data":[1,2,3,4],"name":"x","datatype":"FP32","shape":[2,2]},{"name":"s","shape":[1],"datatype":"BYTES","data":["a"]}]}`), -1)
	f.Add([]byte("\x00\x00\x80\x3f\x00\x00\x00\x40"), 0)
	if n == 0 {
		f.Fatal("no seeds")
	}
	specs := v2HostileInputs()
	d := NewDecoder(specs, DecodeOptions{})
	f.Fuzz(func(t *testing.T, body []byte, headerLen int) {
		b, req := GetBatch(), new(V2Request)
		defer b.Release()
		sent := slices.Clone(body)
		if err := d.V2(body, headerLen, req, b); err != nil {
			e, ok := err.(*Error) //nolint:errorlint // the contract
			if !ok || e.Offset > len(body) || e.Msg == "" || len(b.Values) != 0 || !reflect.DeepEqual(req.Outputs[:0], req.Outputs) {
				t.Fatalf("%q: %#v", body, err)
			}
			return
		}
		if !bytes.Equal(sent, body) {
			t.Fatalf("%q was changed", sent)
		}
		if headerLen != 0 {
			text := body
			if headerLen > 0 {
				text = body[:headerLen]
			}
			tokens := bytes.Contains(text, []byte("NaN")) || bytes.Contains(text, []byte("Infinity"))
			if !json.Valid(text) && !tokens {
				t.Fatalf("%q is accepted", text)
			}
		}
		var names []string
		var values []Value
		var binary []bool
		for i := range b.Values {
			v := &b.Values[i]
			if v.Kind == KindNone {
				continue
			}
			if _, err := check(&v.Tensor); err != nil || v.DType != specs[i].DType || specs[i].Ranked && len(v.Shape) != len(specs[i].Shape) {
				t.Fatalf("%q: %v %v %v", body, v.DType, v.Shape, err)
			}
			names, values, binary = append(names, specs[i].Name), append(values, *v), append(binary, true)
		}
		again, n := asRequest(t, names, values, binary)
		c := GetBatch()
		defer c.Release()
		if err := d.V2(again, n, new(V2Request), c); err != nil {
			t.Fatalf("%q: %v", again, err)
		}
		for i := range b.Values {
			if !slices.Equal(b.Values[i].Shape, c.Values[i].Shape) || !bytes.Equal(b.Values[i].Data, c.Values[i].Data) || !slices.Equal(b.Values[i].Strings, c.Values[i].Strings) {
				t.Fatalf("%q: input %d is not the same in bytes", body, i)
			}
		}
	})
}
