package tensor

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

func TestRaw(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   Spec
		body []byte
		want string
	}{
		{in(Float32, -1, 2), bitsOf[float32](1, 2, 3, 4), "float32[2 2] [[1.0,2.0],[3.0,4.0]]"},
		{in(Float32, 2, -1), bitsOf[float32](1, 2, 3, 4), "float32[2 2] [[1.0,2.0],[3.0,4.0]]"},
		{in(Float32, 2), bitsOf[float32](1, 2), "float32[2] [1.0,2.0]"},
		{in(Float64), bitsOf(0.1), "float64[] 0.1"},
		{open(Int16), bitsOf[int16](1, -2, 3), "int16[3] [1,-2,3]"},
		{in(Bool, -1), []byte{1, 0}, "bool[2] [true,false]"},
		{in(Int4, 3), []byte{0x8f, 0x01}, "int4[3] [-1,-8,1]"},
		{in(Uint2, -1, 2), []byte{0x1b}, "uint2[2 2] [[3,2],[1,0]]"},
		{open(Uint4), []byte{0x21, 0x43}, "uint4[4] [1,2,3,4]"},
		{in(Float32, -1, 2), nil, "float32[0 2] []"},
		{in(Float32, -1, 0), nil, "float32[0 0] []"},
		{in(Float32, -1, 0), []byte{1}, `1 bytes, expected 0 (input "x" float32[N,0]) (at byte 0)`},
		{in(Float32, -1, 2), make([]byte, 12), `12 bytes, expected a multiple of 8 (input "x" float32[N,2]) (at byte 8)`},
		{in(Float32, 1, 2), make([]byte, 12), `12 bytes, expected 8 (input "x" float32[1,2]) (at byte 8)`},
		{in(Float32, 1, 2), make([]byte, 4), `4 bytes, expected 8 (input "x" float32[1,2]) (at byte 4)`},
		{open(Int16), make([]byte, 3), `3 bytes, expected 2 (input "x" int16[...]) (at byte 2)`},
		{in(Uint4, -1, 3), []byte{0, 0, 0}, "uint4[2 3] [[0,0,0],[0,0,0]]"},
		{in(Uint4, -1, 5), []byte{0, 0, 0, 0}, `4 bytes, expected 3 (input "x" uint4[N,5]) (at byte 3)`},
		{in(Float32, -1, -1), make([]byte, 12), `raw bytes do not tell the sizes of two free dimensions (input "x" float32[N,M]) (at byte 0)`},
		{in(Bool, -1, 2), []byte{1, 0, 0, 9}, `raw[1][1]: a bool is byte 0 or 1, found 9 (input "x" bool[N,2]) (at byte 3)`},
		{in(String, -1), []byte("a"), `string is not accepted as raw bytes (input "x" string[N]) (at byte 0)`},
		{in(Uint8, -1), make([]byte, 17), `more than 16 elements (input "x" uint8[N]) (at byte 0)`},
		{in(Uint8, 1<<40, -1, 1<<40), nil, `more than 16 elements (input "x" uint8[1099511627776,M,1099511627776]) (at byte 0)`},
		{of(KindSequence, in(Uint8, -1).Type), nil, `seq(uint8[N]) is not accepted as raw bytes (input "x" seq(uint8[N])) (at byte 0)`},
	} {
		b := new(Batch)
		var got string
		if err := NewDecoder([]Spec{c.in}, DecodeOptions{MaxElements: 16}).Raw(c.body, b); err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || len(b.Values) != 0 {
				t.Errorf("%#v", err)
			}
			got = err.Error()
		} else {
			got = show(b.Values[0])
		}
		if got != c.want {
			t.Errorf("%d bytes as %v: got %s, want %s", len(c.body), c.in.Type, got, c.want)
		}
	}
}

func TestRawTakesAlignedMemoryAsItIs(t *testing.T) {
	t.Parallel()
	mem := bytesOf(make([]float64, 4))
	d, b := NewDecoder([]Spec{in(Float64, -1)}, DecodeOptions{}), new(Batch)
	for _, shift := range []int{0, 4, 8} {
		if err := d.Raw(mem[shift:shift+16], b); err != nil {
			t.Fatal(err)
		}
		at := unsafe.SliceData(b.Values[0].Data)
		if view := at == &mem[shift]; view != (shift%8 == 0) || uintptr(unsafe.Pointer(at))%8 != 0 {
			t.Errorf("shifted by %d: a view is %v", shift, view)
		}
	}
}

func TestAppendRawRefuses(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]Value{
		"a value that is no tensor": {Kind: KindMap},
		"string has no raw bytes":   OfStrings([]string{"a"}),
		"3 bytes for int32[1]":      {Tensor: Tensor{DType: Int32, Shape: []int64{1}, Data: make([]byte, 3)}},
	} {
		if got, err := AppendRaw(nil, v); err == nil || !strings.Contains(err.Error(), want) || len(got) != 0 {
			t.Errorf("got %q, %v; want %s", got, err, want)
		}
	}
}

var binarySpecs = []Spec{
	open(Float32), open(Float64), open(Float16), open(Int64), open(Uint64), open(Int8), open(Bool), open(String), open(Int4), open(BFloat16),
	open(Complex64), open(Float8E8M0), in(Float32, -1, 2), in(Uint8, -1, -1), in(Int32, 0, -1), of(KindOptional, open(Int16).Type), of(KindSequence, open(Int16).Type),
}

// No body makes the readers panic, take memory beyond some times the body's, or give a value that cannot be written again.
func FuzzBinaryBodies(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	seeds := 0
	for _, d := range numeric {
		file, err := AppendNPY(nil, random(r, d, 2, 3))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
		seeds++
	}
	for _, body := range [][]byte{
		npyOf(">U2", "(1,)", 0, 0, 0, 'a', 0, 0, 0, 0), npyOf("|S2", "(1, 1)", 'a', 0), npyOf(">f8", "()", 64, 0, 0, 0, 0, 0, 0, 0), npyOf("|O", "(1,)"),
		npyOf("<i8", "(4294967296, 4294967296)"), npyOf("<U0", "(67108864,)"),
	} {
		f.Add(body)
		seeds++
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, spec := range binarySpecs {
			d := NewDecoder([]Spec{spec}, DecodeOptions{Lenient: true})
			for name, read := range map[string]func([]byte, *Batch) error{"npy": d.NPY, "raw": d.Raw} {
				b := new(Batch)
				if err := read(body, b); err != nil {
					if e, ok := errors.AsType[*Error](err); !ok || e.Offset < 0 || e.Offset > len(body) || e.Msg == "" || len(b.Values) != 0 {
						t.Fatalf("%s %v: %#v", name, spec.Type, err)
					}
				} else if v := b.Values[0]; v.DType != Complex64 || name == "npy" {
					if _, err := denseElements(&v); err != nil {
						t.Fatalf("%s %v: %v", name, spec.Type, err)
					}
				}
				if got := len(b.slots[0].data)*8 + len(b.slots[0].strs)*16 + len(b.scan.ends)*8; got > 24*len(body)+8 {
					t.Fatalf("%s %v: %d bytes for %d", name, spec.Type, got, len(body))
				}
			}
		}
	})
}

// What is written as NPY and as raw bytes is read as the same bits.
func FuzzBinaryRoundTrip(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	seeds := 0
	for i, d := range numeric {
		f.Add(uint8(i), random(r, d, 4).Data)
		seeds++
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, k uint8, data []byte) { checkBinary(t, fuzzed(k, data)) })
}
