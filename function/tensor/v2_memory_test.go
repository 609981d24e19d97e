package tensor

import (
	"encoding/json"
	"testing"
	"unsafe"
)

func TestV2DoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	two := []Spec{named("x", in(Float32, -1, 2)), named("y", in(Int64, -1))}
	json2 := `{"id":"a1","parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2.5,3,4]},{"data":[5],"datatype":"INT64","name":"y","shape":[1]}],"outputs":[{"name":"p","parameters":{"binary_data":false}},{"name":"q"}]}`
	packed := `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}},{"name":"y","shape":[1],"datatype":"INT64","parameters":{"binary_data_size":8}}]}`
	for _, c := range []struct{ text, bytes string }{{json2, ""}, {packed, "0123456789abcdef"}} {
		d, b, req := NewDecoder(two, DecodeOptions{}), new(Batch), new(V2Request)
		body, headerLen := []byte(c.text+c.bytes), -1
		if c.bytes != "" {
			headerLen = len(c.text)
		}
		if n := testing.AllocsPerRun(100, func() {
			if err := d.V2(body, headerLen, req, b); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", c.text, n)
		}
	}
	dst := make([]byte, 0, 1000)
	values, names := []Value{Of([]float32{1, 2}), Of([]int64{3})}, []string{"p", "q"}
	r := &V2Response{ModelName: "m", ModelVersion: "1", ID: "a", HasID: true, Parameters: json.RawMessage(`{}`)}
	for _, binary := range [][]bool{nil, {false, true}} {
		if n := testing.AllocsPerRun(100, func() {
			if _, _, _, err := AppendV2(dst, r, names, values, binary, EncodeOptions{}); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("encoding: %v allocations", n)
		}
	}
}

// Bytes are taken where they lie if they are aligned, and copied if not.
func TestV2TakesAlignedMemoryAsItIs(t *testing.T) {
	t.Parallel()
	d := NewDecoder([]Spec{in(Float32, -1)}, DecodeOptions{})
	text := v2Input1(`"shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}`)
	for shift := range 8 {
		mem := bytesOfWords(make([]uint64, 64), 512)
		body := mem[shift : shift+len(text)+8]
		copy(body, text)
		copy(body[len(text):], "\x00\x00\x80\x3f\x00\x00\x00\x40")
		b := new(Batch)
		if err := d.V2(body, len(text), new(V2Request), b); err != nil {
			t.Fatal(err)
		}
		data := b.Values[0].Data
		same := unsafe.SliceData(data) == unsafe.SliceData(body[len(text):])
		if want := (shift+len(text))%4 == 0; same != want || show(b.Values[0]) != "float32[2] [1.0,2.0]" || cap(data) > 8 && same {
			t.Errorf("shift %d: %s, in place %v, want %v", shift, show(b.Values[0]), same, want)
		}
	}
}

// Strings outlive the body: they are copies.
func TestV2StringsAreCopies(t *testing.T) {
	t.Parallel()
	text := v2Input1(`"shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":7}`)
	body := []byte(text + "\x03\x00\x00\x00abc")
	b := new(Batch)
	if err := NewDecoder([]Spec{in(String, -1)}, DecodeOptions{}).V2(body, len(text), new(V2Request), b); err != nil {
		t.Fatal(err)
	}
	clear(body)
	if got := b.Values[0].Strings[0]; got != "abc" {
		t.Errorf("%q", got)
	}
}
