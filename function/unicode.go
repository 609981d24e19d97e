package function

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// toUTF8 is a JSON body as UTF-8 without a byte order mark. UTF-16 and UTF-32 are told by their mark, or by where the zero
// bytes of the first character are (RFC 4627, section 3), as Python's json does.
func toUTF8(body []byte) []byte {
	const bom = '\ufeff'
	if len(body) < 2 || body[0] != 0 && body[1] != 0 && body[0] < 0xEF {
		return body // nearly always
	}
	if len(body) >= 3 && body[0] == 0xEF && body[1] == 0xBB && body[2] == 0xBF {
		return body[3:]
	}
	var order binary.ByteOrder
	width := 0
	at := func(i int) byte {
		if i < len(body) {
			return body[i]
		}
		return 1
	}
	switch {
	case at(0) == 0xFF && at(1) == 0xFE && at(2) == 0 && at(3) == 0, at(0) != 0 && at(1) == 0 && at(2) == 0 && at(3) == 0:
		order, width = binary.LittleEndian, 4
	case at(0) == 0 && at(1) == 0 && (at(2) == 0xFE && at(3) == 0xFF || at(2) == 0 && at(3) != 0):
		order, width = binary.BigEndian, 4
	case at(0) == 0xFF && at(1) == 0xFE, at(0) != 0 && at(1) == 0:
		order, width = binary.LittleEndian, 2
	case at(0) == 0xFE && at(1) == 0xFF, at(0) == 0 && at(1) != 0:
		order, width = binary.BigEndian, 2
	}
	if width == 0 || len(body)%width != 0 {
		return body
	}
	out := make([]byte, 0, len(body)/width)
	for i := 0; i < len(body); i += width {
		var r rune
		if width == 4 {
			r = rune(order.Uint32(body[i:]))
		} else if r = rune(order.Uint16(body[i:])); utf16.IsSurrogate(r) && i+4 <= len(body) {
			if pair := utf16.DecodeRune(r, rune(order.Uint16(body[i+2:]))); pair != utf8.RuneError {
				r = pair
				i += 2
			}
		}
		if i == 0 && r == bom {
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}
