package tensor

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// npyFile is a file of version 1.0 with this dict, its header padded to 118 bytes so that the array starts at byte 128.
func npyFile(dict string, data ...byte) []byte {
	b := append([]byte(npyMagic), 1, 0, 118, 0)
	b = append(b, dict...)
	b = append(b, strings.Repeat(" ", 127-len(b))+"\n"...)
	return append(b, data...)
}

func npyOf(descr, shape string, data ...byte) []byte {
	return npyFile(fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape), data...)
}

// readNPY shows what the array becomes, or the error.
func readNPY(t *testing.T, spec Spec, o DecodeOptions, body []byte) string {
	t.Helper()
	b := new(Batch)
	if err := NewDecoder([]Spec{spec}, o).NPY(body, b); err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(body) || len(b.Values) != 0 {
			t.Errorf("%#v, %d values", err, len(b.Values))
		}
		return err.Error()
	}
	return show(b.Values[0])
}

func bitsOf[T Element](v ...T) []byte { return bytesOf(v) }

func TestNPYConverts(t *testing.T) {
	t.Parallel()
	lenient := DecodeOptions{Lenient: true}
	for _, c := range []struct {
		in    Spec
		o     DecodeOptions
		descr string
		data  []byte
		want  string
	}{
		{in(Float32, -1), DecodeOptions{}, "<f4", bitsOf[float32](1.5, -2), "float32[2] [1.5,-2.0]"},
		{in(Float32, -1), DecodeOptions{}, ">f4", []byte{0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0}, "float32[2] [1.5,-2.0]"},
		{in(Float32, -1), DecodeOptions{}, "<f8", bitsOf(0.1, math.Inf(1)), "float32[2] [0.1,Infinity]"},
		{in(Float32, -1), DecodeOptions{}, ">f8", []byte{0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0}, "float32[2] [1.5,NaN]"},
		{in(Float32, -1), DecodeOptions{}, "<f2", bitsOf[uint16](0x3c00, 0xfc00), "float32[2] [1.0,-Infinity]"},
		{in(Float32, -1), DecodeOptions{}, "<i8", bitsOf[int64](16777217, -3), "float32[2] [16777216.0,-3.0]"},
		{in(Float32, -1), DecodeOptions{}, "<u8", bitsOf[uint64](math.MaxUint64, 7), "float32[2] [1.8446744e+19,7.0]"},
		{in(Float32, -1), DecodeOptions{}, "|u1", []byte{0, 255}, "float32[2] [0.0,255.0]"},
		{in(Float32, -1), lenient, "|b1", []byte{0, 1}, "float32[2] [0.0,1.0]"},
		{in(Float32, -1), DecodeOptions{}, "<f8", bitsOf(1e39, 0), `npy[0]: 1e+39 is out of range for float32 (input "x" float32[N]) (at byte 128)`},
		{in(Float64, -1), DecodeOptions{}, "<f4", bitsOf[float32](0.1, 2), "float64[2] [0.10000000149011612,2.0]"},
		{in(Float64, -1), DecodeOptions{}, "<u8", bitsOf[uint64](math.MaxUint64, 1), "float64[2] [1.8446744073709552e+19,1.0]"},
		{in(Float64, -1), DecodeOptions{}, ">u4", []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1}, "float64[2] [4294967295.0,1.0]"},
		{in(Float16, -1), DecodeOptions{}, "<f8", bitsOf(65519.99, 1e-8), "float16[2] [65500.0,0.0]"},
		{in(Float16, -1), DecodeOptions{}, "<f4", bitsOf[float32](1, 65520), `npy[1]: 65520 is out of range for float16 (input "x" float16[N]) (at byte 132)`},
		{in(Float16, -1), DecodeOptions{}, "<i4", bitsOf[int32](70000, 1), `npy[0]: 70000 is out of range for float16 (input "x" float16[N]) (at byte 128)`},
		{in(BFloat16, -1), DecodeOptions{}, "<f4", bitsOf[float32](0.1, 257), "bfloat16[2] [0.1,256.0]"},
		{in(BFloat16, -1), DecodeOptions{}, "<i8", bitsOf[int64](0x101<<54+1, 0x101<<54), "bfloat16[2] [4.65e+18,4.61e+18]"}, // just above a tie, a tie
		{in(Float8E4M3FN, -1), DecodeOptions{}, "<f4", bitsOf[float32](448, 0.1), "float8e4m3fn[2] [448.0,0.1015625]"},
		{in(Float4E2M1, -1), DecodeOptions{}, "<f4", bitsOf[float32](6, -0.5), "float4e2m1[2] [6.0,-0.5]"},
		{in(Int64, -1), DecodeOptions{}, "|i1", []byte{0xff, 5}, "int64[2] [-1,5]"},
		{in(Int64, -1), DecodeOptions{}, ">i2", []byte{0xff, 0xfe, 1, 0}, "int64[2] [-2,256]"},
		{in(Int64, -1), DecodeOptions{}, "<f8", bitsOf[float64](-9223372036854775808, 4), "int64[2] [-9223372036854775808,4]"},
		{in(Int64, -1), DecodeOptions{}, "<f8", bitsOf[float64](9223372036854775808, 4), `npy[0]: 9.223372036854776e+18 is out of range for int64 (-9223372036854775808 to 9223372036854775807) (input "x" int64[N]) (at byte 128)`},
		{in(Int64, -1), DecodeOptions{}, "<u8", bitsOf[uint64](1, 1<<63), `npy[1]: 9223372036854775808 is out of range for int64 (-9223372036854775808 to 9223372036854775807) (input "x" int64[N]) (at byte 136)`},
		{in(Uint64, -1), DecodeOptions{}, "<f8", bitsOf(18446744073709549568, math.Copysign(0, -1)), "uint64[2] [18446744073709549568,0]"},
		{in(Uint64, -1), DecodeOptions{}, "<f8", bitsOf[float64](18446744073709551616, 0), `npy[0]: 1.8446744073709552e+19 is out of range for uint64 (0 to 18446744073709551615) (input "x" uint64[N]) (at byte 128)`},
		{in(Uint8, -1), DecodeOptions{}, "<i8", bitsOf[int64](255, 256), `npy[1]: 256 is out of range for uint8 (0 to 255) (input "x" uint8[N]) (at byte 136)`},
		{in(Uint8, -1), DecodeOptions{}, ">i8", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0}, `npy[0]: -1 is out of range for uint8 (0 to 255) (input "x" uint8[N]) (at byte 128)`},
		{in(Int32, -1), DecodeOptions{}, "<f4", bitsOf[float32](1, 1.5), `npy[1]: 1.5 is not a whole number (input "x" int32[N]) (at byte 132)`},
		{in(Int32, -1), DecodeOptions{}, "<f2", bitsOf[uint16](0x3c00, 0x7e00), `npy[1]: NaN is not a whole number (input "x" int32[N]) (at byte 130)`},
		{in(Int4, -1), DecodeOptions{}, "|i1", []byte{0xf8, 7}, "int4[2] [-8,7]"},
		{in(Uint2, -1), DecodeOptions{}, "|u1", []byte{3, 4}, `npy[1]: 4 is out of range for uint2 (0 to 3) (input "x" uint2[N]) (at byte 129)`},
		{in(Bool, -1), DecodeOptions{}, "|b1", []byte{1, 0}, "bool[2] [true,false]"},
		{in(Bool, -1), DecodeOptions{}, "|b1", []byte{1, 2}, `npy[1]: a bool is byte 0 or 1, found 2 (input "x" bool[N]) (at byte 129)`},
		{in(Bool, -1), lenient, "|u1", []byte{1, 0}, `an array of bool is expected, found uint8 ("|u1") (input "x" bool[N]) (at byte 20)`},
		{in(Float32, -1), DecodeOptions{}, "|b1", []byte{1, 0}, `an array of float32 is expected, found bool ("|b1") (input "x" float32[N]) (at byte 20)`},
		{in(Float32, -1), DecodeOptions{}, "<c8", make([]byte, 16), `an array of float32 is expected, found complex64 ("<c8") (input "x" float32[N]) (at byte 20)`},
		{in(Float32, -1), DecodeOptions{}, "<U1", make([]byte, 8), `an array of float32 is expected, found string ("<U1") (input "x" float32[N]) (at byte 20)`},
		{in(String, -1), DecodeOptions{}, "<i4", make([]byte, 8), `an array of string is expected, found int32 ("<i4") (input "x" string[N]) (at byte 20)`},
		{in(String, -1), DecodeOptions{}, "<U2", bitsOf[uint32]('a', 0x1f600, 0, 0), `string[2] ["a😀",""]`},
		{in(String, -1), DecodeOptions{}, ">U1", []byte{0, 0, 0, 'a', 0, 0, 0, 'b'}, `string[2] ["a","b"]`},
		{in(String, -1), DecodeOptions{}, "|S3", []byte("ab\x00\x00c\x00"), `string[2] ["ab","\u0000c"]`},
		{in(String, -1), DecodeOptions{}, "<U1", bitsOf[uint32]('a', 0xd800), `npy[1]: a character that is not Unicode (input "x" string[N]) (at byte 132)`},
		{in(String, -1), DecodeOptions{MaxStringBytes: 3}, "|S2", []byte("abcd"), `more than 3 bytes of strings (input "x" string[N]) (at byte 130)`},
		{in(String, -1), DecodeOptions{}, "<U0", nil, `strings of no length ("<U0") (input "x" string[N]) (at byte 20)`},
	} {
		if got := readNPY(t, c.in, c.o, npyOf(c.descr, "(2,)", c.data...)); got != c.want {
			t.Errorf("%s as %v: got %s, want %s", c.descr, c.in.Type, got, c.want)
		}
	}
}

