package tensor

import (
	"encoding/binary"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// object reads the object at text[i]. member is called with each name, valid until it reads another string, and with the offset of the
// value, whose end it gives. The path of its error gets the name.
func (p *v2) object(i int, member func(name []byte, i int) (end int, err error)) (end int, err error) {
	b := p.text
	if !jsonscan.Has(b, i, "{") {
		return i, p.s.syntax(i, "expected an object, found %s", p.s.found(i))
	}
	if i = jsonscan.Space(b, i+1); jsonscan.Has(b, i, "}") {
		return i + 1, nil
	}
	for {
		start := i
		if i >= len(b) {
			return i, p.s.syntax(i, "the text ends inside an object")
		}
		if b[i] != '"' {
			return i, p.s.syntax(i, "expected a member name in double quotes, found %s", p.s.found(i))
		}
		var name []byte
		if name, i, err = p.str(i); err != nil {
			return i, err
		}
		if i = jsonscan.Space(b, i); !jsonscan.Has(b, i, ":") {
			return i, p.s.syntax(i, "expected ':' after a member name, found %s", p.s.found(i))
		}
		if i = jsonscan.Space(b, i+1); i >= len(b) {
			return i, p.s.syntax(i, "the text ends where a value is expected")
		}
		if i, err = member(name, i); err != nil {
			return i, under(p.key(start), scanError(err))
		}
		if i = jsonscan.Space(b, i); i >= len(b) {
			return i, p.s.syntax(i, "the text ends inside an object")
		}
		switch b[i] {
		case '}':
			return i + 1, nil
		case ',':
			i = jsonscan.Space(b, i+1)
		default:
			return i, p.s.syntax(i, "expected ',' or '}', found %s", p.s.found(i))
		}
	}
}

// key is the member name at text[i], which is one, as a part of a path.
func (p *v2) key(i int) string {
	end, _, err := jsonscan.String(p.text, i)
	if err != nil || end-i > 64 {
		return ".…"
	}
	return "." + string(p.text[i+1:end-1])
}

// list reads the array at text[i]. item is called with the place and the offset of each part, whose end it gives. The path of its
// error gets the place.
func (p *v2) list(i int, item func(k, i int) (end int, err error)) (end int, err error) {
	b := p.text
	if b[i] != '[' {
		return i, p.s.syntax(i, "expected an array, found %s", p.s.found(i))
	}
	if i = jsonscan.Space(b, i+1); jsonscan.Has(b, i, "]") {
		return i + 1, nil
	}
	for k := 0; ; k++ {
		if i >= len(b) {
			return i, p.s.syntax(i, "the text ends inside an array")
		}
		if i, err = item(k, i); err != nil {
			return i, under(index(k), scanError(err))
		}
		var more bool
		if i, more, err = p.s.next(i); !more {
			return i + 1, err
		}
	}
}

// once is an error when the member of this bit, whose value is at text[i], was there before.
func (p *v2) once(seen *int, bit, i int) error {
	if *seen&bit != 0 {
		return p.s.syntax(i, "given twice")
	}
	*seen |= bit
	return nil
}

func (p *v2) null(i int) bool { return jsonscan.Has(p.text, i, "null") }

// str is the text of the string at text[i], valid until the next one is read.
func (p *v2) str(i int) (text []byte, end int, err error) {
	if p.text[i] != '"' {
		return nil, i, p.s.syntax(i, "expected a string, found %s", p.s.found(i))
	}
	end, escaped, err := jsonscan.String(p.text, i)
	if err != nil {
		return nil, i, scanError(err)
	}
	if !escaped {
		return p.text[i+1 : end-1], end, nil
	}
	if p.s.key, _, err = jsonscan.Unquote(p.text, i, p.s.key[:0]); err != nil {
		return nil, i, scanError(err)
	}
	return p.s.key, end, nil
}

func (p *v2) boolean(i int) (v bool, end int, err error) {
	switch {
	case jsonscan.Has(p.text, i, "true"):
		return true, i + 4, nil
	case jsonscan.Has(p.text, i, "false"):
		return false, i + 5, nil
	}
	return false, i, p.s.syntax(i, "expected true or false, found %s", p.s.found(i))
}

// whole reads a whole number that is not negative, in digits alone: 1.0 and 1e3 are those of a program that has lost its types.
func (p *v2) whole(i int) (n int64, end int, err error) {
	c := p.text[i]
	if c-'0' > 9 && c != '-' {
		return 0, i, p.s.syntax(i, "expected a whole number, found %s", p.s.found(i))
	}
	if end, err = jsonscan.Number(p.text, i); err != nil {
		return 0, i, scanError(err)
	}
	for _, c := range p.text[i:end] {
		switch d := int64(c - '0'); {
		case c-'0' > 9:
			return 0, i, p.s.syntax(i, "expected a whole number of 0 or more, found %s", p.s.literal(i, end))
		case n > (1<<63-1-d)/10:
			return 0, i, p.s.syntax(i, "%s is too large", p.s.literal(i, end))
		default:
			n = n*10 + d
		}
	}
	return n, end, nil
}

// skip is the end of the value at text[i], which nobody reads but which must be one.
func (p *v2) skip(i int) (end int, err error) { return jsonscan.Skip(p.text, i, jsonscan.MaxDepth) }

// extent is where the value at text[i], which is read later, should end. Brackets are counted and strings checked, no more: the
// value may hold NaN.
func (p *v2) extent(i int) (end int, err error) {
	const bit6 = 0x4040404040404040 // set in all brackets, in no digit, point, sign, comma or space
	b := p.text
	depth := 0
	for i < len(b) {
		if i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			quote := w ^ 0x2222222222222222
			if w&bit6 == 0 && depth > 0 && (quote-0x0101010101010101)&^quote&tops == 0 {
				i += 8
				continue
			}
		}
		switch c := b[i]; c {
		case '"':
			if i, _, err = jsonscan.String(b, i); err != nil {
				return i, err
			}
			if depth == 0 {
				return i, nil
			}
			continue
		case '[', '{':
			if depth++; depth > jsonscan.MaxDepth {
				return i, p.s.syntax(i, "nested too deep")
			}
		case ']', '}':
			if depth == 0 {
				return i, nil
			}
			if depth--; depth == 0 {
				return i + 1, nil
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i, nil
			}
		}
		i++
	}
	return i, p.s.syntax(i, "the text ends inside a value")
}
