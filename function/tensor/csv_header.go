package tensor

import (
	"bytes"
	"errors"
	"strconv"
)

// csvPlan looks at the first line, decides what the columns are and gives the offset of the first row.
func (d *Decoder) csvPlan(s *scan, start int, into *Batch) (int, error) {
	width, header, err := d.csvHeader(s, start)
	if err != nil {
		return start, s.inLine(start, width, err)
	}
	if !header {
		if d.required != 1 {
			return start, s.inLine(start, -1, s.syntax(start, "a header of inputs' names is expected %s", d.list()))
		}
		return start, s.inLine(start, -1, d.planWhole(s, start, width, into))
	}
	i := start
	for c := range width {
		var end int
		if s.key, end, err = s.csvText(i, s.key[:0]); err == nil {
			err = s.columnOf(i, string(bytes.TrimSpace(s.key)), true)
		}
		if err != nil {
			return i, s.inLine(start, c, err)
		}
		i = end
		if c+1 < width {
			i++
		}
	}
	if i, err = s.lineEnd(i); err != nil {
		return i, s.inLine(start, width-1, err)
	}
	return i, s.inLine(start, -1, d.plan(s, start, into))
}

// csvHeader counts the cells of the first line, to the wrong one if there is an error, and tells whether they are names. It keeps
// none of them: a line without names may have millions.
func (d *Decoder) csvHeader(s *scan, i int) (width int, header bool, err error) {
	numeric := false
	var of DType
	if d.required == 1 {
		of = within(&d.inputs[d.only].Type).DType
		numeric = of != String
	}
	all, one := true, false   // cells are inputs
	word, number := -1, false // the first cell that is no number; one is a number that no name is
	var bad error
	for {
		start := i
		if s.key, i, err = s.csvText(i, s.key[:0]); err != nil {
			return width, false, err
		}
		width++
		cell := bytes.TrimSpace(s.key)
		_, input := d.byName[string(cell)]
		all, one = all && input, one || input
		if numeric {
			switch looks(cell, of == Bool || d.o.Lenient) {
			case aWord:
				if word < 0 {
					word, bad = width-1, s.syntax(start, "%.40q is no number, and the line is no header: one has numbers only in quotes", cell)
				}
			case aNumber:
				number = true
			case someDigits:
				number = number || s.text[start] != '"'
			}
		}
		if i >= len(s.text) || s.text[i] != ',' {
			if word >= 0 && number && !all {
				return word, false, bad
			}
			return width, all || word >= 0 || one && d.required != 1, nil
		}
		i++
	}
}

// A cell of a numeric column looks like:
const (
	anEmpty    = iota
	someDigits // which a name may be, too
	aNumber    // or what some writers or programming languages have for one: not a name, though it is refused as a number
	aWord
)

func looks(cell []byte, booleans bool) int {
	switch {
	case len(cell) == 0:
		return anEmpty
	case len(bytes.Trim(cell, "0123456789")) == 0:
		return someDigits
	}
	for _, w := range csvWords {
		if w.word == string(cell) && (w.float || booleans) {
			return aNumber
		}
	}
	if _, err := strconv.ParseFloat(string(cell), 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return aNumber
	}
	return aWord
}