func TestNPYShapes(t *testing.T) {
	t.Parallel()
	var none DecodeOptions
	for _, c := range []struct {
		in    Spec
		shape string
		n     int
		o     DecodeOptions
		want  string
	}{
		{in(Uint8, -1, 2), "(1, 2)", 2, none, "uint8[1 2] [[0,0]]"},
		{in(Uint8, -1, 2), "( 1,2 , )", 2, none, "uint8[1 2] [[0,0]]"},
		{in(Uint8), "()", 1, none, "uint8[] 0"},
		{open(Uint8), "(0, 3)", 0, none, "uint8[0 3] []"},
		{open(Uint8), "(0, 9223372036854775807, 9223372036854775807)", 0, none, "uint8[0 9223372036854775807 9223372036854775807] []"},
		{in(Float32, -1, 64), "(64,)", 64, none, `an array of rank 2 is expected, found rank 1 (input "x" float32[N,64]) (at byte 60)`},
		{in(Uint8), "(1,)", 1, none, `a single value is expected, found an array (input "x" uint8[]) (at byte 60)`},
		{in(Uint8, -1), "()", 1, none, `an array of rank 1 is expected, found rank 0 (input "x" uint8[N]) (at byte 60)`},
		{in(Uint8, -1, 3), "(2, 1)", 2, none, `npy[0]: 1 value, expected 3 (input "x" uint8[N,3]) (at byte 60)`},
		{in(Uint8, 4), "(3,)", 3, none, `npy: 3 values, expected 4 (input "x" uint8[4]) (at byte 60)`},
		{open(Uint8), "(3,)", 2, none, `the array is cut off: 2 bytes of 3 (at byte 130)`},
		{open(Uint8), "(3,)", 5, none, `2 bytes after the array (at byte 131)`},
		{open(Uint8), "(4,)", 4, DecodeOptions{MaxElements: 3}, `more than 3 elements (input "x" uint8[...]) (at byte 60)`},
		{open(Uint8), "(9223372036854775807, 2)", 0, none, `more than 67108864 elements (input "x" uint8[...]) (at byte 60)`},
		{open(Uint8), "(4294967296, 4294967296)", 0, none, `more than 67108864 elements (input "x" uint8[...]) (at byte 60)`},
		{open(Uint8), "(9223372036854775808,)", 0, none, `NPY header: a size of 9223372036854775808 (at byte 61)`},
		{open(Uint8), "(1)", 1, none, `NPY header: a shape such as (2,) is expected (at byte 62)`},
		{open(Uint8), "(1 1)", 1, none, `NPY header: a shape such as (2,) is expected (at byte 63)`},
		{open(Uint8), "(,)", 1, none, `NPY header: a shape such as (2, 3) is expected (at byte 61)`},
		{open(Uint8), "(-1,)", 1, none, `NPY header: a shape such as (2, 3) is expected (at byte 61)`},
		{open(Uint8), "(01,)", 1, none, `NPY header: a shape such as (2, 3) is expected (at byte 61)`},
		{open(Uint8), "[1]", 1, none, `NPY header: a shape such as (2, 3) is expected (at byte 60)`},
	} {
		body := npyOf("|u1", c.shape, make([]byte, c.n)...)
		if got := readNPY(t, c.in, c.o, body); got != c.want {
			t.Errorf("%s as %v: got %s, want %s", c.shape, c.in.Type, got, c.want)
		}
	}
}

