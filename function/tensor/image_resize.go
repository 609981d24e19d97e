package tensor

import "math"

// imageFilter is how a picture is resized.
type imageFilter uint8

const (
	bilinear imageFilter = iota
	bicubic
	nearest
)

func imageFilterOf(name string) (f imageFilter, ok bool) {
	switch name {
	case "", "bilinear":
		return bilinear, true
	case "bicubic":
		return bicubic, true
	case "nearest":
		return nearest, true
	}
	return 0, false
}

// support is how far the filter reaches, in pixels of the smaller picture.
func (f imageFilter) support() float64 {
	if f == bicubic {
		return 2
	}
	return 1
}

// at is the filter's weight at distance x. Bicubic is the Catmull-Rom spline (a = -0.5).
func (f imageFilter) at(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case f == bilinear && x < 1:
		return 1 - x
	case f == bicubic && x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case f == bicubic && x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

// weightBits is the scale of the weights: a sum of bytes by weights that add up to 1 stays within an int32, overshoot included.
const weightBits = 32 - 8 - 2

// imageTaps is which pixels, with which weights, make one pixel of the result.
type imageTaps struct {
	from int
	w    []int32
}

// resampling is the taps of the pixels first to first+n of a side that goes from in pixels to out. The sums are as Pillow does
// them: the reach is scaled where the picture gets smaller, weights are rounded to fixed point, and sides that do not change are
// left alone.
func resampling(f imageFilter, in, out, first, n int) []imageTaps {
	list := make([]imageTaps, n)
	scale := float64(in) / float64(out)
	for i := range list {
		x := first + i
		if f == nearest || in == out {
			list[i] = imageTaps{min(int((float64(x)+0.5)*scale), in-1), []int32{1 << weightBits}}
			continue
		}
		stretch := max(scale, 1)
		reach := f.support() * stretch
		center := (float64(x) + 0.5) * scale
		from := max(int(center-reach+0.5), 0)
		to := min(int(center+reach+0.5), in)
		weights := make([]float64, to-from)
		sum := 0.0
		for k := range weights {
			weights[k] = f.at((float64(k+from) - center + 0.5) * (1 / stretch))
			sum += weights[k]
		}
		t := imageTaps{from, make([]int32, len(weights))}
		for k, w := range weights {
			if sum != 0 {
				w /= sum
			}
			t.w[k] = int32(math.Copysign(0.5, w) + w*(1<<weightBits)) // rounds half away from zero
		}
		list[i] = t
	}
	return list
}

func clip8(v int32) uint8 { return uint8(min(max(v>>weightBits, 0), 255)) }

// resize makes a picture of len(xs) by len(ys) pixels of c bytes of one that row gives, a line at a time from the top. Memory is
// that of the result and of two lines, however large the source is: each line is narrowed as it comes and added to all lines of
// the result that it is a part of.
func resize(row func(y int) []byte, c int, xs, ys []imageTaps) []byte {
	w, h := len(xs), len(ys)
	sums := make([]int32, w*h*c)
	for i := range sums {
		sums[i] = 1 << (weightBits - 1)
	}
	line := make([]byte, w*c)
	first, last := ys[0].from, 0
	for _, t := range ys {
		first = min(first, t.from)
		last = max(last, t.from+len(t.w))
	}
	open := 0 // lines of the result above it are complete
	for y := first; y < last; y++ {
		for open < h && ys[open].from+len(ys[open].w) <= y {
			open++
		}
		if open == h || ys[open].from > y {
			continue // nearest leaves lines out
		}
		narrowLine(line, row(y), c, xs)
		for k := open; k < h && ys[k].from <= y; k++ {
			if y-ys[k].from >= len(ys[k].w) {
				continue
			}
			weight := ys[k].w[y-ys[k].from]
			to := sums[k*w*c : (k+1)*w*c]
			for i, v := range line[:len(to)] {
				to[i] += int32(v) * weight
			}
		}
	}
	out := make([]byte, len(sums))
	for i, s := range sums {
		out[i] = clip8(s)
	}
	return out
}

// narrowLine resizes one line.
func narrowLine(to, from []byte, c int, xs []imageTaps) {
	for i, t := range xs {
		if c == 1 {
			sum := int32(1 << (weightBits - 1))
			for k, v := range from[t.from : t.from+len(t.w)] {
				sum += int32(v) * t.w[k]
			}
			to[i] = clip8(sum)
			continue
		}
		r, g, b := int32(1<<(weightBits-1)), int32(1<<(weightBits-1)), int32(1<<(weightBits-1))
		in := from[t.from*3 : (t.from+len(t.w))*3]
		for k, w := range t.w {
			r += int32(in[3*k]) * w
			g += int32(in[3*k+1]) * w
			b += int32(in[3*k+2]) * w
		}
		to[3*i], to[3*i+1], to[3*i+2] = clip8(r), clip8(g), clip8(b)
	}
}
