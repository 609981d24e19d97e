package tensor

import "github.com/scorefn/scorefn/function/jsonscan"

// maxRank bounds the depth of an array whatever the options say.
const maxRank = 32

// scan is the state of one call of [Decoder.JSON]. It lives in the Batch: reached through function values, it could not live
// on the stack.
type scan struct {
	text []byte // what is decoded
	wide []byte // text, followed by zeros where text is short: what the quick readers may read beyond a number
	o    DecodeOptions
	spec *Spec // of the input at hand, for messages
	c    *codec
	d    DType // what c reads

	words []uint64 // memory for what is still to be read
	mem   []byte   // the same memory
	room  int      // elements that fit in
	n     int      // elements of the tensor at hand that were read before the row
	got   int      // elements of the row that were read
	limit int      // most elements that the row may have
	more  bool     // the row has more than limit: not an error of the text

	left    int    // elements that the call may still read
	strings []byte // the text of the strings of the tensor at hand
	ends    []int  // where each of them ends in strings
	strLeft int    // bytes of strings that the call may still read
	key     []byte // a map's key, and a base64 text without its escapes
	bytes   []byte // what came in base64

	table table   // the table at hand
	sizes []int64 // of a cell of a table: those of the cells above it
	sized bool    // sizes is known

	rank  int
	dims  [maxRank]int64 // declared or found sizes, negative where neither is known
	count [maxRank]int64 // finished parts of the open array of each depth
	pad   [512]byte
}

// trim gives back memory that is too much to keep.
func (s *scan) trim() {
	if cap(s.strings) > keepBytes {
		s.strings = nil
	}
	if cap(s.ends)*8 > keepBytes {
		s.ends = nil
	}
	if cap(s.key) > keepBytes {
		s.key = nil
	}
	if cap(s.bytes) > keepBytes {
		s.bytes = nil
	}
	s.table.trim()
}

// codec is how one element type is read. put reads the value at text[i] into element k and gives the offset after it. row reads
// the elements of an innermost array, which has some, from text[i] to its closing bracket, whose offset it gives: one indirect
// call a row is what lets a single walker serve all types at full speed. cell is put for those who read many values one by one: it
// is quick where row is, and row, which has tried the quick way before, does not call it.
type codec struct {
	size int // bytes an element takes while it is read
	put  func(s *scan, i, k int) (int, error)
	row  func(s *scan, i int) (int, error)
	cell func(s *scan, i, k int) (int, error)
}