func TestNPYHeaders(t *testing.T) {
	t.Parallel()
	const dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"
	long := func(major byte, text string) []byte {
		b := append([]byte(npyMagic), major, 0, byte(len(text)), byte(len(text)>>8), 0, 0)
		return append(append(b, text...), 7)
	}
	for _, c := range []struct {
		body []byte
		want string
	}{
		{npyFile(dict, 7), "uint8[1] [7]"},
		{long(2, dict+"\n"), "uint8[1] [7]"},
		{long(3, dict), "uint8[1] [7]"},
		{npyFile(`{"shape":(1,),"fortran_order":True,"descr":"<u1"}`, 7), "uint8[1] [7]"},
		{nil, `not an NPY file: it does not start with \x93NUMPY (at byte 0)`},
		{[]byte(`[[1]]`), `not an NPY file: it does not start with \x93NUMPY (at byte 0)`},
		{[]byte(npyMagic + "\x01"), `the NPY header is cut off (at byte 7)`},
		{[]byte(npyMagic + "\x02\x00\x00\x00"), `the NPY header is cut off (at byte 10)`},
		{[]byte(npyMagic + "\x01\x00\x76\x00{"), `the NPY header is cut off (at byte 11)`},
		{[]byte(npyMagic + "\x04\x00\x76\x00{"), `NPY version 4.0 is not known: 1.0, 2.0 and 3.0 are (at byte 6)`},
		{[]byte(npyMagic + "\x01\x01\x76\x00{"), `NPY version 1.1 is not known: 1.0, 2.0 and 3.0 are (at byte 6)`},
		{[]byte(npyMagic + "\x02\x00\xff\xff\xff\xff"), `an NPY header of 1073741824 bytes, at most 10000 are read (at byte 8)`},
		{npyFile(""), `NPY header: a dict is expected (at byte 128)`},
		{npyFile("{"), `NPY header: a string is expected (at byte 128)`},
		{npyFile("{}"), `NPY header: key "descr" is missing (at byte 128)`},
		{npyFile("{'descr': '|u1', 'fortran_order': False}"), `NPY header: key "shape" is missing (at byte 128)`},
		{npyFile("{'descr': '|u1', 'descr': '|u1'}"), `NPY header: key "descr" is given twice (at byte 27)`},
		{npyFile("{'descr': '|u1', 'x': 1}"), `NPY header: unknown key "x" (at byte 27)`},
		{npyFile("{'descr' '|u1'}"), `NPY header: ':' is expected after a key (at byte 19)`},
		{npyFile("{'descr': '|u1' 'shape': (1,)}"), `NPY header: ',' or '}' is expected (at byte 26)`},
		{npyFile(dict + "x"), `NPY header: unexpected text after the dict (at byte 67)`},
		{npyFile("{'descr': '|u1', 'fortran_order': 1}"), `NPY header: True or False is expected (at byte 44)`},
		{npyFile("{'descr': '|u\\x31'}"), `NPY header: a string with an escape or a control character (at byte 23)`},
		{npyFile("{'descr': '|u1"), `NPY header: a string with an escape or a control character (at byte 127)`},
		{npyFile("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"), `NPY header: object arrays are not accepted: they are pickled Python, which is never read; give the array a type with astype (at byte 20)`},
		{npyFile("{'descr': [('a', '<i4')], }"), `NPY header: structured arrays are not accepted: save one array of one type (at byte 20)`},
		{npyFile("{'descr': ('<i4', (2,)), }"), `NPY header: structured arrays are not accepted: save one array of one type (at byte 20)`},
		{npyFile("{'descr': '<f16', }"), `NPY header: type "<f16" is not accepted (at byte 20)`},
		{npyFile("{'descr': '<M8[ns]', }"), `NPY header: type "<M8[ns]" is not accepted (at byte 20)`},
		{npyFile("{'descr': '|V2', }"), `NPY header: type "|V2" is not accepted (at byte 20)`},
		{npyFile("{'descr': '|f4', }"), `NPY header: type "|f4" is not accepted (at byte 20)`},
		{npyFile("{'descr': '<f+4', }"), `NPY header: type "<f+4" is not accepted (at byte 20)`},
		{npyFile("{'descr': '=f4', }"), `NPY header: type "=f4" is not accepted (at byte 20)`},
		{npyFile("{'descr': '<U99999999999999999999', }"), `NPY header: type "<U99999999999999999999" is not accepted (at byte 20)`},
		{npyFile("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 1)}", 7), `an array in Fortran order is not accepted: save numpy.ascontiguousarray(a) (at byte 59)`},
		{long(2, "{'descr': '|u1', 'fortran_order': False, 'shape': ("+strings.Repeat("1,", 33)+")}"), `NPY header: a rank over 32 is not supported (at byte 128)`},
	} {
		if got := readNPY(t, open(Uint8), DecodeOptions{}, c.body); got != c.want {
			t.Errorf("%q: got %s, want %s", c.body, got, c.want)
		}
	}
}

