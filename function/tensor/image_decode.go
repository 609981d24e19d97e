package tensor

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/webp"
)

// Decode makes the picture in body value i of into, which has been Reset for more than i values: of the input's rank, a batch of
// one where that has a dimension for batches. PNG (RFC 2083), JPEG (ITU-T T.81; grey, YCbCr, CMYK and YCCK, turned as its Exif
// orientation tells) and WebP (RFC 9649, without animation) are told apart by their first bytes. The value is of the Batch's own
// memory. A body that is no such picture, or a larger one than allowed, is an [*Error]; what [Image.Check] finds is not.
func (im *Image) Decode(body []byte, spec Spec, into *Batch, i int) error {
	return im.DecodeMany([][]byte{body}, spec, into, i)
}

// DecodeMany makes the pictures in bodies value i of into, as [Image.Decode] does with one, stacked along the input's first
// dimension. The input has to have a dimension for batches, unless there is one picture.
func (im *Image) DecodeMany(bodies [][]byte, spec Spec, into *Batch, i int) error {
	into.Values[i] = None()
	p, err := im.plan(&spec)
	if err != nil {
		return err
	}
	n := len(bodies)
	size := p.t.DType.Bits() / 8
	each := p.w * p.h * p.c
	switch {
	case n == 0:
		return imageFault("no picture")
	case p.rank < 4 && n != 1:
		return imageFault("%d pictures, the input takes one (input %q %s)", n, spec.Name, spec.String())
	case p.t.Ranked && p.rank == 4 && p.t.Shape[0] >= 0 && p.t.Shape[0] != int64(n):
		return imageFault("%d pictures, the input takes %d (input %q %s)", n, p.t.Shape[0], spec.Name, spec.String())
	case n > imageMaxOut/each:
		return imageFault("%d pictures of %d numbers, at most %d numbers in all", n, each, imageMaxOut)
	}
	s := &into.slots[i]
	s.data = sized(s.data, n*each*size)
	mem := bytesOfWords(s.data, n*each*size)
	for k, body := range bodies {
		if err := p.picture(body, mem[k*each*size:(k+1)*each*size]); err != nil {
			if n > 1 {
				return under(index(k), err)
			}
			return err
		}
	}
	shape := [4]int64{int64(n), int64(p.c), int64(p.h), int64(p.w)}
	if p.last {
		shape = [4]int64{int64(n), int64(p.h), int64(p.w), int64(p.c)}
	}
	into.SetTensor(i, p.t.DType, shape[4-p.rank:], mem)
	return nil
}

func imageFault(format string, a ...any) error {
	return &Error{Offset: -1, Msg: "image: " + fmt.Sprintf(format, a...)}
}

// picture decodes body into the elements of mem. Decoders of files that anyone may send are not trusted not to panic.
func (p *imagePlan) picture(body, mem []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = imageFault("cannot be decoded: %v", r)
		}
	}()
	if len(body) > p.bytes {
		return imageFault("%d bytes, at most %d", len(body), p.bytes)
	}
	format := sniffImage(body)
	var config func([]byte) (image.Config, error)
	var decode func([]byte) (image.Image, error)
	switch format {
	case "PNG":
		config = func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) }
		decode = func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) }
	case "JPEG":
		config = func(b []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(b)) }
		decode = func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) }
	case "WebP":
		config = func(b []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(b)) }
		decode = func(b []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(b)) }
	case "":
		return imageFault("not a PNG, JPEG or WebP picture")
	default:
		return imageFault("a %s file is not a PNG, JPEG or WebP picture", format)
	}
	c, err := config(body)
	switch {
	case err != nil:
		return imageFault("a %s picture that cannot be read: %v", format, err)
	case c.Width < 1 || c.Height < 1:
		return imageFault("%dx%d pixels", c.Width, c.Height)
	case c.Width > p.pixels/c.Height:
		return imageFault("%dx%d pixels, at most %d", c.Width, c.Height, p.pixels)
	case c.Width > imageMaxSide || c.Height > imageMaxSide:
		return imageFault("%dx%d pixels, a side has at most %d", c.Width, c.Height, imageMaxSide)
	}
	img, err := decode(body)
	if err != nil {
		return imageFault("a %s picture that cannot be read: %v", format, err)
	}
	// The file said its size twice; the second time counts.
	if b := img.Bounds(); b.Dx() != c.Width || b.Dy() != c.Height {
		return imageFault("%dx%d pixels, first said to be %dx%d", b.Dx(), b.Dy(), c.Width, c.Height)
	}
	turn := orientation(1)
	if format == "JPEG" {
		turn = jpegOrientation(body)
	}
	p.render(newRows(img, p, format == "WebP"), turn, mem)
	return nil
}

// sniffImage names the format that body starts like: one that is read, one that people send by mistake, or "".
func sniffImage(body []byte) string {
	for _, f := range []struct{ magic, name string }{
		{"\x89PNG\r\n\x1a\n", "PNG"},
		{"\xff\xd8", "JPEG"},
		{"RIFF????WEBP", "WebP"},
		{"GIF8", "GIF"},
		{"BM", "BMP"},
		{"II*\x00", "TIFF"},
		{"MM\x00*", "TIFF"},
		{"????ftypavif", "AVIF"},
		{"????ftyphei", "HEIC"},
		{"%PDF", "PDF"},
	} {
		if len(body) < len(f.magic) {
			continue
		}
		same := true
		for i := range len(f.magic) {
			same = same && (f.magic[i] == '?' || f.magic[i] == body[i])
		}
		if same {
			return f.name
		}
	}
	return ""
}
