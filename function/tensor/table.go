package tensor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// table is the state of a table that is read: rows of cells under named columns, whatever text they come in. Its cells go to lanes:
// one for each input that is a column, or one for all columns, which then are the second dimension of the one required input.
type table struct {
	cols  []column
	index map[string]int32 // columns by name
	lanes []lane           // of inputs: in the order of the columns
	lane  *lane            // whose elements the scan reads
	whole bool             // lanes[0] takes all columns
	flat  bool             // whole, and the one column's input has no second dimension
	width int              // columns
	rows  int              // that were read before the one at hand
	odd   int              // rows that csvQuick could not read
	most  int64            // rows; negative where any number is allowed
}

// column is small: a hostile text has a million of them.
type column struct {
	name  string // a part of the text, where that has no escape in it
	plain bool   // it has none
	row   int32  // the last record that had it, counted from 1
}

// lane is an input that is read cell by cell.
type lane struct {
	slot  *slot
	spec  *Spec
	cell  Type // of one cell
	c     *codec
	input int
	sized bool    // a cell was read: its sizes are the others'
	sizes []int64 // of a cell
	n     int     // elements of a cell
	spans []span  // of strings, in scan.strings
}

type span struct{ start, end int }

// clear lets go of what the table does not own.
func (t *table) clear() {
	clear(t.cols)
	clear(t.index)
	t.cols, t.lane = t.cols[:0], nil
	for k := range t.lanes {
		l := &t.lanes[k]
		l.slot, l.spec, l.cell.Shape = nil, nil, nil
	}
	t.lanes = t.lanes[:0]
}

// trim gives back memory that is too much to keep.
func (t *table) trim() {
	if cap(t.cols)*int(unsafe.Sizeof(column{})) > keepBytes {
		t.cols, t.index = nil, nil
	}
	for k := range t.lanes[:cap(t.lanes)] {
		if l := &t.lanes[:cap(t.lanes)][k]; cap(l.spans)*int(unsafe.Sizeof(span{})) > keepBytes {
			l.spans = nil
		}
	}
}

// column adds the column whose name is the JSON string at text[i] and gives the offset after it.
func (s *scan) column(i int) (int, error) {
	end, escaped, err := jsonscan.String(s.text, i)
	if err != nil {
		return i, scanError(err)
	}
	if escaped {
		if s.key, _, err = jsonscan.Unquote(s.text, i, s.key[:0]); err != nil {
			return i, scanError(err)
		}
		return end, s.columnOf(i, string(s.key), false)
	}
	return end, s.columnOf(i, textOf(s.text[i+1:end-1]), true)
}

// textOf is b as a string over the same memory.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (s *scan) columnOf(i int, name string, plain bool) error {
	t := &s.table
	if t.index == nil {
		t.index = map[string]int32{}
	}
	if _, twice := t.index[name]; twice {
		return s.syntax(i, "column %s is given twice", short(name))
	}
	if s.strLeft -= len(name); s.strLeft < 0 {
		return s.syntax(i, "more than %d bytes of strings", s.o.MaxStringBytes)
	}
	t.index[name] = int32(len(t.cols))
	t.cols = append(t.cols, column{name: name, plain: plain})
	return nil
}

// plan decides what the columns are: inputs, or the second dimension of one. text[i] is where to say that they are neither.
func (d *Decoder) plan(s *scan, i int, into *Batch) error {
	t := &s.table
	known := 0
	for c := range t.cols {
		if _, ok := d.byName[t.cols[c].name]; ok {
			known++
		}
	}
	t.width, t.rows, t.most = len(t.cols), 0, -1
	switch {
	case t.width == 0:
		return s.syntax(i, "a table without columns %s", d.list())
	case known < t.width && known > 0:
		unknown := func(name string) bool { _, ok := d.byName[name]; return !ok }
		return s.syntax(i, "unknown %s %s", strings.TrimLeft(t.names(unknown), "0123456789 "), d.list())
	case known == 0:
		return d.planWhole(s, i, t.width, into)
	}
	s.strings = s.strings[:0]
	t.whole = false
	for c := range t.cols {
		k := d.byName[t.cols[c].name]
		l := s.lane(d, k, into)
		s.spec = l.spec
		declared := within(&l.spec.Type)
		if l.c == nil || declared.Kind != KindTensor {
			return s.fault(i, "the input takes no column of a table")
		}
		l.cell = Type{DType: declared.DType}
		if declared.Ranked {
			if len(declared.Shape) == 0 {
				return s.fault(i, "the input is a single value and takes no column of a table")
			}
			l.cell.Ranked, l.cell.Shape = true, declared.Shape[1:]
			if n := declared.Shape[0]; n >= 0 && (t.most < 0 || n < t.most) {
				t.most = n
			}
		}
	}
	for k := range d.inputs { // here, as the columns are all there will be
		if in := &d.inputs[k]; !in.Optional {
			if _, ok := t.index[in.Name]; !ok {
				return s.syntax(i, "input %q is missing among %s %s", in.Name, t.names(nil), d.list())
			}
		}
	}
	return nil
}

// planWhole makes all columns, which need have no names, the second dimension of the one required input.
func (d *Decoder) planWhole(s *scan, i, width int, into *Batch) error {
	t := &s.table
	t.width = width
	var declared *Type
	if d.required == 1 {
		declared = within(&d.inputs[d.only].Type)
	}
	if declared == nil || declared.Kind != KindTensor || codecOf(declared.DType) == nil ||
		declared.Ranked && len(declared.Shape) != 2 && (len(declared.Shape) != 1 || width != 1) {
		return s.syntax(i, "%s: a table needs columns named as the inputs are, or one required input of rows and columns %s", t.names(nil), d.list())
	}
	s.strings = s.strings[:0]
	t.whole, t.flat, t.rows, t.odd, t.most = true, declared.Ranked && len(declared.Shape) == 1, 0, 0, -1
	l := s.lane(d, d.only, into)
	l.n = width
	l.cell = Type{DType: declared.DType}
	s.lead(l)
	if declared.Ranked {
		t.most = declared.Shape[0]
		if want := declared.Shape[len(declared.Shape)-1]; !t.flat && want >= 0 && want != int64(width) {
			return s.fault(i, "%s, expected %d", t.names(nil), want)
		}
	}
	return nil
}

// lane adds a lane for input k.
func (s *scan) lane(d *Decoder, k int, into *Batch) *lane {
	t := &s.table
	n := len(t.lanes)
	t.lanes = slices.Grow(t.lanes, 1)[:n+1]
	l := &t.lanes[n]
	sl := &into.slots[k]
	sl.data = sl.data[:cap(sl.data)]
	*l = lane{slot: sl, spec: &d.inputs[k], c: codecOf(within(&d.inputs[k].Type).DType), input: k, sizes: l.sizes[:0], spans: l.spans[:cap(l.spans)]}
	return l
}

// names is columns "a", "b" for a message: those that which takes, or all.
func (t *table) names(which func(string) bool) string {
	const most = 12
	var b strings.Builder
	n := 0
	for c := range t.cols {
		if which != nil && !which(t.cols[c].name) {
			continue
		}
		if n++; n > most {
			continue
		}
		if n > 1 {
			b.WriteString(", ")
		}
		b.WriteString(short(t.cols[c].name))
	}
	if n == 0 {
		n = t.width
	}
	if n > most {
		b.WriteString(", …")
	}
	return strings.TrimSuffix(fmt.Sprintf("%s %s", counted(n, "column"), b.String()), " ")
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

func short(name string) string { return fmt.Sprintf("%.60q", name) }
