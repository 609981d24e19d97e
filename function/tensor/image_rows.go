package tensor

import (
	"image"
	"image/color"
)

// imageRows gives the lines of a picture as bytes: 3 a pixel, or 1 where grey. A line is valid until the next one.
type imageRows struct {
	img        image.Image
	r          image.Rectangle
	grey       bool
	webp       bool // YCbCr of VP8: 16 to 235 rather than JPEG's 0 to 255
	background [3]uint8
	rgb        []byte
	luma       []byte
	cb, cr     []byte // a line of each at full width
	palette    []color.NRGBA
}

func newRows(img image.Image, p *imagePlan, webp bool) *imageRows {
	r := &imageRows{img: img, r: img.Bounds(), grey: p.c == 1, webp: webp, background: p.background}
	r.rgb = make([]byte, 3*r.r.Dx())
	if r.grey {
		r.luma = make([]byte, r.r.Dx())
	}
	return r
}

// row is line y, counted from 0.
func (r *imageRows) row(y int) []byte {
	w := r.r.Dx()
	if g, ok := r.img.(*image.Gray); ok && r.grey {
		return g.Pix[y*g.Stride : y*g.Stride+w]
	}
	r.line(y)
	if !r.grey {
		return r.rgb
	}
	for i := range r.luma { // ITU-R 601, in the fixed point of Pillow's convert("L")
		c := r.rgb[3*i : 3*i+3]
		r.luma[i] = uint8((uint32(c[0])*19595 + uint32(c[1])*38470 + uint32(c[2])*7471 + 1<<15) >> 16)
	}
	return r.luma
}

// line makes line y in rgb.
func (r *imageRows) line(y int) {
	w := r.r.Dx()
	switch m := r.img.(type) {
	case *image.Gray:
		for i, v := range m.Pix[y*m.Stride : y*m.Stride+w] {
			r.rgb[3*i], r.rgb[3*i+1], r.rgb[3*i+2] = v, v, v
		}
	case *image.RGBA: // what image/png makes of pictures without transparency
		for i := range w {
			at := y*m.Stride + 4*i
			r.over(i, m.Pix[at], m.Pix[at+1], m.Pix[at+2], 255)
		}
	case *image.NRGBA:
		for i := range w {
			at := y*m.Stride + 4*i
			r.over(i, m.Pix[at], m.Pix[at+1], m.Pix[at+2], m.Pix[at+3])
		}
	case *image.Gray16: // big-endian: the first byte of two is the 8-bit value
		for i := range w {
			v := m.Pix[y*m.Stride+2*i]
			r.rgb[3*i], r.rgb[3*i+1], r.rgb[3*i+2] = v, v, v
		}
	case *image.RGBA64: // as RGBA
		for i := range w {
			at := y*m.Stride + 8*i
			r.over(i, m.Pix[at], m.Pix[at+2], m.Pix[at+4], 255)
		}
	case *image.NRGBA64:
		for i := range w {
			at := y*m.Stride + 8*i
			r.over(i, m.Pix[at], m.Pix[at+2], m.Pix[at+4], m.Pix[at+6])
		}
	case *image.Paletted:
		if r.palette == nil {
			r.palette = make([]color.NRGBA, 256)
			for k := range r.palette {
				r.palette[k].A = 255 // an index beyond the palette is black
				if k < len(m.Palette) {
					r.palette[k] = color.NRGBAModel.Convert(m.Palette[k]).(color.NRGBA)
				}
			}
		}
		for i, k := range m.Pix[y*m.Stride : y*m.Stride+w] {
			c := r.palette[k]
			r.over(i, c.R, c.G, c.B, c.A)
		}
	case *image.YCbCr:
		r.ycbcr(m, y)
	case *image.NYCbCrA:
		r.ycbcr(&m.YCbCr, y)
		for i := range w {
			r.over(i, r.rgb[3*i], r.rgb[3*i+1], r.rgb[3*i+2], m.A[y*m.AStride+i])
		}
	case *image.CMYK:
		for i := range w {
			at := y*m.Stride + 4*i
			r.rgb[3*i], r.rgb[3*i+1], r.rgb[3*i+2] = color.CMYKToRGB(m.Pix[at], m.Pix[at+1], m.Pix[at+2], m.Pix[at+3])
		}
	default: // what the decoders may come to make
		for i := range w {
			c := color.NRGBAModel.Convert(r.img.At(r.r.Min.X+i, r.r.Min.Y+y)).(color.NRGBA)
			r.over(i, c.R, c.G, c.B, c.A)
		}
	}
}

