package tensor

import (
	"fmt"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// areRecords tells that the array at data[i] is a table: it begins with an object that no element of an input is.
func (d *Decoder) areRecords(data []byte, i int) bool {
	i = jsonscan.Space(data, i+1)
	if !jsonscan.Has(data, i, "{") || len(d.inputs) == 0 {
		return false
	}
	if d.required != 1 {
		return true
	}
	t := within(&d.inputs[d.only].Type)
	return t.Kind == KindTensor && !d.isBase64(data, i, t)
}

// records reads the table that the array at text[i] is.
func (d *Decoder) records(s *scan, i int, into *Batch) error {
	first := jsonscan.Space(s.text, i+1)
	if err := s.recordNames(first); err != nil {
		return under("[0]", err)
	}
	if err := d.plan(s, first, into); err != nil {
		return err
	}
	t := &s.table
	i = first
	for more := true; more; t.rows++ {
		end, err := s.record(i)
		if err != nil {
			return under(index(t.rows), err)
		}
		if i, more, err = s.next(end); err != nil {
			return err
		}
	}
	if err := s.ended(i+1, len(s.text)); err != nil {
		return err
	}
	return d.close(s, into)
}

// recordNames makes the members of the object at text[i] columns. Its values are read later.
func (s *scan) recordNames(i int) error {
	b := s.text
	if i = jsonscan.Space(b, i+1); jsonscan.Has(b, i, "}") {
		return nil
	}
	for {
		if !jsonscan.Has(b, i, `"`) {
			return s.noMember(i)
		}
		end, err := s.column(i)
		if err != nil {
			return err
		}
		if i, err = s.memberValue(end); err != nil {
			return err
		}
		if i = past(b, i); jsonscan.Has(b, i, "}") {
			return nil
		}
		if i = jsonscan.Space(b, i); jsonscan.Has(b, i, "}") {
			return nil
		}
		if !jsonscan.Has(b, i, ",") {
			return s.noComma(i)
		}
		i = jsonscan.Space(b, i+1)
	}
}

func (s *scan) noMember(i int) error {
	return s.syntax(i, "expected a member name in double quotes, found %s", s.found(i))
}

func (s *scan) noComma(i int) error {
	return s.syntax(i, "expected ',' or '}', found %s", s.found(i))
}

// memberValue steps from the byte after a member's name to its value.
func (s *scan) memberValue(i int) (int, error) {
	b := s.text
	if i = jsonscan.Space(b, i); !jsonscan.Has(b, i, ":") {
		return i, s.syntax(i, "expected ':' after a member name, found %s", s.found(i))
	}
	if i = jsonscan.Space(b, i+1); i >= len(b) {
		return i, s.syntax(i, "the text ends where a value is expected")
	}
	return i, nil
}

// record reads one record, in whatever order its members are: most often in that of the columns.
func (s *scan) record(i int) (int, error) {
	b, t := s.text, &s.table
	if err := s.open(i); err != nil {
		return i, err
	}
	if !jsonscan.Has(b, i, "{") {
		return i, s.syntax(i, "expected an object, found %s", s.found(i))
	}
	n := 0
	for i = jsonscan.Space(b, i+1); n > 0 || !jsonscan.Has(b, i, "}"); n++ {
		c, end, err := s.member(i, n)
		if err != nil {
			return i, err
		}
		col := &t.cols[c]
		if col.row == int32(t.rows+1) {
			return i, under(dot(col.name), s.syntax(i, "the column is given twice"))
		}
		col.row = int32(t.rows + 1)
		if i, err = s.memberValue(end); err != nil {
			return i, under(dot(col.name), err)
		}
		if i, err = s.cell(c, i); err != nil {
			return i, under(dot(col.name), err)
		}
		if i = jsonscan.Space(b, i); jsonscan.Has(b, i, "}") {
			n++
			break
		}
		if !jsonscan.Has(b, i, ",") {
			return i, s.noComma(i)
		}
		i = jsonscan.Space(b, i+1)
	}
	if n < t.width {
		for c := range t.cols {
			if t.cols[c].row != int32(t.rows+1) {
				return i, under(dot(t.cols[c].name), s.syntax(i, "the column is missing, which the first record has"))
			}
		}
	}
	return i + 1, nil
}

// member finds the column of the member whose name is at text[i], the n-th of its record, and gives the offset after the name.
func (s *scan) member(i, n int) (c, end int, err error) {
	b, t := s.text, &s.table
	if i >= len(b) || b[i] != '"' {
		return 0, i, s.noMember(i)
	}
	if n < t.width {
		name := t.cols[n].name
		if end = i + 1 + len(name); jsonscan.Has(b, i+1, name) && jsonscan.Has(b, end, `"`) && t.cols[n].plain {
			return n, end + 1, nil
		}
	}
	if s.key, end, err = jsonscan.Unquote(b, i, s.key[:0]); err != nil {
		return 0, i, scanError(err)
	}
	at, ok := t.index[string(s.key)]
	if !ok {
		return 0, i, under(dot(string(s.key)), s.syntax(i, "the first record does not have this column (%s)", t.names(nil)))
	}
	return int(at), end, nil
}

// dot is a member of a path.
func dot(name string) string { return fmt.Sprintf(".%.60s", name) }
