package tensor

import (
	"strings"
	"testing"
)

var (
	columns = []Spec{named("a", in(Float32, -1, 1)), named("b", in(String, -1)), optional(named("c", in(Int64, -1, 2)))}
	plain   = []Spec{in(Float32, -1, 2)}
)

func TestTables(t *testing.T) {
	t.Parallel()
	open2 := []Spec{named("a", open(Float32)), named("b", open(Uint8))}
	for _, c := range []struct {
		in         []Spec
		text, want string
	}{
		// One tensor of rows and columns.
		{plain, `{"columns":["p","q"],"index":[0,"r"],"data":[[1,2],[3,null]]}`, `float32[2 2] [[1.0,2.0],[3.0,NaN]]`},
		{plain, ` { "data" : [ [1, 2] ] , "columns" : [ 0 , 1 ] } `, `float32[1 2] [[1.0,2.0]]`},
		{plain, `{"columns":["p","q"],"data":[]}`, `float32[0 2] []`},
		{[]Spec{open(Int64)}, `{"columns":["p","q"],"data":[[1,2]]}`, `int64[1 2] [[1,2]]`},
		{[]Spec{in(String, -1)}, `{"columns":["p"],"data":[["x"],["y"]]}`, `string[2] ["x","y"]`},
		{plain, `[{"p":1,"q":2},{"q":4,"p":3}]`, `float32[2 2] [[1.0,2.0],[3.0,4.0]]`},
		{plain, " [ {\n\"p\" : 1 ,\t\"q\":NaN } , { \"p\":3, \"q\":4 } ]\n", `float32[2 2] [[1.0,NaN],[3.0,4.0]]`},
		{plain, `[{"p\u0022":1,"q":2},{"q":4,"p\"":3}]`, `float32[2 2] [[1.0,2.0],[3.0,4.0]]`},
		{[]Spec{in(String, -1, -1)}, `[{"p":"1","q":"2"},{"q":"4","p":{"b64":"MzM="}}]`, `string[2 2] [["1","2"],["33","4"]]`},
		{[]Spec{in(String, -1)}, `[{"p":"1"},{"p":"2"}]`, `string[2] ["1","2"]`},
		{[]Spec{in(Int4, -1, 3)}, `[{"p":1,"q":2,"r":-8}]`, `int4[1 3] [[1,2,-8]]`},
		{[]Spec{in(Bool, -1, 2)}, `[{"p":true,"q":false}]`, `bool[1 2] [[true,false]]`},
		{[]Spec{of(KindOptional, in(Float32, -1, 1).Type)}, `[{"p":1}]`, `float32[1 1] [[1.0]]`},
		// An input a column.
		{columns, `{"columns":["b","a"],"data":[["x",1],["y",null]]}`, `float32[2 1] [[1.0],[NaN]] string[2] ["x","y"] none`},
		{columns, `[{"c":[1,2],"b":"x","a":1},{"b":"yy","c":[3,4],"a":[5]}]`, `float32[2 1] [[1.0],[5.0]] string[2] ["x","yy"] int64[2 2] [[1,2],[3,4]]`},
		{columns, `{"columns":["a","b","c"],"data":[]}`, `float32[0 1] [] string[0] [] int64[0 2] []`},
		{open2, `[{"a":1,"b":[1]},{"a":2,"b":[2]}]`, `float32[2] [1.0,2.0] uint8[2 1] [[1],[2]]`},
		{open2, `[{"a":[[1,2],[3,4]],"b":{"b64":"AQI="}},{"a":[[5,6],[7,8]],"b":[3,4]}]`, `float32[2 2 2] [[[1.0,2.0],[3.0,4.0]],[[5.0,6.0],[7.0,8.0]]] uint8[2 2] [[1,2],[3,4]]`},
		{[]Spec{in(Float32, -1, 3)}, `[{"x":[1,2,3]},{"x":[4,5,6]}]`, `float32[2 3] [[1.0,2.0,3.0],[4.0,5.0,6.0]]`},
		{[]Spec{in(Float32, -1, -1)}, `{"columns":["x"],"data":[[1],[2]]}`, `float32[2 1] [[1.0],[2.0]]`},
		{[]Spec{in(String, -1, -1)}, `[{"x":["p","q"]},{"x":["r","s"]}]`, `string[2 2] [["p","q"],["r","s"]]`},
		{[]Spec{in(Float32, -1, 0)}, `[{"x":[]},{"x":[]}]`, `float32[2 0] [[],[]]`},
		// What is no table.
		{[]Spec{named("data", in(Float32, -1))}, `{"data":[1]}`, `float32[1] [1.0]`},
		{[]Spec{named("data", in(Float32, -1, -1))}, `{"data":[[1]],"columns":["z"]}`, `float32[1 1] [[1.0]]`},
		{[]Spec{named("data", in(Float32, -1)), named("columns", in(String, -1))}, `{"data":[1],"columns":["z"]}`, `float32[1] [1.0] string[1] ["z"]`},
		{[]Spec{{Name: "x", Type: mapOf(String, Float32)}}, `{"columns":1,"data":2}`, `2(string[2] ["columns","data"]; float32[2] [1.0,2.0])`},
		{[]Spec{of(KindSequence, mapOf(String, Float32))}, `[{"a":1}]`, `1(2(string[1] ["a"]; float32[1] [1.0]))`},
	} {
		v, err := decode(t, c.in, DecodeOptions{}, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if got := strings.Join(shows(v), " "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestTablesRefuse(t *testing.T) {
	t.Parallel()
	const list = `(inputs: "a" float32[N,1], "b" string[N], "c" int64[N,2] optional)`
	const of2 = ` (input "x" float32[N,2])`
	for _, c := range []struct {
		in         []Spec
		text, want string
	}{
		{plain, `{"columns":["p"],"data":[[1]]}`, `data: 1 column "p", expected 2` + of2 + ` (at byte 11)`},
		{plain, `[{"p":1,"q":2,"r":3}]`, `data: 3 columns "p", "q", "r", expected 2` + of2 + ` (at byte 1)`},
		{plain, `{"columns":["p","q"],"data":[[1,2],[3]]}`, `data.data[1]: 1 value, expected 2` + of2 + ` (at byte 37)`},
		{plain, `{"columns":["p","q"],"data":[[1,"z"]]}`, `data.data[0][1]: expected a number, found a string` + of2 + ` (at byte 32)`},
		{plain, `{"columns":["p","p"],"data":[]}`, `data.columns[1]: column "p" is given twice (at byte 16)`},
		{plain, `{"columns":["p",null],"data":[]}`, `data.columns[1]: expected a name, found null (at byte 16)`},
		{plain, `{"columns":"p","data":[]}`, `data.columns: expected an array of names, found a string (at byte 11)`},
		{plain, `{"columns":[],"data":[]}`, `data: a table without columns (inputs: "x" float32[N,2]) (at byte 11)`},
		{plain, `{"columns":["p","q"],"data":[],"dtypes":[]}`, `data: unknown member "dtypes" of a table (columns, index, data) (at byte 40)`},
		{plain, `{"columns":["p","q"],"data":[],"data":[]}`, `data: member "data" of a table is given twice (at byte 38)`},
		{plain, `{"columns":["p","q"],"data":[[1,2]],"index":[0,1]}`, `data.index: 2 labels for 1 row (at byte 44)`},
		{plain, `{"columns":["p","q"],"data":[[1,2]],"index":[,]}`, `data.index[0]: expected a value (at byte 45)`},
		{plain, `{"columns":["p","q"]}`, `data: unknown input "columns" (inputs: "x" float32[N,2]) (at byte 11)`},
		{plain, `{"columns":["x","q"],"data":[[1,2]]}`, `data: unknown column "q" (inputs: "x" float32[N,2]) (at byte 11)`},
		{plain, `[{"p":1,"q":2},{"p":1}]`, `data[1].q: the column is missing, which the first record has (at byte 21)`},
		{plain, `[{"p":1,"q":2},{"p":1,"q":2,"r":3}]`, `data[1].r: the first record does not have this column (2 columns "p", "q") (at byte 28)`},
		{plain, `[{"p":1,"q":2},{"p":1,"p":2}]`, `data[1].p: the column is given twice (at byte 22)`},
		{plain, `[{"p":1,"p":2}]`, `data[0]: column "p" is given twice (at byte 8)`},
		{plain, `[{"p":1,"q":2},{}]`, `data[1].p: the column is missing, which the first record has (at byte 16)`},
		{plain, `[{"p":1,"q":2},[3]]`, `data[1]: expected an object, found an array (at byte 15)`},
		{plain, `[{"p":1,"q":2},{"p":1,"q":true}]`, `data[1].q: expected a number, found a boolean` + of2 + ` (at byte 26)`},
		{plain, `[{"p":1,"q":2},{"p":1,"q":[2]}]`, `data[1].q: expected a number, found an array` + of2 + ` (at byte 26)`},
		{plain, `[{"p":1,"q":2},{"p":1e39,"q":[2]}]`, `data[1].p: 1e39 is out of range for float32` + of2 + ` (at byte 20)`},
		{plain, `[{"p":1,"q":2},{"p":1,}]`, `data[1]: expected a member name in double quotes, found '}' (at byte 22)`},
		{plain, `[{"p":1 "q":2}]`, `data[0]: expected ',' or '}', found a string (at byte 8)`},
		{plain, `[{"p" 1}]`, `data[0]: expected ':' after a member name, found a number (at byte 6)`},
		{plain, `[{"p":1,"q":2}`, `data: the text ends inside an array (at byte 14)`},
		{plain, `[{"p":1,"q":2}]]`, `data: unexpected text after the value (at byte 15)`},
		{plain, `[{}]`, `data: a table without columns (inputs: "x" float32[N,2]) (at byte 1)`},
		{plain, `[{"x":1,"q":2}]`, `data: unknown column "q" (inputs: "x" float32[N,2]) (at byte 1)`},
		{plain, `[{"x":1}]`, `data[0].x: expected an array of rank 1, found a number` + of2 + ` (at byte 6)`},
		{columns, `[{"p":1,"q":2}]`, `data: 2 columns "p", "q": a table needs columns named as the inputs are, or one required input of rows and columns ` + list + ` (at byte 1)`},
		{columns, `[{"a":1,"q":2,"r":3}]`, `data: unknown columns "q", "r" ` + list + ` (at byte 1)`},
		{columns, `[{"a":1}]`, `data: input "b" is missing among 1 column "a" ` + list + ` (at byte 1)`},
		{columns, `{"columns":["a","b"],"data":[[1]]}`, `data.data[0]: 1 cell, expected 2 columns "a", "b" (at byte 31)`},
		{columns, `{"columns":["a","b"],"data":[[]]}`, `data.data[0]: 0 cells, expected 2 columns "a", "b" (at byte 30)`},
		{columns, `{"columns":["a","b"],"data":[[1,"x",2]]}`, `data.data[0]: more than 2 cells, expected 2 columns "a", "b" (at byte 36)`},
		{columns, `{"columns":["a","b"],"data":[[1,2]]}`, `data.data[0][1]: expected a string, found a number (input "b" string[N]) (at byte 32)`},
		{columns, `{"columns":["a","b"],"data":5}`, `data.data: expected an array of rows, found a number (at byte 28)`},
		{columns, `{"columns":["a","b"],"data":[5]}`, `data.data[0]: expected an array of cells, found a number (at byte 29)`},
		{columns, `[{"a":1,"b":"x","c":[1]}]`, `data[0].c: 1 value, expected 2 (input "c" int64[N,2]) (at byte 22)`},
		{columns, `[{"a":[1,2],"b":"x"}]`, `data[0].a: 2 values, expected 1 (input "a" float32[N,1]) (at byte 9)`},
		{[]Spec{open(Int8)}, `[{"x":[1,2]},{"x":[3]}]`, `data[1].x: 1 value, expected 2 as in its siblings (input "x" int8[...]) (at byte 20)`},
		{[]Spec{open(Int8)}, `[{"x":[1,2]},{"x":3}]`, `data[1].x: expected an array of rank 1, found a number (input "x" int8[...]) (at byte 18)`},
		{[]Spec{open(Uint8)}, `[{"x":{"b64":"AQI="}},{"x":{"b64":"AQIDBAUG"}}]`, `data[1].x: 6 bytes, expected 2 (input "x" uint8[...]) (at byte 27)`},
		{[]Spec{open(Uint8)}, `[{"x":{"b64":"AQI="}},{"x":{"b64":"AQ=="}}]`, `data[1].x: 1 value, expected 2 as in its siblings (input "x" uint8[...]) (at byte 40)`},
		{plain, `[{"p":1,"q":`, `data[0]: the text ends where a value is expected (at byte 12)`},
		{plain, `[{"p":1,"q"`, `data[0]: expected ':' after a member name, found the end of the text (at byte 11)`},
		{plain, `[{"p":1,2}]`, `data[0]: expected a member name in double quotes, found a number (at byte 8)`},
		{plain, `[{"p":1,"q":2},{"p":1,"q" 2}]`, `data[1].q: expected ':' after a member name, found a number (at byte 26)`},
		{plain, `[{"p":1,"q":2},{"p":1 "q":2}]`, `data[1]: expected ',' or '}', found a string (at byte 22)`},
		{plain, `[{"p":1,"q":2},{"\x":1}]`, `data[1]: an unknown escape in a string (at byte 17)`},
		{plain, `[{"\x":1}]`, `data[0]: an unknown escape in a string (at byte 3)`},
		{plain, `{"columns":["p","q"],"data":[[1,2]],"index":5}`, `data.index: expected an array of labels, found a number (at byte 44)`},
		{plain, `{"columns":["p","q"] ,"data":[[1,2]]]}`, `data.data: unexpected text after the value (at byte 36)`},
		{columns, `{"columns":["a","b"],"data":[[1,"x"] 5]}`, `data.data: expected ',' or ']', found a number (at byte 37)`},
		{[]Spec{in(Int8, 2, 1)}, `[{"x":1}]`, `data: 1 row, expected 2 (input "x" int8[2,1]) (at byte 9)`},
		{[]Spec{in(Int8, 1, 1)}, `[{"x":1},{"x":2}]`, `data[1]: more than 1 row (input "x" int8[1,1]) (at byte 9)`},
		{[]Spec{in(Int8)}, `[{"x":1}]`, `data: the input is a single value and takes no column of a table (input "x" int8[]) (at byte 1)`},
		{[]Spec{in(Int8, -1), of(KindSequence, in(Int8).Type)}, `[{"x":1}]`, `data: the input takes no column of a table (input "x" seq(int8[])) (at byte 1)`},
		{[]Spec{in(Int8, -1, 2, 2)}, `[{"p":1}]`, `data: 1 column "p": a table needs columns named as the inputs are, or one required input of rows and columns (inputs: "x" int8[N,2,2]) (at byte 1)`},
	} {
		v, err := decode(t, c.in, DecodeOptions{}, c.text)
		if err == nil {
			t.Errorf("%s is accepted as %s", c.text, shows(v))
		} else if err.Error() != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.text, err, c.want)
		}
	}
}