// over lays a colour over the background.
func (r *imageRows) over(i int, red, green, blue, alpha uint8) {
	to := r.rgb[3*i : 3*i+3]
	if alpha != 255 {
		a := uint32(alpha)
		red = uint8((uint32(red)*a + uint32(r.background[0])*(255-a) + 127) / 255)
		green = uint8((uint32(green)*a + uint32(r.background[1])*(255-a) + 127) / 255)
		blue = uint8((uint32(blue)*a + uint32(r.background[2])*(255-a) + 127) / 255)
	}
	to[0], to[1], to[2] = red, green, blue
}

func (r *imageRows) ycbcr(m *image.YCbCr, y int) {
	w := r.r.Dx()
	if r.cb == nil {
		r.cb, r.cr = make([]byte, w+1), make([]byte, w+1)
	}
	chroma(r.cb[:w+1], m.Cb, m, y)
	chroma(r.cr[:w+1], m.Cr, m, y)
	for i, v := range m.Y[y*m.YStride : y*m.YStride+w] {
		to := r.rgb[3*i : 3*i+3]
		if r.webp {
			to[0], to[1], to[2] = videoRGB(v, r.cb[i], r.cr[i])
		} else {
			to[0], to[1], to[2] = jpegRGB(v, r.cb[i], r.cr[i])
		}
	}
}

// jpegRGB is the conversion of JFIF, rounded as libjpeg rounds it, which color.YCbCrToRGB does not.
func jpegRGB(y, u, v uint8) (red, green, blue uint8) {
	l, cb, cr := int(y), int(u)-128, int(v)-128
	clip := func(v int) uint8 { return uint8(min(max(v, 0), 255)) }
	return clip(l + (91881*cr+1<<15)>>16), clip(l + (1<<15-22554*cb-46802*cr)>>16), clip(l + (116130*cb+1<<15)>>16)
}

// videoRGB is the conversion for the range of RFC 6386 (VP8), section 9.2: ITU-R 601 with 16 for black, in the fixed point of libwebp.
func videoRGB(y, u, v uint8) (red, green, blue uint8) {
	l := int(y) * 19077 >> 8
	clip := func(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }
	return clip(l + int(v)*26149>>8 - 14234),
		clip(l - int(u)*6419>>8 - int(v)*13320>>8 + 8708),
		clip(l + int(u)*33050>>8 - 17685)
}

// chroma writes line y of a colour plane at full width. Planes of half the width or height are interpolated, each pixel by 3/4 of
// the nearest sample and 1/4 of the next, as libjpeg does ("fancy upsampling") and with it most of what pictures were looked at with
// when models were trained; repeating samples, as image/color does, differs by dozens of values at the edges of colours.
func chroma(to, plane []byte, m *image.YCbCr, y int) {
	w := len(to) - 1 // to has one byte more, for pictures of odd width
	var half, tall bool
	ratio := m.SubsampleRatio
	switch {
	case ratio == image.YCbCrSubsampleRatio444:
	case ratio == image.YCbCrSubsampleRatio440:
		tall = true
	case ratio == image.YCbCrSubsampleRatio422 && w > 4:
		half = true
	case ratio == image.YCbCrSubsampleRatio420 && w > 4:
		half, tall = true, true
	default: // 411 and 410, which are rare, and what libjpeg takes for too narrow
		for i := range w {
			to[i] = plane[m.COffset(m.Rect.Min.X+i, m.Rect.Min.Y+y)]
		}
		return
	}
	at, h := y, m.Rect.Dy()
	if tall {
		at, h = y/2, (h+1)/2
	}
	near := plane[at*m.CStride:]
	far, bias := near, 1
	if tall {
		if y%2 == 0 {
			far = plane[max(at-1, 0)*m.CStride:]
		} else {
			far, bias = plane[min(at+1, h-1)*m.CStride:], 2
		}
	}
	switch n := (w + 1) / 2; {
	case half && tall:
		last := 3*int(near[0]) + int(far[0])
		this := last
		for i := range n {
			next := this
			if i+1 < n {
				next = 3*int(near[i+1]) + int(far[i+1])
			}
			to[2*i] = byte((3*this + last + 8) >> 4)
			to[2*i+1] = byte((3*this + next + 7) >> 4)
			last, this = this, next
		}
	case half:
		for i := range n {
			this := 3 * int(near[i])
			to[2*i] = byte((this + int(near[max(i-1, 0)]) + 1) >> 2)
			to[2*i+1] = byte((this + int(near[min(i+1, n-1)]) + 2) >> 2)
		}
	case tall:
		for i := range w {
			to[i] = byte((3*int(near[i]) + int(far[i]) + bias) >> 2)
		}
	default:
		copy(to[:w], near)
	}
}
