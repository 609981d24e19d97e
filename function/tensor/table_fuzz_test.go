package tensor

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// No text makes a table panic or be accepted that encoding/json does not take for JSON.
func FuzzTable(f *testing.F) {
	seed(f, append([]string{
		`[{"a":1,"b":"x"},{"b":{"b64":"YWI="},"a":[2]}]`, `{"columns":["a","b"],"index":[0],"data":[[1,"x"]]}`, `[{"a":{"b64":"AQI="}},{"a":[1,2]}]`,
		`{"data":[[1,2]],"columns":[0,1]}`, `[{"p":1,"q":2},{"q":1,"p":2}]`, `[{"\u0061":1}]`, `[{"a":[[1],[2]]},{"a":[[3],[4]]}]`, `{"a":{"b64":"AQI="}}`,
		`[[{"b64":"AQID"},{"b64":"BAUG"}]]`, `{"columns":["a"],"data":[]}`, `[{"a":[]},{"a":[]}]`, `[{"a":null}`, `[{"a" :1 ,"b": 2 } ] `,
	}, seeds...))
	var decoders []*Decoder
	for _, specs := range [][]Spec{
		{named("a", in(Float32, -1, 1)), optional(named("b", in(String, -1)))},
		{named("a", open(Uint8)), optional(named("b", open(String)))},
		{in(Float64, -1, -1)},
		{open(String)},
		{in(Uint8, -1, 3)},
		{open(Uint8)},
		{named("a", in(Int4, -1, 2)), named("b", of(KindSequence, in(Int8).Type))},
		{named("data", in(Int64, -1, -1))},
		{of(KindSequence, open(Uint8).Type)},
	} {
		decoders = append(decoders, NewDecoder(specs, DecodeOptions{}))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tokens := strings.Contains(string(text), "NaN") || strings.Contains(string(text), "Infinity")
		for _, d := range decoders {
			b := GetBatch()
			err := d.JSON(text, b)
			if err != nil {
				if e, ok := errors.AsType[*Error](err); !ok || e.Offset > len(text) || e.Msg == "" || len(b.Values) != 0 {
					t.Fatalf("%q: %#v", text, err)
				}
			} else if !tokens && !json.Valid(text) {
				t.Fatalf("%q is accepted %s", text, d.list())
			}
			checkValues(t, text, b.Values)
			b.Release()
		}
	})
}

// checkValues finds values whose elements do not fit their shape.
func checkValues(t *testing.T, text []byte, values []Value) {
	t.Helper()
	for k := range values {
		if values[k].Kind == KindTensor {
			if _, err := check(&values[k].Tensor); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	}
}

// A random table is the same values in all its forms.
func FuzzTableForms(f *testing.F) {
	for i := range uint64(20) {
		f.Add(i, uint8(i), uint8(i*3))
	}
	f.Fuzz(func(t *testing.T, s uint64, rows, width uint8) {
		r := rand.New(rand.NewPCG(s, 1))
		n, c := int(rows%20)+1, int(width%10)+1
		d := []DType{Float32, Float64, Int64, Uint8, Float16, Bool, Int4}[s%7]
		one := NewDecoder([]Spec{in(d, -1, -1)}, DecodeOptions{})
		want := random(r, d, int64(n*c))
		want.Shape = []int64{int64(n), int64(c)}
		o := EncodeOptions{NonFinite: NonFiniteToken}
		array, err := want.AppendJSON(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := AppendCSV(nil, []Value{want}, o)
		if err != nil {
			t.Fatal(err)
		}
		var specs []Spec
		var names []string
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(string(lines)), "\n", ","), ",")
		for k := range c {
			names = append(names, strconv.Quote("c"+strconv.Itoa(k)))
			specs = append(specs, named("c"+strconv.Itoa(k), in(d, -1, 1)))
		}
		var records, inOrder []string
		order := r.Perm(c)
		for row := range n {
			var members, line []string
			for _, k := range order {
				line = append(line, cells[row*c+k])
			}
			inOrder = append(inOrder, strings.Join(line, ","))
			for n, k := range r.Perm(c) {
				if row == 0 {
					k = order[n]
				}
				members = append(members, names[k]+": "+cells[row*c+k])
			}
			records = append(records, "{"+strings.Join(members, ", ")+"}")
		}
		header := strings.Join(names, ",")
		split := fmt.Sprintf(`{"columns":[%s],"data":%s}`, header, array)
		list := "[" + strings.Join(records, ",") + "]"
		each := NewDecoder(specs, DecodeOptions{})
		check := func(form string, whole bool, read func(b *Batch) error) {
			t.Helper()
			b := new(Batch)
			if err := read(b); err != nil {
				t.Fatalf("%s: %v\n%s", form, err, split)
			}
			got := b.Values
			if !whole {
				got = []Value{sideBySide(b.Values)}
			}
			if show(got[0]) != show(want) {
				t.Fatalf("%s:\n got %s\nwant %s", form, show(got[0]), show(want))
			}
		}
		check("array", true, func(b *Batch) error { return one.JSON(array, b) })
		check("split", true, func(b *Batch) error { return one.JSON([]byte(split), b) })
		check("csv", true, func(b *Batch) error { return one.CSV(lines, b) })
		check("csv header", true, func(b *Batch) error { return one.CSV([]byte(header+"\n"+string(lines)), b) })
		check("split, inputs", false, func(b *Batch) error { return each.JSON([]byte(split), b) })
		check("records, inputs", false, func(b *Batch) error { return each.JSON([]byte(list), b) })
		check("csv, inputs", false, func(b *Batch) error { return each.CSV([]byte(header+"\n"+string(lines)), b) })
		check("records", true, func(b *Batch) error {
			if err := one.JSON([]byte(list), b); err != nil {
				return err
			}
			ordered := new(Batch) // the columns are in the order of the first record
			text := strings.Join(inOrder, "\n")
			if err := one.CSV([]byte(text), ordered); err != nil {
				return err
			}
			if show(b.Values[0]) != show(ordered.Values[0]) {
				t.Fatalf("records:\n got %s\nwant %s", show(b.Values[0]), show(ordered.Values[0]))
			}
			return one.JSON(array, b)
		})
	})
}

