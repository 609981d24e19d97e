package tensor

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// npyStrings makes the elements of data, <U or |S, the value. Strings of numpy have one length, padded with zeros.
func (p *octets) npyStrings(into *Batch, h *npyParser, data []byte, n int) error {
	from := len(p.body) - len(data)
	if p.t.DType != String {
		return p.fault(h.descrAt, "an array of %v is expected, found string (%q)", p.t.DType, h.descr)
	}
	if h.size == 0 && n > 0 {
		return p.fault(h.descrAt, "strings of no length (%q)", h.descr) // any number of them would take no bytes
	}
	into.SetTensor(p.k, String, h.shape(), nil)
	sl := &into.slots[p.k]
	var all strings.Builder // one piece of memory for all of them
	ends := slices.Grow(into.scan.ends[:0], n)
	for k := range n {
		b := data[k*h.size : (k+1)*h.size]
		if h.descr[1] == 'S' {
			end := len(b)
			for end > 0 && b[end-1] == 0 {
				end--
			}
			all.Write(b[:end])
		} else if at := appendUTF32(&all, b, h.big); at >= 0 {
			return p.at(h.shape(), k, p.fault(from+k*h.size+at, "a character that is not Unicode"))
		}
		if all.Len() > p.o.MaxStringBytes {
			return p.fault(from+k*h.size, "more than %d bytes of strings", p.o.MaxStringBytes)
		}
		ends = append(ends, all.Len())
	}
	into.scan.ends = ends
	text, start := all.String(), 0
	sl.strs = slices.Grow(sl.strs[:0], n)
	for _, end := range ends {
		sl.strs = append(sl.strs, text[start:end])
		start = end
	}
	into.Values[p.k].Strings = sl.strs
	return nil
}

// appendUTF32 writes the characters of b, 4 bytes each; bad is the offset of one that Unicode does not have, or -1.
func appendUTF32(to *strings.Builder, b []byte, big bool) (bad int) {
	order := binary.ByteOrder(binary.LittleEndian)
	if big {
		order = binary.BigEndian
	}
	end := len(b)
	for end >= 4 && order.Uint32(b[end-4:]) == 0 {
		end -= 4
	}
	for i := 0; i < end; i += 4 {
		r := order.Uint32(b[i:])
		if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
			return i
		}
		to.WriteRune(rune(r))
	}
	return -1
}
