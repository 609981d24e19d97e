package tensor

import (
	"encoding/binary"
	"strconv"
)

// NPY reads body, one array in the NPY format of NumPy (NEP 1, versions 1.0, 2.0 and 3.0, as numpy.save writes it), as the value of
// the one required input. The shape has to fit the declared one. Elements become the input's type by these rules:
//
//   - the same type is taken as it is, big-endian ones with their bytes swapped;
//   - integers and floats become an integer type when they are whole and in its range, which is an error otherwise;
//   - integers and floats become a float type rounded once to the nearest, as astype does; what is finite and would become
//     infinite is an error;
//   - bool becomes bool; with Lenient also 0 and 1 of a number type. No number becomes a bool;
//   - <U and |S become strings without the zeros that pad them; |S is taken as bytes of any content. No string becomes a number;
//   - complex numbers keep their type.
//
// Object arrays are pickled Python, which is never read. Refused, too, are structured and other types, Fortran order for more than
// one dimension, bytes after the array and a bool that is neither 0 nor 1.
//
// No byte is copied where the type is the same, little-endian, and the array is aligned in memory, which it is where body is from
// make: the value then is valid as long as body is unchanged, besides what [Batch] says. A mistake in body is an [*Error] and
// leaves into without values.
func (d *Decoder) NPY(body []byte, into *Batch) error {
	p, err := d.octets("npy", body, into)
	if err == nil {
		err = p.npy(into)
	}
	if err != nil {
		into.Reset(0)
	}
	return err
}

const npyMagic = "\x93NUMPY"

// npyMaxHeader is the longest header that is read: what numpy itself takes for safe.
const npyMaxHeader = 10000

func (p *octets) npy(into *Batch) error {
	text, start, err := p.npyHeader()
	if err != nil {
		return err
	}
	h := npyParser{p: p, text: text, start: start}
	if err := h.parse(); err != nil {
		return err
	}
	if err := p.npyShape(&h); err != nil {
		return err
	}
	n, ok := Elements(h.shape())
	if !ok || n > p.o.MaxElements {
		return p.fault(h.shapeAt, "more than %d elements", p.o.MaxElements)
	}
	from := start + len(text)
	data := p.body[from:]
	if h.size > 0 && n > maxInt/h.size {
		return p.fault(h.shapeAt, "more than %d elements", p.o.MaxElements)
	}
	switch need := n * h.size; {
	case len(data) < need:
		return p.syntax(len(p.body), "the array is cut off: %d bytes of %d", len(data), need)
	case len(data) > need:
		return p.syntax(from+need, "%d bytes after the array", len(data)-need)
	}
	if h.dtype == String {
		return p.npyStrings(into, &h, data, n)
	}
	return p.npyNumbers(into, &h, data, n)
}

// npyHeader finds the text of the header and where it starts.
func (p *octets) npyHeader() (text []byte, start int, err error) {
	b := p.body
	if len(b) < len(npyMagic) || string(b[:len(npyMagic)]) != npyMagic {
		return nil, 0, p.syntax(0, "not an NPY file: it does not start with \\x93NUMPY")
	}
	if len(b) < 8 {
		return nil, 0, p.syntax(len(b), "the NPY header is cut off")
	}
	var n int
	switch major, minor := b[6], b[7]; {
	case major == 1 && minor == 0 && len(b) >= 10:
		n, start = int(binary.LittleEndian.Uint16(b[8:])), 10
	case (major == 2 || major == 3) && minor == 0 && len(b) >= 12:
		n, start = int(min(binary.LittleEndian.Uint32(b[8:]), 1<<30)), 12
	case major < 1 || major > 3 || minor != 0:
		return nil, 0, p.syntax(6, "NPY version %d.%d is not known: 1.0, 2.0 and 3.0 are", major, minor)
	default:
		return nil, 0, p.syntax(len(b), "the NPY header is cut off")
	}
	switch {
	case n > npyMaxHeader:
		return nil, 0, p.syntax(8, "an NPY header of %d bytes, at most %d are read", n, npyMaxHeader)
	case n > len(b)-start:
		return nil, 0, p.syntax(len(b), "the NPY header is cut off")
	}
	return b[start : start+n], start, nil
}

