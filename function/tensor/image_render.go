package tensor

import "math"

// imageWindow is how a picture lies in the tensor, both upright: it is resized to w by h, of which the part at x, y of size cw by ch is
// put at left, top.
type imageWindow struct {
	w, h, x, y, cw, ch, left, top int
}

// window works out where a picture of w by h pixels goes. The roundings are those of torchvision's Resize and CenterCrop for cover
// and of Pillow's ImageOps.pad for contain.
func (p *imagePlan) window(w, h int) imageWindow {
	half := func(n int) int { return int(math.RoundToEven(float64(n) / 2)) }
	switch p.fit {
	case "cover":
		to := imageWindow{
			w: max(int(math.Round(float64(p.w)/p.crop)), p.w), h: max(int(math.Round(float64(p.h)/p.crop)), p.h),
			cw: p.w, ch: p.h,
		}
		if to.w*h >= to.h*w {
			to.h = to.w * h / w
		} else {
			to.w = to.h * w / h
		}
		to.x, to.y = half(to.w-p.w), half(to.h-p.h)
		return to
	case "contain":
		to := imageWindow{w: p.w, h: p.h}
		if p.w*h <= p.h*w {
			to.h = min(max(int(math.RoundToEven(float64(h)/float64(w)*float64(p.w))), 1), p.h)
		} else {
			to.w = min(max(int(math.RoundToEven(float64(w)/float64(h)*float64(p.h))), 1), p.w)
		}
		to.cw, to.ch = to.w, to.h
		to.left, to.top = half(p.w-to.w), half(p.h-to.h)
		return to
	default:
		return imageWindow{w: p.w, h: p.h, cw: p.w, ch: p.h}
	}
}

// render resizes the picture and writes it to the elements of mem. It is resized as it lies in the file and turned as it is
// written: turning the small picture is cheaper.
func (p *imagePlan) render(r *imageRows, turn orientation, mem []byte) {
	w, h := r.r.Dx(), r.r.Dy()
	swap, flipX, flipY := turn.moves()
	if swap {
		w, h = h, w
	}
	at := p.window(w, h)
	// The same in the file's directions.
	file := at
	if swap {
		file = imageWindow{w: at.h, h: at.w, x: at.y, y: at.x, cw: at.ch, ch: at.cw}
	}
	if flipX {
		file.x = file.w - file.x - file.cw
	}
	if flipY {
		file.y = file.h - file.y - file.ch
	}
	xs := resampling(p.filter, r.r.Dx(), file.w, file.x, file.cw)
	ys := resampling(p.filter, r.r.Dy(), file.h, file.y, file.ch)
	pix := resize(r.row, p.c, xs, ys)

	// The pixel of the file at 0, 0 of the upright picture, and the steps to the next ones.
	start, stepX, stepY := 0, 1, file.cw
	if flipX {
		start, stepX = file.cw-1, -1
	}
	if flipY {
		start, stepY = start+(file.ch-1)*file.cw, -stepY
	}
	if swap {
		stepX, stepY = stepY, stepX
	}
	n := p.w * p.h * p.c
	switch p.t.DType.Bits() {
	case 8:
		writeImage(view[uint8](mem, n), p, at, pix, start, stepX, stepY)
	case 16:
		writeImage(view[uint16](mem, n), p, at, pix, start, stepX, stepY)
	case 32:
		writeImage(view[uint32](mem, n), p, at, pix, start, stepX, stepY)
	case 64:
		writeImage(view[uint64](mem, n), p, at, pix, start, stepX, stepY)
	}
}

func writeImage[T uint8 | uint16 | uint32 | uint64](to []T, p *imagePlan, at imageWindow, pix []byte, start, stepX, stepY int) {
	next, plane := 1, p.w*p.h // steps in the tensor from pixel to pixel and from channel to channel
	if p.last {
		next, plane = p.c, 1
	}
	for c := range p.c {
		from := c // the colour of the channel
		if p.bgr {
			from = 2 - c
		}
		pad := p.pad[from]
		if p.c == 1 {
			pad = uint8((uint32(p.pad[0])*19595 + uint32(p.pad[1])*38470 + uint32(p.pad[2])*7471 + 1<<15) >> 16)
		}
		var values [256]T
		for v := range values {
			values[v] = T(p.lut[c][v])
		}
		k := c * plane
		for y := -at.top; y < p.h-at.top; y++ {
			for x := -at.left; x < p.w-at.left; x++ {
				v := pad
				if x >= 0 && x < at.cw && y >= 0 && y < at.ch {
					v = pix[(start+x*stepX+y*stepY)*p.c+from]
				}
				to[k] = values[v]
				k += next
			}
		}
	}
}