// sideBySide is a table of columns as one tensor.
func sideBySide(columns []Value) Value {
	var text []byte
	n := columns[0].Shape[0]
	rows := make([][]byte, n)
	for k := range columns {
		lines, _ := AppendCSV(nil, columns[k:k+1], EncodeOptions{NonFinite: NonFiniteToken})
		for r, line := range bytes.SplitN(bytes.TrimSpace(lines), []byte{'\n'}, int(n)) {
			rows[r] = append(append(rows[r], line...), ',')
		}
	}
	for r := range rows {
		text = append(append(text, rows[r][:len(rows[r])-1]...), '\n')
	}
	b := new(Batch)
	if err := NewDecoder([]Spec{in(columns[0].DType, -1, -1)}, DecodeOptions{}).CSV(text, b); err != nil {
		return OfStrings([]string{err.Error()})
	}
	return b.Values[0]
}

// What CSV accepts is what encoding/csv reads, and is written and read again as the same.
func FuzzCSV(f *testing.F) {
	seed(f, []string{"1,2\n3,4\n", "\ufeff1\r\n2", "a,b\n1,2\n", "\"1\",\" 2 \"\n", "\"a\"\"b\",\n", "nan,inf\n,-inf", "x\n1\n", "1,2\n\n", "1\n\n2", "\"\n\"", " 1 ,2\t\n", "1,.5", "01", "1e400", "\"a", "a\"b", "\r", "0,q\n1,2"})
	var decoders []*Decoder
	for _, specs := range [][]Spec{
		{in(String, -1, -1)},
		{in(Float64, -1, -1)},
		{open(Float32)},
		{in(Int8, -1)},
		{in(Bool, -1, 2)},
		{in(Float16, -1, -1)},
		{named("a", in(Float32, -1, 1)), named("b", in(String, -1))},
	} {
		decoders = append(decoders, NewDecoder(specs, DecodeOptions{}))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for k, d := range decoders {
			b, again := GetBatch(), GetBatch()
			if err := d.CSV(text, b); err != nil {
				if e, ok := errors.AsType[*Error](err); !ok || e.Offset > len(text) || e.Msg == "" || len(b.Values) != 0 {
					t.Fatalf("%q: %#v", text, err)
				}
				continue
			}
			checkValues(t, text, b.Values)
			if len(b.Values) > 1 || b.Values[0].Shape[0] == 0 || k == 2 && len(b.Values[0].Shape) == 1 { // an open rank follows the form
				continue
			}
			lines, err := AppendCSV(nil, b.Values, EncodeOptions{NonFinite: NonFiniteToken})
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			header := ""
			if v := &b.Values[0]; v.DType == String && v.Shape[len(v.Shape)-1] == 1 && strings.TrimSpace(v.Strings[0]) == "x" {
				header = "x\n" // else it would be one
			}
			if err := d.CSV([]byte(header+string(lines)), again); err != nil || show(again.Values[0]) != show(b.Values[0]) {
				t.Fatalf("%q: %s, written as %q and read as %v %v", text, show(b.Values[0]), lines, again.Values, err)
			}
			if k == 0 && !bytes.ContainsAny(text, "\r") {
				sameAsEncodingCSV(t, text, b.Values[0])
			}
			b.Release()
			again.Release()
		}
	})
}

func sameAsEncodingCSV(t *testing.T, text []byte, v Value) {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.FieldsPerRecord = int(v.Shape[1])
	rows, err := r.ReadAll()
	var cells []string
	for _, row := range rows {
		cells = append(cells, row...)
	}
	if len(cells) > len(v.Strings) && strings.TrimSpace(cells[0]) == "x" {
		cells = cells[1:]
	}
	if err != nil || !reflect.DeepEqual(cells, v.Strings) {
		t.Fatalf("%q: %q, encoding/csv: %q %v", text, v.Strings, cells, err)
	}
}
