package tensor

import (
	"errors"
	"strings"
	"testing"
)

func decodeCSV(t *testing.T, inputs []Spec, o DecodeOptions, text string) ([]Value, error) {
	t.Helper()
	b := new(Batch)
	err := NewDecoder(inputs, o).CSV([]byte(text), b)
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Offset > len(text) || len(b.Values) != 0 {
			t.Errorf("%q: %#v, %d values", text, err, len(b.Values))
		}
	}
	return b.Values, err
}

func TestCSV(t *testing.T) {
	t.Parallel()
	free := []Spec{in(Float32, -1, -1)}
	ab := []Spec{named("a", in(Float64, -1, 1)), named("b", in(String, -1)), optional(named("c", in(Bool, -1)))}
	const of2 = ` (input "x" float32[N,2])`
	const list = ` (inputs: "a" float64[N,1], "b" string[N], "c" bool[N] optional)`
	for _, c := range []struct {
		in         []Spec
		text, want string
	}{
		{plain, "1,2\n3,4\n", `float32[2 2] [[1.0,2.0],[3.0,4.0]]`},
		{plain, "\ufeff1,2\r\n3,4", `float32[2 2] [[1.0,2.0],[3.0,4.0]]`},
		{plain, " 1 ,\t-2.5e3\n\"3\",\" 4 \"\n\n \r\n", `float32[2 2] [[1.0,-2500.0],[3.0,4.0]]`},
		{plain, ",\nnan,NaN\ninf,-inf\n\"\",Infinity", `float32[4 2] [[NaN,NaN],[NaN,NaN],[Infinity,-Infinity],[NaN,Infinity]]`},
		{plain, "p,q\n1,2\n", `float32[1 2] [[1.0,2.0]]`},
		{plain, "\"0\",q\n1,2\n", `float32[1 2] [[1.0,2.0]]`},
		{plain, "\"p,\n\"\"\",q\r\n1,2\r\n", `float32[1 2] [[1.0,2.0]]`},
		{plain, "p,q\n", `float32[0 2] []`},
		{free, "1,2,3", `float32[1 3] [[1.0,2.0,3.0]]`},
		{[]Spec{open(Int64)}, "9007199254740993,1.0\n", `int64[1 2] [[9007199254740993,1]]`},
		{[]Spec{in(Int8, -1)}, "1\n2\n", `int8[2] [1,2]`},
		{[]Spec{in(Float32, -1, 1)}, "x\n1\n2\n", `float32[2 1] [[1.0],[2.0]]`},
		{[]Spec{in(Bool, -1, 2)}, "true,False\nTRUE,false\n", `bool[2 2] [[true,false],[true,false]]`},
		{[]Spec{in(String, -1, 2)}, "a,\" b\"\"\n,\"\n,c d \n", `string[2 2] [["a"," b\"\n,"],["","c d "]]`},
		{[]Spec{in(String, -1)}, "x\na\n  \n\"\"\n\n", `string[3] ["a","  ",""]`},
		{ab, "b, a\nfoo,1\n\"b,ar\",\n", `float64[2 1] [[1.0],[NaN]] string[2] ["foo","b,ar"] none`},
		{ab, "c,b,a\ntrue,foo,1\n", `float64[1 1] [[1.0]] string[1] ["foo"] bool[1] [true]`},

		{plain, "", `rows of values are expected, the text is empty (at byte 0)`},
		{plain, "\ufeff \r\n", `rows of values are expected, the text is empty (at byte 3)`},
		{plain, "1,2\n3\n", `line 2: 1 cell, expected 2 columns` + of2 + ` (at byte 5)`},
		{plain, "p,q\n3\n", `line 2: 1 cell, expected 2 columns "p", "q"` + of2 + ` (at byte 5)`},
		{plain, "1,2\n3,4,5\n", `line 2: more than 2 cells, expected 2 columns` + of2 + ` (at byte 8)`},
		{plain, "1,2,3\n", `line 1: 3 columns, expected 2` + of2 + ` (at byte 0)`},
		{plain, "p,q,r\n1,2,3\n", `line 1: 3 columns "p", "q", "r", expected 2` + of2 + ` (at byte 0)`},
		{plain, "1\n,2\n", `line 1: 1 column, expected 2` + of2 + ` (at byte 0)`},
		{plain, "1,2\n3\n,4\n", `line 2: 1 cell, expected 2 columns` + of2 + ` (at byte 5)`},
		{plain, "1,2\n3\r,4\n", `line 2: 1 cell, expected 2 columns` + of2 + ` (at byte 5)`},
		{plain, "1,2\nnull,4\n", `line 2, column 1: expected a number, found "null"` + of2 + ` (at byte 4)`},
		{plain, "1,2\n[3,4\n", `line 2, column 1: expected a number, found "[3"` + of2 + ` (at byte 4)`},
		{plain, "1,2\n\n3,4\n", `line 2: an empty line (at byte 4)`},
		{plain, "1,2\n3,x\n", `line 2, column 2: expected a number, found "x"` + of2 + ` (at byte 6)`},
		{plain, "1.5,x\n", `line 1, column 2: "x" is no number, and the line is no header: one has numbers only in quotes (at byte 4)`},
		{plain, "1,1e39\n", `line 1, column 2: 1e39 is out of range for float32` + of2 + ` (at byte 2)`},
		{plain, "1,.5\n", `line 1, column 2: expected a number, found ".5"` + of2 + ` (at byte 2)`},
		{plain, "1,+1\n", `line 1, column 2: expected a number, found "+1"` + of2 + ` (at byte 2)`},
		{plain, "1,1.\n", `line 1, column 2: a digit is expected after the point (at byte 2)`},
		{plain, "1,01\n", `line 1, column 2: a number has a leading zero (at byte 2)`},
		{plain, "1,2 3\n", `line 1, column 2: "2 3" is no number, and the line is no header: one has numbers only in quotes (at byte 2)`},
		{plain, "1,2\n1,2 3\n", `line 2, column 2: expected a number, found "2 3"` + of2 + ` (at byte 6)`},
		{plain, "1,2\n1,2x\n", `line 2, column 2: expected a number, found "2x"` + of2 + ` (at byte 6)`},
		{plain, "0,q\n1,2\n", `line 1, column 2: "q" is no number, and the line is no header: one has numbers only in quotes (at byte 2)`},
		{plain, "1,2\r3,4\n", `line 1, column 2: a carriage return without a line feed (at byte 3)`},
		{plain, "1,2\n\"3,4\n", `line 2, column 1: the text ends inside a quoted cell (at byte 9)`},
		{plain, "1,2\n\"3\" ,4\n", `line 2, column 1: text after the quote that ends a cell (at byte 7)`},
		{plain, "p,p\n", `line 1, column 2: column "p" is given twice (at byte 2)`},
		{plain, "p;q\n1;2", `line 1: 1 column "p;q", expected 2` + of2 + ` (at byte 0)`},
		{[]Spec{in(Int8, -1, 2)}, "1,\n", `line 1, column 2: expected a number, found an empty cell (input "x" int8[N,2]) (at byte 2)`},
		{[]Spec{in(Int8, -1, 2)}, "1,300\n", `line 1, column 2: 300 is out of range for int8 (-128 to 127) (input "x" int8[N,2]) (at byte 2)`},
		{[]Spec{in(Int8, -1, 2)}, "1,1.5\n", `line 1, column 2: 1.5 is not a whole number (input "x" int8[N,2]) (at byte 2)`},
		{[]Spec{in(Int8, 1, 2)}, "1,2\n3,4\n", `line 2: more than 1 row (input "x" int8[1,2]) (at byte 4)`},
		{[]Spec{in(Int8, 2, 2)}, "1,2\n", `1 row, expected 2 (input "x" int8[2,2]) (at byte 4)`},
		{[]Spec{in(Bool, -1, 1)}, "true\n1\n", `line 2, column 1: expected true or false, found a number (input "x" bool[N,1]) (at byte 5)`},
		{[]Spec{in(String, -1, 1)}, "a\"b\n", `line 1, column 1: a quote in a cell that does not begin with one (at byte 1)`},
		{[]Spec{in(String, -1, 1)}, "a\n\xff\n", `line 2, column 1: a string is not valid UTF-8 (input "x" string[N,1]) (at byte 2)`},
		{[]Spec{in(Float32, -1, 3, 2)}, "1,2\n", `line 1: 2 columns: a table needs columns named as the inputs are, or one required input of rows and columns (inputs: "x" float32[N,3,2]) (at byte 0)`},
		{ab, "1,2\n", `line 1: a header of inputs' names is expected` + list + ` (at byte 0)`},
		{ab, "a,z\n1,2\n", `line 1: unknown column "z"` + list + ` (at byte 0)`},
		{ab, "a\n1\n", `line 1: input "b" is missing among 1 column "a"` + list + ` (at byte 0)`},
		{ab, "a,b\n1\n", `line 2: 1 cell, expected 2 columns "a", "b" (input "a" float64[N,1]) (at byte 5)`},
	} {
		v, err := decodeCSV(t, c.in, DecodeOptions{}, c.text)
		got := strings.Join(shows(v), " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestCSVLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in         Spec
		o          DecodeOptions
		text, want string
	}{
		{in(Float32, -1, 2), DecodeOptions{MaxElements: 4}, "1,2\n3,4\n", ""},
		{in(Float32, -1, 2), DecodeOptions{MaxElements: 3}, "1,2\n3,4\n", "line 2, column 2: more than 3 elements"},
		{in(String, -1, 2), DecodeOptions{MaxStringBytes: 3}, "ab,c\n", ""},
		{in(String, -1, 2), DecodeOptions{MaxStringBytes: 3}, "ab,cd\n", "line 1, column 2: more than 3 bytes of strings"},
		{in(Int8, -1, 2), DecodeOptions{Lenient: true}, "true,False\n", ""},
	} {
		_, err := decodeCSV(t, []Spec{c.in}, c.o, c.text)
		if err == nil != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

func TestAppendCSV(t *testing.T) {
	t.Parallel()
	nan := Of([]float32{float32(nonFinite[0].value()), 1})
	inf := Of([]float64{nonFinite[1].value(), -0.5})
	for _, c := range []struct {
		values []Value
		o      EncodeOptions
		want   string
	}{
		{[]Value{Of([]float32{1, 2, 3, 4}, 2, 2)}, EncodeOptions{}, "1.0,2.0\n3.0,4.0\n"},
		{[]Value{Of([]int64{1, 2}), Of([]bool{true, false, false, true}, 2, 2)}, EncodeOptions{}, "1,true,false\n2,false,true\n"},
		{[]Value{nan}, EncodeOptions{}, "\"\"\n1.0\n"},
		{[]Value{nan, inf}, EncodeOptions{}, ",\n1.0,-0.5\n"},
		{[]Value{nan, inf}, EncodeOptions{NonFinite: NonFiniteToken}, "NaN,Infinity\n1.0,-0.5\n"},
		{[]Value{OfStrings([]string{"", " a", "b,c", `d"`, "e\r", "f"})}, EncodeOptions{}, "\"\"\n\" a\"\n\"b,c\"\n\"d\"\"\"\n\"e\r\"\nf\n"},
		{[]Value{Of([]float32{}, 3, 0)}, EncodeOptions{}, ""},
		{nil, EncodeOptions{}, ""},
		{[]Value{Of([]float32{1}, 1, 1, 1)}, EncodeOptions{}, "tensor: output 0 is not written as CSV: it is no tensor of rank 1 or 2"},
		{[]Value{Scalar(int8(1))}, EncodeOptions{}, "tensor: output 0 is not written as CSV: it is no tensor of rank 1 or 2"},
		{[]Value{Of([]int8{1}), Of([]int8{1, 2})}, EncodeOptions{}, "tensor: output 1 has 2 rows and output 0 has 1: they are not written side by side as CSV"},
		{[]Value{OfStrings([]string{"\xff"})}, EncodeOptions{}, `output 0: tensor: a string is not valid UTF-8: "\xff"`},
		{[]Value{{Tensor: Tensor{DType: Int8, Shape: []int64{2}}}}, EncodeOptions{}, "output 0: tensor: 0 bytes for int8 of shape [2]"},
	} {
		got, err := AppendCSV(nil, c.values, c.o)
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestAppendRows(t *testing.T) {
	t.Parallel()
	x, y := Of([]float32{1, 2, 3, 4}, 2, 2), OfStrings([]string{"a", "b"})
	zip := Value{Kind: KindSequence, Items: []Value{
		{Kind: KindMap, Items: []Value{Of([]int64{7}), Of([]float32{0.5})}}, {Kind: KindMap, Items: []Value{Of([]int64{7}), Of([]float32{1})}},
	}}
	for _, c := range []struct {
		values []Value
		want   string
	}{
		{[]Value{x}, `[[1.0,2.0],[3.0,4.0]]`},
		{[]Value{y}, `["a","b"]`},
		{[]Value{zip}, `[{"7":0.5},{"7":1.0}]`},
		{[]Value{x, y, zip}, `[{"o0":[1.0,2.0],"o1":"a","o2":{"7":0.5}},{"o0":[3.0,4.0],"o1":"b","o2":{"7":1.0}}]`},
		{[]Value{Of([]int8{}, 0, 3)}, `[]`},
		{[]Value{Of([]int8{}, 2, 0, 3)}, `[[],[]]`},
		{[]Value{{Tensor: Tensor{DType: Int4, Shape: []int64{3, 1}, Data: []byte{0x21, 0x0f}}}}, `[[1],[2],[-1]]`},
		{[]Value{x, Of([]int8{1})}, `tensor: output "o1" has 1 row and output "o0" has 2: they do not go together`},
		{[]Value{Scalar(int8(1))}, `output "o0": tensor: neither a list nor a tensor of rank 1 or more: it has no rows`},
		{[]Value{None()}, `output "o0": tensor: neither a list nor a tensor of rank 1 or more: it has no rows`},
		{[]Value{Of([]int8{}, 1<<40, 0)}, `output "o0": tensor: shape [1099511627776 0] has too many empty arrays to be written`},
		{nil, `tensor: no values to write rows of`},
	} {
		got, err := AppendRows(nil, []string{"o0", "o1", "o2"}[:len(c.values)], c.values, EncodeOptions{})
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if _, err := AppendRows(nil, []string{"a"}, nil, EncodeOptions{}); err == nil {
		t.Error("a name without a value is accepted")
	}
}
