package tensor

import (
	"slices"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// lead makes l the lane whose elements are read.
func (s *scan) lead(l *lane) {
	t := &s.table
	if t.lane == l {
		return
	}
	t.lane = l
	s.spec, s.c, s.d = l.spec, l.c, l.cell.DType
	s.mem = bytesOfWords(l.slot.data, len(l.slot.data)*8)
	s.room = maxInt
	if s.c.size > 0 {
		s.room = len(s.mem) / s.c.size
	}
}

// makeRoom gives l, which leads, memory for n elements. Growing by doubling it takes a small multiple of what the text fills.
func (s *scan) makeRoom(l *lane, n int) {
	if s.c.size == 0 {
		if len(l.spans) < n {
			spans := make([]span, max(n, 2*len(l.spans)))
			copy(spans, l.spans)
			l.spans = spans
		}
		return
	}
	if s.room >= n {
		return
	}
	words := make([]uint64, max(2*len(l.slot.data), (n*s.c.size+7)/8))
	copy(words, l.slot.data)
	l.slot.data = words
	s.table.lane = nil
	s.lead(l)
}

// open begins a row.
func (s *scan) open(i int) error {
	t := &s.table
	if int64(t.rows) == t.most {
		for k := range t.lanes {
			if declared := within(&t.lanes[k].spec.Type); declared.Ranked && declared.Shape[0] == t.most {
				s.spec = t.lanes[k].spec
			}
		}
		return s.fault(i, "more than %s", counted(t.rows, "row"))
	}
	if t.whole {
		s.makeRoom(&t.lanes[0], (t.rows+1)*t.width)
	}
	return nil
}

// cell reads the cell of column c of the row at hand, which begins at text[i].
func (s *scan) cell(c, i int) (int, error) {
	t := &s.table
	if t.whole {
		return s.single(&t.lanes[0], i, t.rows*t.width+c)
	}
	l := &t.lanes[c]
	s.lead(l)
	if s.text[i] == '[' || s.run(i) {
		return s.arrayCell(l, i)
	}
	if err := s.scalar(l, i); err != nil {
		return i, err
	}
	return s.single(l, i, t.rows)
}

// scalar makes room for a cell of one element without brackets: one that its declaration and those above allow to be that.
func (s *scan) scalar(l *lane, i int) error {
	sizes := l.cell.Shape
	if l.sized {
		sizes = l.sizes
	}
	for _, n := range sizes {
		if n != 1 && n >= 0 {
			return s.wrongRank(i, len(sizes), 0)
		}
	}
	if !l.sized {
		l.sized, l.n = true, 1
		for range sizes {
			l.sizes = append(l.sizes, 1)
		}
	}
	s.makeRoom(l, s.table.rows+1)
	return nil
}

// single reads the value at text[i] into element k of l, for which there is room.
func (s *scan) single(l *lane, i, k int) (int, error) {
	if s.left < 1 {
		return i, s.tooMany(i)
	}
	s.left--
	if s.c.size > 0 {
		return s.c.cell(s, i, k)
	}
	start := len(s.strings)
	s.ends = s.ends[:0]
	end, err := s.c.put(s, i, k)
	l.spans[k] = span{start, len(s.strings)}
	return end, err
}

// arrayCell reads a cell that is an array.
func (s *scan) arrayCell(l *lane, i int) (int, error) {
	from := s.table.rows * l.n
	room := from + l.n
	if !l.sized {
		room = s.most(i, past(s.text, i))
	}
	s.makeRoom(l, room)
	s.n, s.sizes, s.sized, s.ends = from, l.sizes, l.sized, s.ends[:0]
	start := len(s.strings)
	end, err := s.array(i, &l.cell)
	s.sized = false
	if err != nil {
		return end, err
	}
	if !l.sized {
		l.sized, l.n, l.sizes = true, s.n, append(l.sizes, s.dims[:s.rank]...)
	}
	if s.c.size == 0 {
		s.makeRoom(l, s.n)
		for k, end := range s.ends {
			l.spans[from+k] = span{start, end}
			start = end
		}
	}
	return end, nil
}

// past is roughly where the value at text[i] ends; reading it finds out what is wrong with it.
func past(b []byte, i int) int {
	start := i
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if depth == 0 && i > start {
				return i
			}
			end, _, err := jsonscan.String(b, i)
			if err != nil {
				return len(b)
			}
			i = end - 1
		case '[', '{':
			depth++
			continue
		case ']', '}':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth <= 0 {
			return i + min(1, depth+1)
		}
	}
	return len(b)
}

// close makes the cells of all rows values of into.
func (d *Decoder) close(s *scan, into *Batch) error {
	t := &s.table
	all := string(s.strings)
	for k := range t.lanes {
		l := &t.lanes[k]
		s.lead(l)
		shape := append(l.slot.shape[:0], int64(t.rows))
		declared := within(&l.spec.Type)
		if declared.Ranked && declared.Shape[0] >= 0 && declared.Shape[0] != int64(t.rows) {
			return s.fault(len(s.text), "%s, expected %d", counted(t.rows, "row"), declared.Shape[0])
		}
		switch {
		case t.whole && !t.flat:
			shape = append(shape, int64(t.width))
		case l.sized:
			shape = append(shape, l.sizes...)
		case !t.whole: // no cell tells: the declaration does, or sizes are 0
			for _, n := range l.cell.Shape {
				shape = append(shape, max(n, 0))
			}
		}
		l.slot.shape = shape
		v := Value{Tensor: Tensor{DType: s.d, Shape: shape}}
		s.n = t.rows * l.n
		if s.d == String {
			v.Strings = slices.Grow(l.slot.strs[:0], s.n)
			for _, p := range l.spans[:s.n] {
				v.Strings = append(v.Strings, all[p.start:p.end])
			}
			l.slot.strs = v.Strings
		}
		s.words = l.slot.data
		v.Data = s.take()
		into.Values[l.input] = v
	}
	return nil
}
