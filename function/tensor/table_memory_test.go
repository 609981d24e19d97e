package tensor

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// What a hostile table costs in memory is bounded by its text.
func TestTableMemoryFollowsTheText(t *testing.T) { //nolint:paralleltest // it measures what is allocated
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	many := func(n int, sep string, part func(i int) string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteString(sep)
			}
			b.WriteString(part(i))
		}
		return b.String()
	}
	one := func(int) string { return "1" }
	key := func(i int) string { return strconv.Quote(strconv.FormatInt(int64(i), 36)) }
	free, wide := []Spec{in(Float64, -1, -1)}, []Spec{in(Float64, -1, 1<<20), named("y", in(Uint8, -1, 1<<20))}
	for _, c := range []struct {
		name string
		in   []Spec
		csv  bool
		text string
	}{
		{"records of other keys", free, false, "[" + many(500_000, ",", func(i int) string { return "{" + key(i) + ":1}" }) + "]"},
		{"a record of many keys", free, false, "[{" + many(200_000, ",", func(i int) string { return key(i) + ":1" }) + "}]"},
		{"many columns", free, false, `{"columns":[` + many(200_000, ",", key) + `],"data":[[` + many(200_000, ",", one) + "]]}"},
		{"many columns, no cells", free, false, `{"columns":[` + many(200_000, ",", key) + `],"data":[[1],[1]]}`},
		{"empty records", free, false, "[" + strings.Repeat("{},", 500_000) + "{}]"},
		{"deep cells", []Spec{open(Float32)}, false, `[{"x":` + strings.Repeat("[", 1_000_000)},
		{"deep cells of a wrong input", free, false, `[{"x":` + strings.Repeat(`{"x":`, 200_000)},
		{"a long cell, then short ones", []Spec{open(Float64)}, false, `[{"x":[` + many(200_000, ",", one) + `]},` + many(10, ",", func(int) string { return `{"x":[1]}` }) + "]"},
		{"wide inputs", wide, false, `[{"x":[1,2],"y":{"b64":"AQID"}}]`},
		{"rows of nothing", []Spec{in(Float64, -1, 0)}, false, "[" + many(200_000, ",", func(int) string { return `{"x":[]}` }) + "]"},
		{"strings", []Spec{named("x", in(String, -1))}, false, "[" + many(100_000, ",", func(int) string { return `{"x":""}` }) + "]"},
		{"a line of cells", free, true, many(500_000, ",", one)},
		{"a line of empty cells", free, true, many(500_000, ",", func(int) string { return "" })},
		{"a line of names", free, true, many(200_000, ",", func(i int) string { return "k" + strconv.FormatInt(int64(i), 36) }) + "\n1\n"},
		{"short lines", free, true, many(500_000, "\n", one)},
		{"lines of strings", []Spec{in(String, -1)}, true, many(200_000, "\n", func(int) string { return "a" })},
		{"blank lines", free, true, "1" + strings.Repeat("\n", 500_000) + "1"},
	} {
		var before, after runtime.MemStats
		text := []byte(c.text)
		d, b := NewDecoder(c.in, DecodeOptions{}), new(Batch)
		runtime.ReadMemStats(&before)
		if c.csv {
			_ = d.CSV(text, b)
		} else {
			_ = d.JSON(text, b)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(64*len(text)+1<<16) { // garbage of growing slices and maps counted
			t.Errorf("%s: %d bytes for a text of %d", c.name, n, len(text))
		}
		b.Release()
	}
}

func TestTablesReuseMemory(t *testing.T) {
	t.Parallel()
	b := new(Batch)
	d := NewDecoder([]Spec{named("x", in(Float32, -1, 1)), named("s", in(String, -1)), optional(named("y", open(Int8)))}, DecodeOptions{})
	for _, text := range []string{
		`[{"x":1,"s":"a","y":[1,2]},{"y":[3,4],"s":"bb","x":2}]`,
		`{"columns":["s","x"],"data":[["c",3]]}`,
		`[{"x":1,"s":"a","y":[1]},{"x":1,"s":"a","y":[1]},{"x":1,"s":"a","y":[1,2]}]`,
		`[{"y":5,"s":{"b64":""},"x":9}]`,
		`{"x":[[1]],"s":["z"]}`,
	} {
		fresh := new(Batch)
		err, want := d.JSON([]byte(text), b), d.JSON([]byte(text), fresh)
		if fmt.Sprint(err) != fmt.Sprint(want) || !reflect.DeepEqual(shows(b.Values), shows(fresh.Values)) {
			t.Errorf("%s: %v %v, want %v %v", text, shows(b.Values), err, shows(fresh.Values), want)
		}
		b.Release()
		b = GetBatch()
	}
}

func TestTablesDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	two := []Spec{named("a", in(Float32, -1, 1)), named("b", in(Int64, -1, 2))}
	for _, c := range []struct {
		in   []Spec
		csv  bool
		text string
		most float64
	}{
		{plain, false, `[{"p":1,"q":2.5},{"q":3,"p":4}]`, 0},
		{plain, false, `{"columns":["p","q"],"data":[[1,2.5],[3,4]]}`, 2},
		{two, false, `[{"a":1,"b":[1,2]},{"b":[3,4],"a":2}]`, 0},
		{two, false, `{"columns":["b","a"],"data":[[[1,2],1],[[3,4],2]]}`, 1},
		{[]Spec{in(Uint8, -1, 3)}, false, `[{"b64":"AQID"},{"b64":"BAUG"}]`, 0},
		{plain, true, "1,2.5\n3,\n", 3}, // an error that goes nowhere
	} {
		d, b := NewDecoder(c.in, DecodeOptions{}), new(Batch)
		text := []byte(c.text)
		read := d.JSON
		if c.csv {
			read = d.CSV
		}
		if n := testing.AllocsPerRun(100, func() {
			if err := read(text, b); err != nil {
				t.Fatal(err)
			}
		}); n > c.most {
			t.Errorf("%s: %v allocations, expected %v", c.text, n, c.most)
		}
	}
}
