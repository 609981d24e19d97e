package tensor

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// CSV reads the rows of a text/csv body into the values of into, as [Decoder.JSON] does with a table: they are the one required
// input, of rows and columns, or of rows alone when there is one column; or, under a header of inputs' names, a column each.
//
// The first line is a header when all its cells are names of inputs, and, for numeric input, when a cell in it is no number. One
// that has such a cell beside numbers is an error, lest a mistake in the first row makes that row vanish; digits in quotes are a name.
//
// Cells are as in RFC 4180, in UTF-8, with or without a BOM; lines end in LF or CRLF, the last one perhaps in neither. Numbers are
// those of JSON, in quotes or not, with blanks around them. For floats there are also NaN, nan, inf, Infinity, -inf and -Infinity,
// and an empty cell is NaN. Booleans are true, True, TRUE and false, False, FALSE. A cell of strings is taken as it is. The path of
// an [*Error] is "line 3, column 2", both counted from 1.
func (d *Decoder) CSV(body []byte, into *Batch) error {
	into.Reset(len(d.inputs))
	s := &into.scan
	s.begin(body, d.o)
	err := d.csv(s, into)
	s.finish()
	if err != nil {
		into.Reset(0)
		return scanError(err)
	}
	return nil
}

func (d *Decoder) csv(s *scan, into *Batch) error {
	b := s.text
	start := 0
	if jsonscan.Has(b, 0, "\ufeff") {
		start = len("\ufeff")
	}
	if blank(b, start, true) == len(b) {
		return s.syntax(start, "rows of values are expected, the text is empty")
	}
	i, err := d.csvPlan(s, start, into)
	if err != nil {
		return err
	}
	t := &s.table
	if t.whole && s.c.size > 0 {
		s.makeRoom(&t.lanes[0], min(bytes.Count(b[i:], []byte{','})+bytes.Count(b[i:], []byte{'\n'})+1, s.left))
	}
	spaces := t.lanes[0].c.size > 0 || !t.whole && t.width > 1 // a line of blanks is nothing, not a string
	for ; i < len(b); t.rows++ {
		if end := blank(b, i, spaces); end == len(b) {
			break
		} else if end > i {
			return s.inLine(i, -1, s.syntax(i, "an empty line"))
		}
		if i, err = s.csvRow(i); err != nil {
			return err
		}
	}
	return d.close(s, into)
}

// blank is the offset after the lines from b[i] on that have nothing in them, or, with spaces, nothing but blanks.
func blank(b []byte, i int, spaces bool) int {
	for k := i; ; k++ {
		switch {
		case k == len(b):
			return k
		case b[k] == '\n':
			i = k + 1
		case b[k] != '\r' && (!spaces || b[k] != ' ' && b[k] != '\t'):
			return i
		}
	}
}

// inLine puts line and column before the path of err, which is about the row at text[i]; column -1 is none.
func (s *scan) inLine(i, column int, err error) error {
	path := "line " + strconv.Itoa(1+bytes.Count(s.text[:min(i, len(s.text))], []byte{'\n'}))
	if column >= 0 {
		path += ", column " + strconv.Itoa(column+1)
	}
	return under(path, scanError(err))
}

// csvRow reads the line at text[i] and gives the offset after it.
func (s *scan) csvRow(i int) (int, error) {
	b, t, start := s.text, &s.table, i
	if err := s.open(i); err != nil {
		return i, s.inLine(start, -1, err)
	}
	i, c := s.csvQuick(i)
	for ; ; c++ {
		if c == t.width {
			return i, s.inLine(start, -1, s.fault(i, "more than %s, expected %s", counted(c, "cell"), t.names(nil)))
		}
		end, err := s.csvCell(c, i)
		if err != nil {
			return i, s.inLine(start, c, err)
		}
		if end < len(b) && b[end] == ',' {
			i = end + 1
			continue
		}
		if c+1 < t.width {
			return i, s.inLine(start, -1, s.fault(end, "%s, expected %s", counted(c+1, "cell"), t.names(nil)))
		}
		if i, err = s.lineEnd(end); err != nil {
			return i, s.inLine(start, c, err)
		}
		return i, nil
	}
}

// csvQuick reads all cells but the last of the row at text[i] as a part of a JSON array: most rows are that. It gives the offset
// and the number of the cell to go on with, which is the first one where the row has something that an array may have and a line may
// not: an end of the line or null.
func (s *scan) csvQuick(i int) (next, c int) {
	t := &s.table
	if !t.whole || t.odd > 8 || t.width == 1 || s.c.size == 0 || s.left < t.width || i >= len(s.text) || s.text[i] <= ' ' {
		return i, 0
	}
	s.n, s.limit, s.got, s.more = t.rows*t.width, t.width-1, 0, false
	end, err := s.c.row(s, i)
	if row := s.text[i:max(i, end)]; err != nil || !s.more ||
		bytes.IndexByte(row, '\n') >= 0 || bytes.IndexByte(row, '\r') >= 0 || bytes.IndexByte(row, 'u') >= 0 {
		t.odd++ // trying costs: a table of empty cells is not to pay for it in each row
		return i, 0
	}
	s.left -= s.got
	return end, s.got
}

// lineEnd steps over the end of a line.
func (s *scan) lineEnd(i int) (int, error) {
	b := s.text
	switch {
	case i >= len(b):
		return i, nil
	case b[i] == '\n':
		return i + 1, nil
	case jsonscan.Has(b, i, "\r\n"):
		return i + 2, nil
	}
	return i, s.syntax(i, "a carriage return without a line feed")
}