// array reads the tensor that starts at text[i] from element s.n on, checks it against t, and leaves its shape in s.dims and
// s.rank, the number of its last element and one in s.n.
func (s *scan) array(i int, t *Type) (int, error) {
	b := s.text
	rank, seen, depth := -1, 0, 0 // seen: depths that have a size in dims; rank: -1 until the first element tells
	if t.Ranked {
		rank, seen = len(t.Shape), len(t.Shape)
		if rank > maxRank {
			return i, s.fault(i, "a rank over %d is not supported", maxRank)
		}
		copy(s.dims[:], t.Shape)
	}
	if s.sized {
		rank, seen = len(s.sizes), len(s.sizes)
		copy(s.dims[:], s.sizes)
	}
	if i >= len(b) {
		return i, s.syntax(i, "the text ends where a value is expected")
	}
	if b[i] != '[' && !s.run(i) {
		if rank > 0 {
			return i, s.wrongRank(i, rank, 0)
		}
		s.rank = 0
		return s.element(i)
	}
	elements := false // an element was read
open:
	switch {
	case depth == rank:
		if !elements {
			return i, s.wrongRank(i, rank, depth)
		}
		return i, s.at(depth, s.notA(i))
	case depth >= s.o.MaxDepth:
		return i, s.fault(i, "arrays are nested deeper than %d", s.o.MaxDepth)
	case depth == seen:
		s.dims[depth] = -1
		seen++
	}
	s.count[depth] = 0
	depth++
	if b[i] == '[' {
		if i++; i < len(b) && b[i] <= ' ' {
			i = jsonscan.Space(b, i)
		}
		if i >= len(b) {
			return i, s.syntax(i, "the text ends inside an array")
		}
		if b[i] == '[' || s.run(i) {
			goto open
		}
	}
	if b[i] != ']' {
		if depth != rank || depth != seen {
			switch {
			case t.Ranked && !elements && s.run(i):
				return i, s.wrongRank(i, rank, depth-1)
			case t.Ranked && !elements:
				return i, s.wrongRank(i, rank, depth)
			case rank >= 0 || depth != seen:
				return i, s.at(depth, s.unexpected(i, "an array"))
			}
			rank = depth
		}
		elements = true
		width := s.dims[depth-1]
		s.limit = min(s.left, s.room-s.n) // there is room for what the text can hold
		if width >= 0 && width < int64(s.limit) {
			s.limit = int(width)
		}
		s.got, s.more = 0, false
		read, open := s.c.row, depth
		if s.run(i) {
			read, open = rowBase64, depth-1
		}
		next, err := read(s, i)
		s.count[depth-1] = int64(s.got)
		switch {
		case err != nil:
			return next, s.at(open, err)
		case s.more && int64(s.limit) == width:
			return next, s.wrongSize(next, depth-1, t, true)
		case s.more:
			return next, s.tooMany(next)
		}
		i = next
		s.n += s.got
		s.left -= s.got
	}
closed:
	depth--
	if s.dims[depth] != s.count[depth] {
		if s.dims[depth] >= 0 {
			return i, s.wrongSize(i, depth, t, false)
		}
		s.dims[depth] = s.count[depth]
	}
	i++
	if depth == 0 {
		s.rank = seen
		for k := range seen { // an empty array does not tell the sizes inside it: the declaration does, or they are 0
			s.dims[k] = max(s.dims[k], 0)
		}
		return i, nil
	}
	s.count[depth-1]++
	if i+1 < len(b) && b[i] == ',' && b[i+1] == '[' {
		i++
	} else {
		if i = jsonscan.Space(b, i); i >= len(b) {
			return i, s.syntax(i, "the text ends inside an array")
		}
		switch b[i] {
		case ']':
			goto closed
		case ',':
			if i = jsonscan.Space(b, i+1); i >= len(b) {
				return i, s.syntax(i, "the text ends inside an array")
			}
		default:
			return i, s.at(depth-1, s.syntax(i, "expected ',' or ']', found %s", s.found(i)))
		}
	}
	if s.dims[depth-1] == s.count[depth-1] {
		return i, s.wrongSize(i, depth-1, t, true)
	}
	if b[i] == '[' || s.run(i) {
		goto open
	}
	return i, s.at(depth, s.unexpected(i, "an array"))
}

// run tells that text[i] begins an object that stands for an innermost array of bytes.
func (s *scan) run(i int) bool { return s.text[i] == '{' && s.d == Uint8 }

// element reads a single value at text[i] as the tensor's next element.
func (s *scan) element(i int) (int, error) {
	if s.left < 1 {
		return i, s.tooMany(i)
	}
	i, err := s.c.put(s, i, s.n)
	s.n++
	s.left--
	return i, err
}

// next steps from the byte after an element to the next one; more is false at the closing bracket.
func (s *scan) next(i int) (at int, more bool, err error) {
	b := s.text
	if i = jsonscan.Space(b, i); i < len(b) {
		switch b[i] {
		case ']':
			return i, false, nil
		case ',':
			if i = jsonscan.Space(b, i+1); i < len(b) {
				return i, true, nil
			}
		default:
			return i, false, s.syntax(i, "expected ',' or ']', found %s", s.found(i))
		}
	}
	return i, false, s.syntax(i, "the text ends inside an array")
}

// rowByPut is the row of the types that have no loop of their own.
func rowByPut(s *scan, i int) (int, error) {
	for k := s.n; ; {
		if s.got == s.limit {
			s.more = true
			return i, nil
		}
		end, err := s.c.put(s, i, k)
		if err != nil {
			return i, err
		}
		s.got++
		k++
		var more bool
		if i, more, err = s.next(end); !more {
			return i, err
		}
	}
}
