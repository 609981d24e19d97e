package onnx

import (
	"bufio"
	"errors"
	"io"
)

// The wire types of protobuf that occur: a number, bytes with their length, and two of fixed size.
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

// maxText bounds a name, a type and a metadata value: a damaged length must not take the memory.
const maxText = 1 << 20

// walker reads protobuf messages one field after the other and seeks over what nobody wants.
type walker struct {
	r   io.ReadSeeker
	b   *bufio.Reader
	pos int64
	end int64 // of the innermost message
}

func newWalker(r io.ReadSeeker) *walker {
	return &walker{r: r, b: bufio.NewReaderSize(r, 4096)}
}

// message calls field for every number (v is its value) and for every counted field (v is its length) of the message that
// reaches to end. Field must consume a counted field whole.
func (w *walker) message(end int64, field func(num, wire int, v uint64) error) error {
	outer := w.end
	w.end = end
	defer func() { w.end = outer }()
	for w.pos < end {
		tag, err := w.varint()
		if err != nil {
			return err
		}
		switch wire := int(tag & 7); wire {
		case wireVarint, wireBytes:
			v, err := w.varint()
			if err != nil {
				return err
			}
			if wire == wireBytes && (w.pos > end || v > uint64(end-w.pos)) {
				return errNotModel
			}
			if err := field(int(tag>>3), wire, v); err != nil {
				return err
			}
		case wireFixed8:
			if err := w.skip(8); err != nil {
				return err
			}
		case wireFixed4:
			if err := w.skip(4); err != nil {
				return err
			}
		default:
			return errNotModel
		}
	}
	if w.pos != end {
		return errNotModel
	}
	return nil
}

// within is message for a field of n bytes.
func (w *walker) within(n uint64, field func(num, wire int, v uint64) error) error {
	return w.message(w.pos+int64(n), field)
}

// rest passes over a field of which only a counted one has anything left to read.
func (w *walker) rest(wire int, v uint64) error {
	if wire == wireBytes {
		return w.skip(v)
	}
	return nil
}

func (w *walker) varint() (uint64, error) {
	var x uint64
	for s := uint(0); s < 64; s += 7 {
		c, err := w.b.ReadByte()
		if err != nil {
			return 0, damaged(err)
		}
		w.pos++
		x |= uint64(c&0x7f) << s
		if c < 0x80 {
			return x, nil
		}
	}
	return 0, errNotModel
}

// skip seeks when the bytes are not in the buffer already: weights are never read.
func (w *walker) skip(n uint64) error {
	if n > uint64(w.end-w.pos) {
		return errNotModel
	}
	w.pos += int64(n)
	if n <= uint64(w.b.Buffered()) {
		_, err := w.b.Discard(int(n))
		return err
	}
	if _, err := w.r.Seek(w.pos, io.SeekStart); err != nil {
		return err
	}
	w.b.Reset(w.r)
	return nil
}

func (w *walker) bytes(n uint64) ([]byte, error) {
	if n > maxText {
		return nil, errNotModel
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(w.b, b); err != nil {
		return nil, damaged(err)
	}
	w.pos += int64(n)
	return b, nil
}

func (w *walker) text(n uint64, to *string) error {
	b, err := w.bytes(n)
	*to = string(b)
	return err
}

// damaged keeps an error of the disk apart from a file that ends too early.
func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errNotModel
	}
	return err
}

// fields is message for bytes that are in memory: v is the value of a number, d the content of a counted field.
func fields(b []byte, field func(num int, v uint64, d []byte) error) error {
	for len(b) > 0 {
		tag, rest, ok := uvarint(b)
		if !ok {
			return errNotModel
		}
		b = rest
		var v uint64
		var d []byte
		switch tag & 7 {
		case wireVarint:
			if v, b, ok = uvarint(b); !ok {
				return errNotModel
			}
		case wireBytes:
			n, rest, ok := uvarint(b)
			if !ok || n > uint64(len(rest)) {
				return errNotModel
			}
			d, b = rest[:n], rest[n:]
		case wireFixed8, wireFixed4:
			n := 8
			if tag&7 == wireFixed4 {
				n = 4
			}
			if len(b) < n {
				return errNotModel
			}
			b = b[n:]
			continue
		default:
			return errNotModel
		}
		if err := field(int(tag>>3), v, d); err != nil {
			return err
		}
	}
	return nil
}

func uvarint(b []byte) (x uint64, rest []byte, ok bool) {
	for i := 0; i < len(b) && i < 10; i++ {
		x |= uint64(b[i]&0x7f) << (7 * uint(i))
		if b[i] < 0x80 {
			return x, b[i+1:], true
		}
	}
	return 0, nil, false
}
