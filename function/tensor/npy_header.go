package tensor

import (
	"math"
	"strconv"
)

// npyParser reads the header of an NPY file: the text of a Python dict with the keys descr, fortran_order and shape. It takes that
// and no other Python, where numpy evaluates any literal.
type npyParser struct {
	p     *octets
	text  []byte
	start int // of text in the body
	i     int // in text

	descr            string
	dtype            DType
	big              bool // big-endian
	size             int  // bytes an element takes in the file
	fortran          bool
	rank             int
	dims             [maxRank]int64
	descrAt, shapeAt int // offsets in the body
}

func (h *npyParser) shape() []int64 { return h.dims[:h.rank] }

func (h *npyParser) fail(format string, a ...any) error {
	return h.p.syntax(h.start+h.i, "NPY header: "+format, a...)
}

func (h *npyParser) space() {
	for h.i < len(h.text) && (h.text[h.i] == ' ' || h.text[h.i] == '\n') {
		h.i++
	}
}

// take steps over c, and the spaces around it, if it is there.
func (h *npyParser) take(c byte) bool {
	h.space()
	if h.i >= len(h.text) || h.text[h.i] != c {
		return false
	}
	h.i++
	h.space()
	return true
}

func (h *npyParser) parse() error {
	if !h.take('{') {
		return h.fail("a dict is expected")
	}
	var descr, order, shape bool
	for comma := true; !h.take('}'); comma = h.take(',') {
		if !comma {
			return h.fail("',' or '}' is expected")
		}
		at := h.i
		key, err := h.quoted()
		if err != nil {
			return err
		}
		if !h.take(':') {
			return h.fail("':' is expected after a key")
		}
		var seen *bool
		switch key {
		case "descr":
			seen, err = &descr, h.readDescr()
		case "fortran_order":
			seen, err = &order, h.readOrder()
		case "shape":
			seen, err = &shape, h.readShape()
		default:
			h.i = at
			return h.fail("unknown key %.40q", key)
		}
		if err != nil {
			return err
		}
		if *seen {
			h.i = at
			return h.fail("key %q is given twice", key)
		}
		*seen = true
	}
	if h.i < len(h.text) {
		return h.fail("unexpected text after the dict")
	}
	for _, k := range []struct {
		name string
		seen bool
	}{{"descr", descr}, {"fortran_order", order}, {"shape", shape}} {
		if !k.seen {
			return h.fail("key %q is missing", k.name)
		}
	}
	if h.fortran && h.rank > 1 {
		return h.p.syntax(h.shapeAt, "an array in Fortran order is not accepted: save numpy.ascontiguousarray(a)")
	}
	return nil
}

// quoted reads a Python string without escapes, which no header has use for.
func (h *npyParser) quoted() (string, error) {
	if h.i >= len(h.text) || h.text[h.i] != '\'' && h.text[h.i] != '"' {
		return "", h.fail("a string is expected")
	}
	quote := h.text[h.i]
	for k := h.i + 1; k < len(h.text); k++ {
		switch c := h.text[k]; {
		case c == quote:
			s := string(h.text[h.i+1 : k])
			h.i = k + 1
			return s, nil
		case c == '\\' || c < ' ':
			h.i = k
			return "", h.fail("a string with an escape or a control character")
		}
	}
	return "", h.fail("a string does not end")
}

func (h *npyParser) readOrder() error {
	for _, word := range []string{"False", "True"} {
		if end := h.i + len(word); end <= len(h.text) && string(h.text[h.i:end]) == word {
			h.i, h.fortran = end, word == "True"
			return nil
		}
	}
	return h.fail("True or False is expected")
}

func (h *npyParser) readShape() error {
	h.shapeAt = h.start + h.i
	if !h.take('(') {
		return h.fail("a shape such as (2, 3) is expected")
	}
	h.rank = 0
	for comma := true; !h.take(')'); {
		at := h.i
		for h.i < len(h.text) && h.text[h.i]-'0' <= 9 {
			h.i++
		}
		digits := h.text[at:h.i]
		n, err := strconv.ParseInt(string(digits), 10, 64)
		switch {
		case !comma || len(digits) == 0 || len(digits) > 1 && digits[0] == '0':
			h.i = at
			return h.fail("a shape such as (2, 3) is expected")
		case err != nil:
			h.i = at
			return h.fail("a size of %.40s", digits)
		}
		if h.rank == maxRank {
			return h.fail("a rank over %d is not supported", maxRank)
		}
		h.dims[h.rank] = n
		h.rank++
		if comma = h.take(','); !comma && h.rank == 1 {
			return h.fail("a shape such as (2,) is expected") // (2) is a number in Python
		}
	}
	return nil
}

func (h *npyParser) readDescr() (err error) {
	h.descrAt = h.start + h.i
	if h.i < len(h.text) && (h.text[h.i] == '[' || h.text[h.i] == '(') {
		return h.fail("structured arrays are not accepted: save one array of one type")
	}
	if h.descr, err = h.quoted(); err != nil {
		return err
	}
	var ok bool
	if h.dtype, h.big, h.size, ok = parseDescr(h.descr); ok {
		return nil
	}
	h.i = h.descrAt - h.start
	if len(h.descr) > 0 && h.descr[len(h.descr)-1] == 'O' {
		return h.fail("object arrays are not accepted: they are pickled Python, which is never read; give the array a type with astype")
	}
	return h.fail("type %.40q is not accepted", h.descr)
}

// parseDescr reads a type such as <f4. One byte has no order, so that any mark will do; for more |, which means none, is refused.
func parseDescr(s string) (d DType, big bool, size int, ok bool) {
	if len(s) < 3 {
		return 0, false, 0, false
	}
	order, kind := s[0], s[1]
	size, err := strconv.Atoi(s[2:])
	if err != nil || s[2]-'0' > 9 || order != '<' && order != '>' && order != '|' {
		return 0, false, 0, false
	}
	switch kind {
	case 'S':
		return String, false, size, true
	case 'U':
		return String, order == '>', size * 4, size <= math.MaxInt32/4 && order != '|'
	}
	d = npyType(s[1:])
	return d, order == '>', size, d != Undefined && (order != '|' || size == 1)
}

func npyType(code string) DType {
	switch code {
	case "b1":
		return Bool
	case "i1":
		return Int8
	case "i2":
		return Int16
	case "i4":
		return Int32
	case "i8":
		return Int64
	case "u1":
		return Uint8
	case "u2":
		return Uint16
	case "u4":
		return Uint32
	case "u8":
		return Uint64
	case "f2":
		return Float16
	case "f4":
		return Float32
	case "f8":
		return Float64
	case "c8":
		return Complex64
	case "c16":
		return Complex128
	default:
		return Undefined
	}
}
