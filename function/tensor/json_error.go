package tensor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// Everything here runs only when a request is wrong: paths and texts are made after the fact.

// syntax is a mistake in the JSON text.
func (s *scan) syntax(i int, format string, a ...any) error {
	return &Error{Offset: min(i, len(s.text)), Msg: fmt.Sprintf(format, a...)}
}

// fault is a value that the input does not take; the message names the input.
func (s *scan) fault(i int, format string, a ...any) error {
	return s.syntax(i, "%s (input %q %s)", fmt.Sprintf(format, a...), s.spec.Name, s.spec.String())
}

// scanError makes err, if it comes from jsonscan, this package's own.
func scanError(err error) error {
	if e, ok := errors.AsType[*jsonscan.Error](err); ok {
		return &Error{Offset: e.Offset, Msg: e.Msg}
	}
	return err
}

// under puts a part of a path before the path of err.
func under(part string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Path = part + e.Path
	}
	return err
}

// at adds the indices of the open arrays down to depth.
func (s *scan) at(depth int, err error) error {
	var p strings.Builder
	for _, n := range s.count[:depth] {
		p.WriteString(index(int(n)))
	}
	return under(p.String(), err)
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

func (s *scan) tooMany(i int) error {
	return s.fault(i, "more than %d elements", s.o.MaxElements)
}

// wrongRank tells the rank that the array has in its first element, which has depth brackets before text[i].
func (s *scan) wrongRank(i, want, depth int) error {
	found := depth
	for i < len(s.text) && s.text[i] == '[' && found <= s.o.MaxDepth {
		found++
		i = jsonscan.Space(s.text, i+1)
	}
	if i < len(s.text) && s.run(i) {
		found++
	}
	switch what := s.found(i); {
	case want == 0:
		return s.fault(i, "a single value is expected, found an array")
	case found == 0:
		return s.unexpected(i, "an array of rank "+strconv.Itoa(want))
	case what[0] == '\'' && what != "']'" || what[0] == 'b':
		return s.unexpected(i, "a value")
	}
	return s.fault(i, "an array of rank %d is expected, found rank %d", want, found)
}

// wrongSize is a size that is not the declared one or not that of the siblings. more tells that text[i] is one part too many.
func (s *scan) wrongSize(i, depth int, t *Type, more bool) error {
	n := strconv.FormatInt(s.count[depth], 10)
	if more {
		n = s.rest(i, s.count[depth])
	}
	plural := "s"
	if n == "1" {
		plural = ""
	}
	like := ""
	if !t.Ranked || t.Shape[depth] < 0 {
		like = " as in its siblings"
	}
	return s.at(depth, s.fault(i, "%s value%s, expected %d%s", n, plural, s.dims[depth], like))
}

// rest counts the parts of the open array from text[i] on, n before them; it gives up after some way, for a long body must be
// refused quickly.
func (s *scan) rest(i int, n int64) string {
	const far = 1 << 16
	b := s.text[:min(len(s.text), i+far)]
	least := "more than " + strconv.FormatInt(n, 10)
	for {
		end, err := jsonscan.Skip(b, i, jsonscan.MaxDepth)
		if err != nil {
			return least
		}
		n++
		switch i = jsonscan.Space(b, end); {
		case jsonscan.Has(b, i, "]"):
			return strconv.FormatInt(n, 10)
		case !jsonscan.Has(b, i, ","):
			return least
		}
		i++
	}
}

// found describes the value at text[i].
func (s *scan) found(i int) string {
	b := s.text
	if i >= len(b) {
		return "the end of the text"
	}
	switch c := b[i]; {
	case c == '"':
		return "a string"
	case c == '[':
		return "an array"
	case c == '{':
		return "an object"
	case c-'0' <= 9, c == '-' && !jsonscan.Has(b, i, "-I"):
		return "a number"
	case jsonscan.Has(b, i, "-Infinity"):
		return "-Infinity"
	case jsonscan.Has(b, i, "true"), jsonscan.Has(b, i, "false"):
		return "a boolean"
	case jsonscan.Has(b, i, "null"):
		return "null"
	case jsonscan.Has(b, i, "NaN"):
		return "NaN"
	case jsonscan.Has(b, i, "Infinity"):
		return "Infinity"
	case c >= 0x20 && c < 0x7f:
		return "'" + string(rune(c)) + "'"
	}
	return "byte 0x" + strconv.FormatUint(uint64(b[i]), 16)
}

// literal is the number text[i:end], shortened for a message.
func (s *scan) literal(i, end int) string {
	if end-i > 40 {
		return string(s.text[i:i+40]) + "…"
	}
	return string(s.text[i:end])
}

// unexpected is the error for what is found at text[i] instead of want. What is no JSON value is a mistake in the text.
func (s *scan) unexpected(i int, want string) error {
	found := s.found(i)
	if found[0] == '\'' || found[0] == 'b' {
		return s.syntax(i, "expected %s, found %s", want, found)
	}
	return s.fault(i, "expected %s, found %s", want, found)
}

// notA is the error of put for a value that is not of the type at all.
func (s *scan) notA(i int) error { return s.unexpected(i, expects(s.d)) }

func expects(d DType) string {
	switch d {
	case Bool:
		return "true or false"
	case String:
		return "a string"
	default:
		return "a number"
	}
}

// outOfRange says what the range is where that is short.
func (s *scan) outOfRange(i, end int) error {
	limits := ""
	if lo, hi, ok := intRange(s.d); ok {
		limits = fmt.Sprintf(" (%d to %d)", lo, hi)
	}
	return s.fault(i, "%s is out of range for %v%s", s.literal(i, end), s.d, limits)
}
