package tensor

import "encoding/binary"

// orientation is how a camera was held (Exif 2.3, tag 0x0112), 1 to 8: what a viewer has to undo.
type orientation uint8

// moves tells what is done to the picture in the file to make it upright: its sides are flipped, then exchanged.
func (o orientation) moves() (swap, flipX, flipY bool) {
	return o >= 5, o == 2 || o == 3 || o == 7 || o == 8, o == 3 || o == 4 || o == 6 || o == 7
}

// jpegOrientation finds the orientation in a JPEG file's APP1 segment; 1 where there is none or a wrong one, which viewers ignore.
func jpegOrientation(b []byte) orientation {
	for i := 2; i+4 <= len(b) && b[i] == 0xff; {
		marker := b[i+1]
		if marker == 0xff { // padding
			i++
			continue
		}
		size := int(binary.BigEndian.Uint16(b[i+2:]))
		if marker < 0xc0 || marker == 0xda || size < 2 || i+2+size > len(b) { // the picture starts, or nonsense
			break
		}
		const exif = "Exif\x00\x00"
		if data := b[i+4 : i+2+size]; marker == 0xe1 && len(data) >= len(exif) && string(data[:len(exif)]) == exif {
			return tiffOrientation(data[len(exif):])
		}
		i += 2 + size
	}
	return 1
}

// tiffOrientation reads the first directory of the TIFF structure that Exif is.
func tiffOrientation(b []byte) orientation {
	var order binary.ByteOrder
	switch {
	case len(b) < 8:
		return 1
	case string(b[:4]) == "II*\x00":
		order = binary.LittleEndian
	case string(b[:4]) == "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			break
		}
		const tag, short = 0x0112, 3
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if v := order.Uint16(entries[8:]); v >= 1 && v <= 8 {
				return orientation(v)
			}
			break
		}
		entries = entries[12:]
	}
	return 1
}
