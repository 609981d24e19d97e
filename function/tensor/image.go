package tensor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Image says how a picture becomes the value of an input: the section image of score.json. The zero value serves models that take
// RGB pictures of the declared size as floats from 0 to 1, or as integers from 0 to 255, and grey ones where one channel is declared.
//
// A picture is turned upright (Exif), laid over Background where it is transparent, reduced to 8 bits a channel and to grey where
// that is asked for, resized, inverted if asked, and each number v of 0 to 255 becomes (v*Scale - Mean) / Std, worked out as a
// float64 and rounded once to the input's type. Some models:
//
//	ResNet, torchvision  {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "fit": "cover", "crop": 0.875}
//	PP-OCR recognition   {"channels": "BGR", "mean": [0.5], "std": [0.5]}
//	MNIST                {"invert": true}   dark ink on white paper to light on black
//	FER+                 {"scale": 1}       grey, 0 to 255
//
// Resizing gives the same bytes as Pillow's Image.resize with BILINEAR, BICUBIC or NEAREST, which smooths where it reduces;
// OpenCV's INTER_LINEAR does not. (Since Pillow 13, which sometimes resizes the height first, some bytes differ by 1.) Colour
// profiles and gamma are ignored, as they are there.
type Image struct {
	Width      int       `json:"width,omitempty"`      // of the tensor; what the input declares
	Height     int       `json:"height,omitempty"`     // of the tensor; what the input declares
	Channels   string    `json:"channels,omitempty"`   // RGB, BGR or GRAY; GRAY where one channel is declared, RGB elsewhere
	Layout     string    `json:"layout,omitempty"`     // NCHW or NHWC; NHWC where only that fits what is declared, NCHW elsewhere
	Scale      float64   `json:"scale,omitempty"`      // 1/255 for an input of floats, 1 for one of integers
	Mean       []float64 `json:"mean,omitempty"`       // one for all channels or one each, in the tensor's order (BGR: blue first); 0
	Std        []float64 `json:"std,omitempty"`        // the same; 1
	Resize     string    `json:"resize,omitempty"`     // bilinear, bicubic or nearest; bilinear
	Fit        string    `json:"fit,omitempty"`        // stretch, cover (the middle is cut out) or contain (Pad around it); stretch
	Crop       float64   `json:"crop,omitempty"`       // with cover: the part of the covering picture's side that is cut out; 1
	Background string    `json:"background,omitempty"` // #rrggbb behind transparent pixels; #ffffff
	Pad        string    `json:"pad,omitempty"`        // #rrggbb around a contained picture, before Invert; #000000
	Invert     bool      `json:"invert,omitempty"`     // v becomes 255-v
	MaxPixels  int       `json:"max_pixels,omitempty"` // larger pictures are refused before they are unpacked, to up to 16 bytes a pixel; 64 Mi
	MaxBytes   int       `json:"max_bytes,omitempty"`  // longer files are refused; 32 MiB
}

const (
	imageMaxPixels = 64 << 20
	imageMaxBytes  = 32 << 20
	// imageMaxSide is the longest side of a picture, which is JPEG's limit, and of what it becomes. It bounds the work on long and
	// narrow ones.
	imageMaxSide = 1<<16 - 1
	// imageMaxOut is the most elements of one picture in the tensor.
	imageMaxOut = 1 << 26
)

// imagePlan is an Image with everything decided for one input.
type imagePlan struct {
	w, h, c    int
	bgr        bool
	last       bool // channels are the last dimension
	rank       int
	t          *Type
	filter     imageFilter
	fit        string
	crop       float64
	background [3]uint8
	pad        [3]uint8
	pixels     int
	bytes      int
	lut        [3][256]uint64 // bits of the element for each value of each channel of the tensor
}

// Check tells whether im fits the input: what a mistake in the configuration is found by before the first picture comes.
// It is the operator's mistake, not an [*Error].
func (im *Image) Check(spec Spec) error {
	_, err := im.plan(&spec)
	return err
}

func (im *Image) plan(spec *Spec) (*imagePlan, error) {
	p := &imagePlan{fit: im.Fit, crop: im.Crop, pixels: im.MaxPixels, bytes: im.MaxBytes}
	err := p.dims(im, spec)
	if err == nil {
		err = p.options(im)
	}
	if err == nil {
		err = p.numbers(im)
	}
	if err != nil {
		return nil, fmt.Errorf("image: %w (input %q %s)", err, spec.Name, spec.String())
	}
	return p, nil
}

// dims finds the layout and the sizes.
func (p *imagePlan) dims(im *Image, spec *Spec) error {
	if p.t = tensorType(&spec.Type); p.t == nil {
		return errors.New("a picture becomes a tensor")
	}
	p.rank = 4
	shape := []int64{-1, -1, -1, -1}
	if p.t.Ranked {
		p.rank = len(p.t.Shape)
		switch p.rank {
		case 2:
			copy(shape[2:], p.t.Shape)
			shape[1] = 1
		case 3:
			copy(shape[1:], p.t.Shape)
		case 4:
			copy(shape, p.t.Shape)
		default:
			return fmt.Errorf("a picture becomes an array of rank 2 to 4, the input has rank %d", p.rank)
		}
	}
	switch im.Layout {
	case "NCHW":
	case "NHWC":
		p.last = p.rank > 2
	case "":
		first, last := shape[1], shape[3]
		p.last = p.rank > 2 && first != 1 && first != 3 && (last == 1 || last == 3)
	default:
		return fmt.Errorf("layout %q is neither NCHW nor NHWC", im.Layout)
	}
	channels, height, width := shape[1], shape[2], shape[3]
	if p.last {
		height, width, channels = shape[1], shape[2], shape[3]
	}
	switch im.Channels {
	case "":
		p.c = 3
		if channels == 1 {
			p.c = 1
		}
	case "RGB", "BGR":
		p.c, p.bgr = 3, im.Channels == "BGR"
	case "GRAY":
		p.c = 1
	default:
		return fmt.Errorf("channels %q are none of RGB, BGR and GRAY", im.Channels)
	}
	if channels >= 0 && channels != int64(p.c) {
		name, layout := im.Channels, "NCHW"
		if name == "" {
			name = "RGB"
		}
		if p.last {
			layout = "NHWC"
		}
		return fmt.Errorf("%s has %d channels, the input has %d where the layout %s has them", name, p.c, channels, layout)
	}
	var err error
	if p.w, err = imageSide("width", im.Width, width); err != nil {
		return err
	}
	if p.h, err = imageSide("height", im.Height, height); err != nil {
		return err
	}
	if p.w*p.c > imageMaxOut/p.h {
		return fmt.Errorf("%dx%d is too large", p.w, p.h)
	}
	return nil
}