// csvCell reads the cell of column c at text[i] and gives the offset of what ends it: a comma, the end of a line or of the text.
func (s *scan) csvCell(c, i int) (int, error) {
	b, t := s.text, &s.table
	l, k := &t.lanes[0], t.rows*t.width+c
	if !t.whole {
		l, k = &t.lanes[c], t.rows
		s.lead(l)
		if err := s.scalar(l, i); err != nil {
			return i, err
		}
	}
	if s.left < 1 {
		return i, s.tooMany(i)
	}
	s.left--
	if s.c.size == 0 {
		return s.csvString(i, &l.spans[k])
	}
	if i < len(b) && (b[i]-'0' <= 9 || b[i] == '-') { // most cells
		if end, err := s.c.cell(s, i, k); err == nil && end < len(b) && (b[end] == ',' || b[end] == '\n' || b[end] == '\r') {
			return end, nil
		}
	}
	return s.csvNumber(i, k)
}

func (s *scan) csvString(i int, to *span) (int, error) {
	var end int
	var err error
	start := len(s.strings)
	if s.strings, end, err = s.csvText(i, s.strings); err != nil {
		return i, err
	}
	*to = span{start, len(s.strings)}
	text := s.strings[start:]
	if !utf8.Valid(text) {
		return i, s.fault(i, "a string is not valid UTF-8")
	}
	if s.strLeft -= len(text); s.strLeft < 0 {
		return i, s.fault(i, "more than %d bytes of strings", s.o.MaxStringBytes)
	}
	return end, nil
}

// csvText appends the text of the cell at text[i] to dst and gives the offset of what ends it.
func (s *scan) csvText(i int, dst []byte) ([]byte, int, error) {
	b := s.text
	if i >= len(b) || b[i] != '"' {
		end := cellEnd(b, i)
		if quote := bytes.IndexByte(b[i:end], '"'); quote >= 0 {
			return dst, i, s.syntax(i+quote, "a quote in a cell that does not begin with one")
		}
		return append(dst, b[i:end]...), end, nil
	}
	for i++; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return dst, i, s.syntax(len(b), "the text ends inside a quoted cell")
		}
		dst = append(dst, b[i:i+n]...)
		if i += n + 1; !jsonscan.Has(b, i, `"`) {
			break
		}
		dst = append(dst, '"')
		i++
	}
	if cellEnd(b, i) != i {
		return dst, i, s.syntax(i, "text after the quote that ends a cell")
	}
	return dst, i, nil
}

// cellEnd is the offset of the comma, end of line or end of text after b[i].
func cellEnd(b []byte, i int) int {
	for i < len(b) && b[i] != ',' && b[i] != '\n' && b[i] != '\r' {
		i++
	}
	return i
}

// csvWords are what numbers and booleans are besides JSON's, each with the JSON that it means.
var csvWords = []struct {
	word, json string
	float      bool
}{
	{"", "NaN", true},
	{"NaN", "NaN", true},
	{"nan", "NaN", true},
	{"inf", "Infinity", true},
	{"Infinity", "Infinity", true},
	{"-inf", "-Infinity", true},
	{"-Infinity", "-Infinity", true},
	{"true", "true", false},
	{"True", "true", false},
	{"TRUE", "true", false},
	{"false", "false", false},
	{"False", "false", false},
	{"FALSE", "false", false},
}

// csvNumber reads the cell at text[i] into element k, whatever it looks like.
func (s *scan) csvNumber(i, k int) (int, error) {
	b := s.text
	start, end := i, cellEnd(b, i)
	cell := b[i:end]
	if len(cell) > 0 && cell[0] == '"' {
		var err error
		if s.key, end, err = s.csvText(i, s.key[:0]); err != nil {
			return i, err
		}
		cell = s.key
	}
	cell = bytes.Trim(cell, " \t")
	if len(cell) > 0 && (cell[0]-'0' <= 9 || cell[0] == '-' && len(cell) > 1 && cell[1]-'0' <= 9) {
		n, err := s.aside(cell, start, k)
		if err == nil && n < len(cell) {
			err = s.fault(start, "expected a number, found %.40q", cell)
		}
		return end, err
	}
	for _, w := range csvWords {
		if w.word == string(cell) && w.float == isFloat(s.d) && (w.float || s.d == Bool || s.o.Lenient) {
			_, err := s.aside([]byte(w.json), start, k)
			return end, err
		}
	}
	if len(cell) == 0 {
		return start, s.fault(start, "expected %s, found an empty cell", expects(s.d))
	}
	return start, s.fault(start, "expected %s, found %.40q", expects(s.d), cell)
}

// aside reads a text that is not a part of the whole, the cell at text[at], into element k. It gives the length that it read.
func (s *scan) aside(text []byte, at, k int) (int, error) {
	whole, wide := s.text, s.wide
	s.text, s.wide = text, nil
	n, err := s.c.cell(s, 0, k)
	s.text, s.wide = whole, wide
	if err = scanError(err); err != nil {
		err.(*Error).Offset = at //nolint:errorlint,forcetypeassert // scanError made it, and it is new
	}
	return n, err
}

func isFloat(d DType) bool {
	return slices.Contains([]DType{
		Float32, Float64, Float16, BFloat16, Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0, Float4E2M1,
	}, d)
}
