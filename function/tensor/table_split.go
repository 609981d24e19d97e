package tensor

import (
	"errors"
	"slices"

	"github.com/scorefn/scorefn/function/jsonscan"
)

var splitMembers = [...]string{"columns", "index", "data"}

// errSplit stops the walk of an object that turns out to be a table.
var errSplit = errors.New("a table")

// splitMember is the place of name among splitMembers, -1 when it is none of them.
func splitMember(name []byte) int {
	return slices.IndexFunc(splitMembers[:], func(m string) bool { return m == string(name) })
}

// isSplit tells that an object, which has a member of a table in front, is a table: it has columns and data, not both are inputs,
// and no other member is.
func (d *Decoder) isSplit(text []byte) bool {
	var has [len(splitMembers)]bool
	inputs, others := 0, 0
	err := jsonscan.Object(text, func(name []byte, _, _ int) error {
		_, input := d.byName[string(name)]
		k := splitMember(name)
		switch {
		case k >= 0:
			has[k] = true
			if input {
				inputs++
			}
		case input:
			others++
		}
		return nil
	})
	members := 0
	for _, ok := range has {
		if ok {
			members++
		}
	}
	return err == nil && has[0] && has[2] && others == 0 && inputs < members
}

// split reads a table of which isSplit has told.
func (d *Decoder) split(s *scan, text []byte, into *Batch) error {
	var at, end [len(splitMembers)]int
	err := jsonscan.Object(text, func(name []byte, from, to int) error {
		k := splitMember(name)
		if k < 0 {
			return s.syntax(from, "unknown member %.100q of a table (columns, index, data)", name)
		}
		if end[k] > 0 {
			return s.syntax(from, "member %q of a table is given twice", name)
		}
		at[k], end[k] = from, to
		return nil
	})
	if err != nil {
		return err
	}
	i, err := s.columns(at[0])
	if err == nil {
		err = s.ended(i, end[0])
	}
	if err != nil {
		return under(".columns", err)
	}
	if err := d.plan(s, at[0], into); err != nil {
		return err
	}
	if s.table.whole {
		err = d.splitWhole(s, at[2], end[2], into)
	} else if i, err = s.splitRows(at[2]); err == nil {
		if err = s.ended(i, end[2]); err == nil {
			err = d.close(s, into)
		}
	}
	if err != nil {
		return under(".data", err)
	}
	if end[1] > 0 {
		return under(".index", s.labels(at[1], end[1], s.table.rows))
	}
	return nil
}

// ended tells that a value, which was read up to text[i], is not all there is up to text[end].
func (s *scan) ended(i, end int) error {
	if i != end && jsonscan.Space(s.text, i) != end {
		return s.syntax(jsonscan.Space(s.text, i), "unexpected text after the value")
	}
	return nil
}

// columns reads the names of columns, strings or numbers.
func (s *scan) columns(i int) (int, error) {
	b := s.text
	if b[i] != '[' {
		return i, s.syntax(i, "expected an array of names, found %s", s.found(i))
	}
	if i = jsonscan.Space(b, i+1); jsonscan.Has(b, i, "]") {
		return i + 1, nil
	}
	for more := true; more; {
		at := i
		var err error
		switch {
		case i >= len(b):
			err = s.syntax(i, "the text ends inside an array")
		case b[i] == '"':
			i, err = s.column(i)
		case b[i] == '-' || b[i]-'0' <= 9:
			if i, err = jsonscan.Number(b, i); err == nil {
				err = s.columnOf(at, textOf(b[at:i]), true)
			}
		default:
			err = s.syntax(i, "expected a name, found %s", s.found(i))
		}
		if err == nil {
			i, more, err = s.next(i)
		}
		if err != nil {
			return i, under(index(len(s.table.cols)), scanError(err))
		}
	}
	return i + 1, nil
}

// splitWhole reads all rows as the array that they are.
func (d *Decoder) splitWhole(s *scan, i, end int, into *Batch) error {
	t, k := &s.table, d.only
	rows := int64(-1)
	declared := within(&d.inputs[k].Type)
	if declared.Ranked {
		rows = declared.Shape[0]
	}
	of := Type{DType: declared.DType, Ranked: true, Shape: []int64{rows, int64(t.width)}}
	s.spec = &d.inputs[k]
	v := &into.Values[k]
	i, err := s.tensor(&into.slots[k], &of, i, end, v)
	if err == nil {
		err = s.ended(i, end)
	}
	if err != nil {
		*v = None()
		return err
	}
	t.rows = int(v.Shape[0])
	if t.flat {
		v.Shape = v.Shape[:1]
	}
	return nil
}

// splitRows reads rows cell by cell.
func (s *scan) splitRows(i int) (int, error) {
	b, t := s.text, &s.table
	if b[i] != '[' {
		return i, s.syntax(i, "expected an array of rows, found %s", s.found(i))
	}
	if i = jsonscan.Space(b, i+1); jsonscan.Has(b, i, "]") {
		return i + 1, nil
	}
	for more := true; more; t.rows++ {
		end, err := s.splitRow(i)
		if err != nil {
			return end, under(index(t.rows), err)
		}
		if i, more, err = s.next(end); err != nil {
			return i, err
		}
	}
	return i + 1, nil
}

func (s *scan) splitRow(i int) (int, error) {
	b, t := s.text, &s.table
	if err := s.open(i); err != nil {
		return i, err
	}
	if !jsonscan.Has(b, i, "[") {
		return i, s.syntax(i, "expected an array of cells, found %s", s.found(i))
	}
	if i = jsonscan.Space(b, i+1); jsonscan.Has(b, i, "]") {
		return i, s.syntax(i, "0 cells, expected %s", t.names(nil))
	}
	more := true
	for c := 0; more; c++ {
		if c == t.width {
			return i, s.syntax(i, "more than %s, expected %s", counted(c, "cell"), t.names(nil))
		}
		if i >= len(b) {
			return i, s.syntax(i, "the text ends inside an array")
		}
		end, err := s.cell(c, i)
		if err == nil {
			i, more, err = s.next(end)
		}
		if err != nil {
			return i, under(index(c), err)
		}
		if !more && c < t.width-1 {
			return i, s.syntax(i, "%s, expected %s", counted(c+1, "cell"), t.names(nil))
		}
	}
	return i + 1, nil
}

// labels checks the labels of rows, which are not used: as many as rows, or the table is not what its writer meant.
func (s *scan) labels(i, end, rows int) error {
	b := s.text
	if b[i] != '[' {
		return s.syntax(i, "expected an array of labels, found %s", s.found(i))
	}
	n := 0
	at := i
	i = jsonscan.Space(b, i+1)
	for more := !jsonscan.Has(b, i, "]"); more; n++ {
		next, err := jsonscan.Skip(b, i, jsonscan.MaxDepth)
		if err == nil {
			i, more, err = s.next(next)
		}
		if err != nil {
			return under(index(n), scanError(err))
		}
	}
	if n != rows {
		return s.syntax(at, "%s for %s", counted(n, "label"), counted(rows, "row"))
	}
	return s.ended(i+1, end)
}