func TestNPYInputs(t *testing.T) {
	t.Parallel()
	body := npyOf("<i8", "(2,)", bitsOf[int64](1, 2)...)
	x, y := named("x", in(Int64, -1)), named("y", in(Float32))
	for _, c := range []struct {
		inputs []Spec
		want   string
	}{
		{[]Spec{x}, "[int64[2] [1,2]]"},
		{[]Spec{optional(y), x}, "[none int64[2] [1,2]]"},
		{[]Spec{optional(x)}, "[int64[2] [1,2]]"},
		{[]Spec{of(KindOptional, x.Type)}, "[int64[2] [1,2]]"},
		{[]Spec{x, y}, `npy bytes are one input's value, the model needs 2 (inputs: "x" int64[N], "y" float32[]) (at byte 0)`},
		{[]Spec{optional(x), optional(y)}, `npy bytes are one input's value, the model needs 0 (inputs: "x" int64[N] optional, "y" float32[] optional) (at byte 0)`},
		{nil, `npy bytes are one input's value, the model needs 0 (the model takes no inputs) (at byte 0)`},
		{[]Spec{of(KindSequence, x.Type)}, `seq(int64[N]) is not accepted as npy bytes (input "x" seq(int64[N])) (at byte 0)`},
	} {
		b := new(Batch)
		var got string
		if err := NewDecoder(c.inputs, DecodeOptions{}).NPY(body, b); err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprint(shows(b.Values))
		}
		if got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// These files are from numpy.save.
func TestNPYFromNumpy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   Spec
		want string
		back bool // AppendNPY writes the same file
	}{
		"f8":      {in(Float64, 2, -1), "float64[2 3] [[0.1,-2.5,1e+300],[3.0,4.0,5.0]]", true},
		"big":     {in(Int16, -1), "int16[3] [1,-2,300]", false},
		"str":     {in(String, -1), `string[3] ["héllo","","😀"]`, true},
		"scalar":  {in(Float32), "float32[] 1.5", true},
		"fortran": {in(Int32, -1, -1), "an array in Fortran order is not accepted: save numpy.ascontiguousarray(a) (at byte 59)", false},
		"object":  {in(Float32, -1), "NPY header: object arrays are not accepted: they are pickled Python, which is never read; give the array a type with astype (at byte 20)", false},
		"struct":  {in(Float32, -1), "NPY header: structured arrays are not accepted: save one array of one type (at byte 20)", false},
	} {
		body, err := os.ReadFile(filepath.Join("testdata", "npy_"+name+".npy"))
		if err != nil {
			t.Fatal(err)
		}
		if got := readNPY(t, c.in, DecodeOptions{}, body); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		if c.back {
			b := new(Batch)
			if err := NewDecoder([]Spec{c.in}, DecodeOptions{}).NPY(body, b); err != nil {
				t.Fatal(err)
			}
			if again, err := AppendNPY(nil, b.Values[0]); err != nil || !bytes.Equal(again, body) {
				t.Errorf("%s: written as %q, %v", name, again, err)
			}
		}
	}
}

