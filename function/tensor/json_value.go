package tensor

import (
	"bytes"
	"strconv"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// input reads the value text[start:end] of input k.
func (s *scan) input(b *Batch, spec *Spec, k, start, end int) error {
	s.spec = spec
	i, err := s.value(&b.slots[k], &spec.Type, start, end, &b.Values[k])
	if err == nil {
		switch after := jsonscan.Space(s.text, i); {
		case i > end: // it took the brace of the object around it for its own
			err = s.syntax(len(s.text), "the text ends inside an object")
		case after < end:
			err = s.syntax(after, "unexpected text after the value")
		}
	}
	if err != nil {
		b.Values[k] = None()
	}
	return err
}

// value reads a value of type t that starts at text[i] and does not reach beyond end. Its memory is that of sl; where sl is nil it
// is a part of a larger value, which gave it memory in s.words.
func (s *scan) value(sl *slot, t *Type, i, end int, v *Value) (int, error) {
	switch t.Kind {
	case KindTensor:
		return s.tensor(sl, t, i, end, v)
	case KindOptional:
		if jsonscan.Has(s.text, i, "null") {
			return i, s.fault(i, "null is not accepted: the runtime cannot take an absent optional")
		}
		if t.Elem != nil {
			return s.value(sl, t.Elem, i, end, v)
		}
	case KindSequence:
		if t.Elem != nil {
			return s.sequence(sl, t.Elem, i, end, v)
		}
	case KindMap:
		if t.Elem != nil && t.Elem.Kind == KindTensor {
			return s.object(sl, t, i, end, v)
		}
	default: // sparse, opaque
	}
	return i, s.fault(i, "%s is not accepted in JSON", t.String())
}

// use makes the elements that follow of type d; false when JSON does not carry it.
func (s *scan) use(d DType) bool {
	s.d, s.c = d, codecOf(d)
	return s.c != nil
}

// reserve gives memory for n elements of the type in use and, as values that are parts start at a multiple of 8 bytes, for parts
// of them beside.
func (s *scan) reserve(sl *slot, n, parts int) {
	if sl != nil {
		sl.data = sized(sl.data, n*s.c.size+parts*8)
		s.words = sl.data
	}
	s.mem = bytesOfWords(s.words, len(s.words)*8)
	s.room = maxInt
	if s.c.size > 0 {
		s.room = len(s.mem) / s.c.size
	}
}

// most is how many elements of the type in use text[i:end] can hold: one more than it has commas. In wrong text, such as
// {"x":[ }, the space after a bracket may reach beyond the end.
func (s *scan) most(i, end int) int {
	end = max(i, end)
	n := bytes.Count(s.text[i:end], []byte{','}) + 1
	if s.runs(i, end) {
		n += end - i
	}
	return min(n, max(s.left, 1))
}

// runs tells that text[i:end] may have elements in base64, more of them than it has commas.
func (s *scan) runs(i, end int) bool {
	return s.d == Uint8 && bytes.IndexByte(s.text[i:end], '{') >= 0
}

func (s *scan) tensor(sl *slot, t *Type, i, end int, v *Value) (int, error) {
	if !s.use(t.DType) {
		return i, s.fault(i, "%v is not accepted in JSON", t.DType)
	}
	most := 0
	if sl != nil && s.c.size > 0 {
		if n, fixed := Elements(t.Shape); fixed && t.Ranked {
			room := (end - i) / 2
			if s.runs(i, end) {
				room = end - i
			}
			most = min(n, room, s.left) + 1
		} else {
			most = s.most(i, end)
		}
	}
	s.reserve(sl, most, 0)
	s.strings, s.ends = s.strings[:0], s.ends[:0]
	s.n = 0
	i, err := s.array(i, t)
	if err != nil {
		return i, err
	}
	*v = Value{Tensor: Tensor{DType: s.d}}
	var shape []int64
	var strs []string
	if sl != nil {
		shape, strs = sl.shape[:0], sl.strs[:0]
	}
	v.Shape = append(shape, s.dims[:s.rank]...)
	if s.d == String {
		v.Strings = s.texts(strs)
	}
	if sl != nil {
		sl.shape = v.Shape
		if s.d == String {
			sl.strs = v.Strings
		}
	}
	v.Data = s.take()
	return i, nil
}

// take is the memory of the s.n elements that were read, which are packed if they are of less than 8 bits.
func (s *scan) take() []byte {
	if s.n == 0 || s.c.size == 0 {
		return nil
	}
	data := s.mem[:s.n*s.c.size]
	s.words = s.words[(len(data)+7)/8:]
	if bits := s.d.Bits(); bits < 8 {
		return pack(data, s.n, bits)
	}
	return data
}

// texts appends the strings that were read: one piece of memory for all of them.
func (s *scan) texts(to []string) []string {
	all := string(s.strings)
	start := 0
	for _, end := range s.ends {
		to = append(to, all[start:end])
		start = end
	}
	return to
}

// itemCost is what a part of a sequence counts for among the elements: its Value takes the memory of so many, while its text may be
// as short as "[]".
const itemCost = 16

func (s *scan) sequence(sl *slot, elem *Type, i, end int, v *Value) (int, error) {
	b := s.text
	if i >= len(b) || b[i] != '[' {
		return i, s.unexpected(i, "a list")
	}
	if i = jsonscan.Space(b, i+1); jsonscan.Has(b, i, "]") {
		return i, s.fault(i, "an empty list is not accepted: the runtime cannot take an empty sequence")
	}
	if sl != nil {
		s.codecWithin(elem)
		n := s.most(i, end)
		s.reserve(sl, n, n)
	}
	var items []Value
	for more := true; more; {
		var item Value
		if s.left -= itemCost; s.left < 0 {
			return i, s.tooMany(i)
		}
		next, err := s.value(nil, elem, i, end, &item)
		if err == nil {
			i, more, err = s.next(next)
		}
		if err != nil {
			return i, under(index(len(items)), err)
		}
		items = append(items, item)
	}
	*v = Value{Kind: KindSequence, Items: items}
	return i + 1, nil
}

// codecWithin puts the type of the elements of t's tensors in use. A type that JSON does not carry is found again, and refused,
// where a value of it is read.
func (s *scan) codecWithin(t *Type) {
	for t.Kind != KindTensor && t.Elem != nil {
		t = t.Elem
	}
	if !s.use(t.DType) {
		s.use(String) // needs no memory
	}
}

// object reads a map: its keys become a tensor, and its values.
func (s *scan) object(sl *slot, t *Type, i, end int, v *Value) (int, error) {
	b := s.text
	if t.DType != String && t.DType != Int64 || !s.use(t.Elem.DType) {
		return i, s.fault(i, "%s is not accepted in JSON", t.String())
	}
	if i >= len(b) || b[i] != '{' {
		return i, s.unexpected(i, "an object")
	}
	most := 0
	if sl != nil {
		most = s.most(i, end)
	}
	s.reserve(sl, most, 0)
	s.strings, s.ends, s.n = s.strings[:0], s.ends[:0], 0
	names, ids := []string{}, []int64{}
	seen := map[string]bool{}
	for i = jsonscan.Space(b, i+1); !jsonscan.Has(b, i, "}") || len(seen) > 0; {
		if i >= len(b) || b[i] != '"' {
			return i, s.unexpected(i, "a key in double quotes")
		}
		var err error
		start := i
		if s.key, i, err = jsonscan.Unquote(b, i, s.key[:0]); err != nil {
			return i, scanError(err)
		}
		key := string(s.key)
		if s.strLeft -= len(key); s.strLeft < 0 {
			return i, s.fault(start, "more than %d bytes of strings", s.o.MaxStringBytes)
		}
		if seen[key] {
			return i, s.fault(start, "key %.100q is given twice", key)
		}
		seen[key] = true
		if t.DType == String {
			names = append(names, key)
		} else {
			id, err := strconv.ParseInt(key, 10, 64)
			if err != nil || strconv.FormatInt(id, 10) != key {
				return i, s.fault(start, "key %.100q is not an int64", key)
			}
			ids = append(ids, id)
		}
		if i = jsonscan.Space(b, i); !jsonscan.Has(b, i, ":") {
			return i, s.syntax(i, "expected ':' after a key, found %s", s.found(i))
		}
		if i = jsonscan.Space(b, i+1); i >= len(b) {
			return i, s.syntax(i, "the text ends where a value is expected")
		}
		if i, err = s.element(i); err != nil {
			return i, under("["+strconv.Quote(key)+"]", err)
		}
		if i = jsonscan.Space(b, i); jsonscan.Has(b, i, "}") {
			break
		}
		if !jsonscan.Has(b, i, ",") {
			return i, s.syntax(i, "expected ',' or '}', found %s", s.found(i))
		}
		i = jsonscan.Space(b, i+1)
	}
	values := Value{Tensor: Tensor{DType: s.d, Shape: []int64{int64(s.n)}}}
	if s.d == String {
		values.Strings = s.texts(make([]string, 0, s.n))
	}
	values.Data = s.take()
	keys := OfStrings(names)
	if t.DType == Int64 {
		keys = Of(ids)
	}
	*v = Value{Kind: KindMap, Items: []Value{keys, values}}
	return i + 1, nil
}