// imageSide is the configured side or the declared one.
func imageSide(name string, set int, declared int64) (int, error) {
	switch {
	case set < 0 || set > imageMaxSide:
		return 0, fmt.Errorf("a %s of %d is not from 1 to %d", name, set, imageMaxSide)
	case declared > imageMaxSide:
		return 0, fmt.Errorf("the input has a %s of %d, at most %d", name, declared, imageMaxSide)
	case declared == 0:
		return 0, fmt.Errorf("the input has no %s", name)
	case set == 0 && declared < 0:
		return 0, fmt.Errorf("a %s is needed: the input leaves it free", name)
	case declared > 0 && set > 0 && declared != int64(set):
		return 0, fmt.Errorf("a %s of %d, the input has %d", name, set, declared)
	case set == 0:
		return int(declared), nil
	}
	return set, nil
}

// options reads what is not numbers of the tensor.
func (p *imagePlan) options(im *Image) (err error) {
	var ok bool
	if p.filter, ok = imageFilterOf(im.Resize); !ok {
		return fmt.Errorf("resize %q is none of bilinear, bicubic and nearest", im.Resize)
	}
	if p.fit == "" {
		p.fit = "stretch"
	}
	if !slices.Contains([]string{"stretch", "cover", "contain"}, p.fit) {
		return fmt.Errorf("fit %q is none of stretch, cover and contain", im.Fit)
	}
	switch {
	case p.crop == 0:
		p.crop = 1
	case p.fit != "cover":
		return fmt.Errorf("crop is for fit %q", "cover")
	case !(p.crop >= 0.01 && p.crop <= 1):
		return fmt.Errorf("a crop of %v is not from 0.01 to 1", im.Crop)
	}
	if p.background, err = imageColor("background", im.Background, 255); err != nil {
		return err
	}
	if p.pad, err = imageColor("pad", im.Pad, 0); err != nil {
		return err
	}
	if p.pixels < 0 || p.bytes < 0 {
		return errors.New("a limit is negative")
	}
	if p.pixels == 0 {
		p.pixels = imageMaxPixels
	}
	if p.bytes == 0 {
		p.bytes = imageMaxBytes
	}
	return nil
}

func imageColor(name, text string, grey uint8) (c [3]uint8, err error) {
	if text == "" {
		return [3]uint8{grey, grey, grey}, nil
	}
	const digits = "0123456789abcdef"
	if len(text) != 7 || text[0] != '#' {
		return c, fmt.Errorf("%s %q is not a colour such as #ffffff", name, text)
	}
	for i, r := range strings.ToLower(text[1:]) {
		v := strings.IndexRune(digits, r)
		if v < 0 {
			return c, fmt.Errorf("%s %q is not a colour such as #ffffff", name, text)
		}
		c[i/2] = c[i/2]<<4 | uint8(v)
	}
	return c, nil
}

// numbers works out what each value of a channel becomes, and with that whether the input's type takes them all.
func (p *imagePlan) numbers(im *Image) error {
	scale := im.Scale
	_, _, whole := intRange(p.t.DType)
	if scale == 0 && whole {
		scale = 1
	}
	if d := p.t.DType; npyClass(d) != npyNumber || d.Bits() < 8 {
		return fmt.Errorf("a picture does not become %v", d)
	}
	for _, l := range [][]float64{im.Mean, im.Std} {
		if n := len(l); n > 1 && n != p.c {
			return fmt.Errorf("%d numbers of mean or std for %d channels", n, p.c)
		}
	}
	if slices.Contains(im.Std, 0) {
		return errors.New("a std of 0")
	}
	for c := range p.c {
		mean, std := channel(im.Mean, c, 0), channel(im.Std, c, 1)
		for v := range 256 {
			x := float64(v)
			if im.Invert {
				x = 255 - x
			}
			if scale == 0 {
				x /= 255 // as everyone writes it: x * (1/255) is not always the same
			} else {
				x *= scale
			}
			x = (x - mean) / std
			var b [8]byte
			if bad, _ := storeFloats(b[:], p.t.DType, 0, []float64{x}); bad >= 0 {
				return fmt.Errorf("scale, mean and std make %d into %v, which is no %v", v, x, p.t.DType)
			}
			for i := range b {
				p.lut[c][v] |= uint64(b[i]) << (8 * i)
			}
		}
	}
	return nil
}

// channel is the number for channel c: its own, the one for all, or what there is otherwise.
func channel(l []float64, c int, otherwise float64) float64 {
	switch len(l) {
	case 0:
		return otherwise
	case 1:
		return l[0]
	}
	return l[c]
}