// checkBinary: what AppendNPY and AppendRaw write is read as the same bits, NaN for NaN.
func checkBinary(t *testing.T, v Value) {
	t.Helper()
	text, err := v.AppendJSON(nil, EncodeOptions{NonFinite: NonFiniteToken})
	if err != nil && v.DType != Complex64 && v.DType != Complex128 && v.DType != String {
		t.Fatal(err)
	}
	file, err := AppendNPY([]byte("before"), v)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDecoder([]Spec{specOf(v)}, DecodeOptions{})
	same := func(what string, b *Batch) {
		got := b.Values[0]
		if fmt.Sprint(got.Shape, got.Strings) != fmt.Sprint(v.Shape, v.Strings) || !bytes.Equal(got.Data, v.Data) && !bytes.Contains(text, []byte("NaN")) {
			t.Fatalf("%s %v: %v becomes %v", what, v.DType, v, got)
		}
		if again, err := got.AppendJSON(nil, EncodeOptions{NonFinite: NonFiniteToken}); err == nil && !bytes.Equal(again, text) {
			t.Fatalf("%s %v: %s becomes %s", what, v.DType, text, again)
		}
	}
	b := new(Batch)
	if err := d.NPY(file[len("before"):], b); err != nil {
		t.Fatalf("%v: %v", v.DType, err)
	}
	same("npy", b)
	if v.DType == String {
		return
	}
	raw, err := AppendRaw(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	spec := in(v.DType, v.Shape...)
	if len(v.Shape) > 0 && v.DType.Bits() >= 8 && len(v.Data) > 0 {
		spec.Shape = append([]int64{-1}, v.Shape[1:]...)
	}
	if err := NewDecoder([]Spec{spec}, DecodeOptions{}).Raw(raw, b); err != nil {
		t.Fatalf("%v: %v", v.DType, err)
	}
	same("raw", b)
}

func TestBinaryKeepsEveryType(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for _, d := range append(slices.Clip(numeric), Complex64, Complex128) {
		for _, shape := range [][]int64{{}, {0}, {1}, {2, 3}, {3, 0}, {3, 5, 7}, {2, 0, 4}, {1000}} {
			checkBinary(t, random(r, d, shape...))
		}
	}
	checkBinary(t, OfStrings([]string{"", "a", "é\x00b", "😀"}, 2, 2))
	checkBinary(t, OfStrings(nil))
}

func TestNPYTakesAlignedMemoryAsItIs(t *testing.T) {
	t.Parallel()
	file, err := AppendNPY(nil, Of([]float32{1, 2, 3}))
	if err != nil {
		t.Fatal(err)
	}
	mem := make([]uint64, len(file)/8+2)
	d, b := NewDecoder([]Spec{in(Float32, -1)}, DecodeOptions{}), new(Batch)
	for shift, view := range map[int]bool{0: true, 4: true, 1: false, 2: false} {
		body := bytesOf(mem)[shift : shift+len(file)]
		copy(body, file)
		if err := d.NPY(body, b); err != nil {
			t.Fatal(err)
		}
		v := b.Values[0]
		if at := unsafe.SliceData(v.Data); (at == &body[128]) != view || uintptr(unsafe.Pointer(at))%4 != 0 {
			t.Errorf("shifted by %d: a view is %v", shift, !view)
		}
		if got := show(v); got != "float32[3] [1.0,2.0,3.0]" {
			t.Error(got)
		}
	}
}

func TestAppendNPYRefuses(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]Value{
		"a value that is no tensor":              None(),
		"7 bytes for float32[2]":                 {Tensor: Tensor{DType: Float32, Shape: []int64{2}, Data: make([]byte, 7)}},
		"shape [-1] is too large":                {Tensor: Tensor{DType: Float32, Shape: []int64{-1}}},
		"1 strings for shape [2]":                {Tensor: Tensor{DType: String, Shape: []int64{2}, Strings: []string{"a"}}},
		`a string is not valid UTF-8: "\xff"`:    OfStrings([]string{"\xff"}),
		`ends in a zero has no NPY form: "a\x00`: OfStrings([]string{"a\x00"}),
		"take more than 1073741824 bytes":        OfStrings(append(make([]string, 1<<14), strings.Repeat("a", 1<<15))),
	} {
		if got, err := AppendNPY(nil, v); err == nil || !strings.Contains(err.Error(), want) || len(got) != 0 {
			t.Errorf("got %q, %v; want %s", got, err, want)
		}
	}
}