// npyShape checks the shape against the declared one, in the words of [Decoder.JSON].
func (p *octets) npyShape(h *npyParser) error {
	if !p.t.Ranked {
		return nil
	}
	switch want := len(p.t.Shape); want {
	case h.rank:
	case 0:
		return p.fault(h.shapeAt, "a single value is expected, found an array")
	default:
		return p.fault(h.shapeAt, "an array of rank %d is expected, found rank %d", want, h.rank)
	}
	path := "npy"
	for k, want := range p.t.Shape {
		if got := h.dims[k]; want >= 0 && got != want {
			plural := "s"
			if got == 1 {
				plural = ""
			}
			return under(path, p.fault(h.shapeAt, "%d value%s, expected %d", got, plural, want))
		}
		path += index(0)
	}
	return nil
}

// npyNumbers makes the elements of data the value.
func (p *octets) npyNumbers(into *Batch, h *npyParser, data []byte, n int) error {
	to, shape := p.t.DType, h.shape()
	from := len(p.body) - len(data)
	if h.dtype == Bool {
		if err := p.bools(data, from, shape); err != nil {
			return err
		}
	}
	if h.dtype == to {
		if h.big && h.size > 1 {
			mem := p.memory(into, len(data))
			swapBytes(mem, data, swapSize(to))
			data = mem
		}
		into.SetTensor(p.k, to, shape, p.own(into, to, data))
		return nil
	}
	class, want := npyClass(h.dtype), npyClass(to)
	if class != want && (class != npyBool || want != npyNumber || !p.o.Lenient) || want == npyOther {
		return p.fault(h.descrAt, "an array of %v is expected, found %v (%q)", to, h.dtype, h.descr)
	}
	one, _ := to.Bytes(1)
	mem := p.memory(into, n*one)
	if bad, why := convert(mem, to, data, h.dtype, h.big, n); bad >= 0 {
		number := npyText(data[bad*h.size:], h.dtype, h.big)
		if why == badRange {
			limits := ""
			if lo, hi, ok := intRange(to); ok {
				limits = " (" + strconv.FormatInt(lo, 10) + " to " + strconv.FormatUint(hi, 10) + ")"
			}
			return p.at(shape, bad, p.fault(from+bad*h.size, "%s is out of range for %v%s", number, to, limits))
		}
		return p.at(shape, bad, p.fault(from+bad*h.size, "%s is not a whole number", number))
	}
	if bits := to.Bits(); bits < 8 {
		mem = pack(mem, n, bits)
	}
	into.SetTensor(p.k, to, shape, mem)
	return nil
}

// The classes of types that do not become each other.
const (
	npyNumber = iota
	npyBool
	npyString
	npyOther
)

func npyClass(d DType) int {
	switch d {
	case Bool:
		return npyBool
	case String:
		return npyString
	case Undefined, Complex64, Complex128:
		return npyOther
	default:
		if d.Bits() == 0 {
			return npyOther
		}
		return npyNumber
	}
}

// swapBytes copies src to dst with the bytes of each size reversed.
func swapBytes(dst, src []byte, size int) {
	for i := 0; i+size <= len(src); i += size {
		switch size {
		case 2:
			binary.LittleEndian.PutUint16(dst[i:], binary.BigEndian.Uint16(src[i:]))
		case 4:
			binary.LittleEndian.PutUint32(dst[i:], binary.BigEndian.Uint32(src[i:]))
		case 8:
			binary.LittleEndian.PutUint64(dst[i:], binary.BigEndian.Uint64(src[i:]))
		}
	}
}
