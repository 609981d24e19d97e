package tensor

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestImageCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config string
		in     Spec
		want   string
	}{
		{`{}`, in(Float32, -1, 3, 224, 224), ""},
		{`{}`, in(Float32, 1, 224, 224, 3), ""},
		{`{}`, in(Float32, 1, 1, 28, 28), ""},
		{`{}`, in(Float16, 3, 8, 8), ""},
		{`{}`, in(Uint8, 28, 28), ""},
		{`{"width": 5, "height": 6}`, in(Float64, -1, -1, -1, -1), ""},
		{`{"width": 5, "height": 6}`, open(BFloat16), ""},
		{`{"scale": 1}`, in(Int64, 1, 1, 28, 28), ""},
		{`{"mean": [1, 2, 3], "std": [2]}`, in(Float32, 1, 3, 2, 2), ""},
		{`{}`, of(KindOptional, in(Float32, 1, 3, 2, 2).Type), ""},
		{`{}`, in(Float32, 1, 3, -1, -1), `image: a width is needed: the input leaves it free (input "x" float32[1,3,K,L])`},
		{`{"width": 9}`, in(Float32, 1, 3, 8, 8), `image: a width of 9, the input has 8 (input "x" float32[1,3,8,8])`},
		{`{"height": -1}`, in(Float32, 1, 3, 8, 8), `image: a height of -1 is not from 1 to 65535 (input "x" float32[1,3,8,8])`},
		{`{"width": 65536, "height": 1}`, open(Float32), `image: a width of 65536 is not from 1 to 65535 (input "x" float32[...])`},
		{`{"width": 65535, "height": 65535}`, open(Float32), `image: 65535x65535 is too large (input "x" float32[...])`},
		{`{}`, in(Float32, 1, 3, 0, 8), `image: the input has no height (input "x" float32[1,3,0,8])`},
		{`{"channels": "GRAY"}`, in(Float32, 1, 3, 8, 8), `image: GRAY has 1 channels, the input has 3 where the layout NCHW has them (input "x" float32[1,3,8,8])`},
		{`{"layout": "NCHW"}`, in(Float32, 1, 8, 8, 3), `image: RGB has 3 channels, the input has 8 where the layout NCHW has them (input "x" float32[1,8,8,3])`},
		{`{}`, in(Float32, 1, 4, 8, 8), `image: RGB has 3 channels, the input has 4 where the layout NCHW has them (input "x" float32[1,4,8,8])`},
		{`{"channels": "BGR", "layout": "NHWC"}`, in(Float32, 1, 8, 8, 1), `image: BGR has 3 channels, the input has 1 where the layout NHWC has them (input "x" float32[1,8,8,1])`},
		{`{"channels": "rgb"}`, in(Float32, 1, 3, 8, 8), `image: channels "rgb" are none of RGB, BGR and GRAY (input "x" float32[1,3,8,8])`},
		{`{"layout": "HWC"}`, in(Float32, 1, 3, 8, 8), `image: layout "HWC" is neither NCHW nor NHWC (input "x" float32[1,3,8,8])`},
		{`{"resize": "lanczos"}`, in(Float32, 1, 3, 8, 8), `image: resize "lanczos" is none of bilinear, bicubic and nearest (input "x" float32[1,3,8,8])`},
		{`{"fit": "fill"}`, in(Float32, 1, 3, 8, 8), `image: fit "fill" is none of stretch, cover and contain (input "x" float32[1,3,8,8])`},
		{`{"crop": 0.5}`, in(Float32, 1, 3, 8, 8), `image: crop is for fit "cover" (input "x" float32[1,3,8,8])`},
		{`{"fit": "cover", "crop": 1.5}`, in(Float32, 1, 3, 8, 8), `image: a crop of 1.5 is not from 0.01 to 1 (input "x" float32[1,3,8,8])`},
		{`{"pad": "black"}`, in(Float32, 1, 3, 8, 8), `image: pad "black" is not a colour such as #ffffff (input "x" float32[1,3,8,8])`},
		{`{"background": "#12345g"}`, in(Float32, 1, 3, 8, 8), `image: background "#12345g" is not a colour such as #ffffff (input "x" float32[1,3,8,8])`},
		{`{"max_pixels": -1}`, in(Float32, 1, 3, 8, 8), `image: a limit is negative (input "x" float32[1,3,8,8])`},
		{`{"mean": [1, 2]}`, in(Float32, 1, 3, 8, 8), `image: 2 numbers of mean or std for 3 channels (input "x" float32[1,3,8,8])`},
		{`{"std": [0]}`, in(Float32, 1, 3, 8, 8), `image: a std of 0 (input "x" float32[1,3,8,8])`},
		{`{"mean": [0.5]}`, in(Uint8, 1, 3, 8, 8), `image: scale, mean and std make 0 into -0.5, which is no uint8 (input "x" uint8[1,3,8,8])`},
		{`{"mean": [128]}`, in(Uint8, 1, 3, 8, 8), `image: scale, mean and std make 0 into -128, which is no uint8 (input "x" uint8[1,3,8,8])`},
		{`{"scale": 1e6}`, in(Float16, 1, 3, 8, 8), `image: scale, mean and std make 1 into 1e+06, which is no float16 (input "x" float16[1,3,8,8])`},
		{`{}`, in(String, 1, 3, 8, 8), `image: a picture does not become string (input "x" string[1,3,8,8])`},
		{`{}`, in(Uint4, 1, 3, 8, 8), `image: a picture does not become uint4 (input "x" uint4[1,3,8,8])`},
		{`{}`, in(Bool, 1, 3, 8, 8), `image: a picture does not become bool (input "x" bool[1,3,8,8])`},
		{`{}`, in(Float32, 784), `image: a picture becomes an array of rank 2 to 4, the input has rank 1 (input "x" float32[784])`},
		{`{}`, of(KindSequence, in(Float32, 1).Type), `image: a picture becomes a tensor (input "x" seq(float32[1]))`},
	} {
		var im Image
		if err := json.Unmarshal([]byte(c.config), &im); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := im.Check(c.in); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.config, got, c.want)
		}
	}
}

// The numbers of the usual recipes, as numpy works them out in float32, give or take its rounding at each step.
func TestImageNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config string
		in     Spec
		want   func(c int, v float64) float64
	}{
		{`{}`, in(Float32, 1, 3, 2, 2), func(_ int, v float64) float64 { return v / 255 }},
		{`{}`, in(Uint8, 1, 3, 2, 2), func(_ int, v float64) float64 { return v }},
		{`{"scale": 1}`, in(Float32, 1, 1, 64, 64), func(_ int, v float64) float64 { return v }},
		{`{"invert": true}`, in(Float32, 1, 1, 28, 28), func(_ int, v float64) float64 { return (255 - v) / 255 }},
		{`{"mean": [128], "scale": 1}`, in(Int8, 1, 1, 2, 2), func(_ int, v float64) float64 { return v - 128 }},
		{`{"channels": "BGR", "mean": [0.5], "std": [0.5]}`, in(Float32, 1, 3, 48, 320), func(_ int, v float64) float64 { return (v/255 - 0.5) / 0.5 }},
		{`{"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}`, in(Float32, 1, 3, 2, 2), func(c int, v float64) float64 {
			return (v/255 - []float64{0.485, 0.456, 0.406}[c]) / []float64{0.229, 0.224, 0.225}[c]
		}},
	} {
		var im Image
		if err := json.Unmarshal([]byte(c.config), &im); err != nil {
			t.Fatal(err)
		}
		p, err := im.plan(&c.in)
		if err != nil {
			t.Fatal(err)
		}
		for k := range p.c {
			for v := range 256 {
				want := c.want(k, float64(v))
				got := float64(math.Float32frombits(uint32(p.lut[k][v])))
				switch c.in.DType {
				case Uint8:
					got = float64(uint8(p.lut[k][v]))
				case Int8:
					got = float64(int8(p.lut[k][v]))
				}
				if got != want && got != float64(float32(want)) {
					t.Fatalf("%s: channel %d, %d becomes %v, want %v", c.config, k, v, got, want)
				}
			}
		}
	}
}

func TestImageWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config string
		w, h   int
		sizeW  int
		sizeH  int
		want   imageWindow
	}{
		{config: `{}`, w: 640, h: 480, sizeW: 224, sizeH: 224, want: imageWindow{w: 224, h: 224, cw: 224, ch: 224}},
		{config: `{"fit": "cover"}`, w: 640, h: 480, sizeW: 224, sizeH: 224, want: imageWindow{w: 298, h: 224, x: 37, cw: 224, ch: 224}},
		{config: `{"fit": "cover", "crop": 0.875}`, w: 640, h: 480, sizeW: 224, sizeH: 224, want: imageWindow{w: 341, h: 256, x: 58, y: 16, cw: 224, ch: 224}},
		{config: `{"fit": "cover", "crop": 0.875}`, w: 333, h: 500, sizeW: 224, sizeH: 224, want: imageWindow{w: 256, h: 384, x: 16, y: 80, cw: 224, ch: 224}},
		{config: `{"fit": "contain"}`, w: 640, h: 480, sizeW: 416, sizeH: 416, want: imageWindow{w: 416, h: 312, cw: 416, ch: 312, top: 52}},
		{config: `{"fit": "contain"}`, w: 1, h: 60000, sizeW: 8, sizeH: 8, want: imageWindow{w: 1, h: 8, cw: 1, ch: 8, left: 4}},
		{config: `{"fit": "cover"}`, w: 1, h: 60000, sizeW: 8, sizeH: 8, want: imageWindow{w: 8, h: 480000, y: 239996, cw: 8, ch: 8}},
	} {
		var im Image
		if err := json.Unmarshal([]byte(c.config), &im); err != nil {
			t.Fatal(err)
		}
		spec := in(Float32, 1, 3, int64(c.sizeH), int64(c.sizeW))
		p, err := im.plan(&spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.window(c.w, c.h); got != c.want {
			t.Errorf("%s %dx%d: got %+v, want %+v", c.config, c.w, c.h, got, c.want)
		}
	}
}

// The wanted bytes are those of Pillow 11.3.
func TestImageResizing(t *testing.T) {
	t.Parallel()
	const w, h = 23, 17
	grey := make([]byte, w*h)
	colours := make([]byte, 3*w*h)
	for y := range h {
		for x := range w {
			grey[y*w+x] = byte(x*x*3 + y*11 + x*y%5*17)
			copy(colours[3*(y*w+x):], []byte{grey[y*w+x], 255 - grey[y*w+x], grey[y*w+x]})
		}
	}
	for _, c := range []struct {
		filter string
		w, h   int
		want   string
	}{
		{"bilinear", 7, 5, "336b97777f7c835589877b8d80917ea1767e959279a2b0708169867fbeac7c7f907684"},
		{"bilinear", 29, 2, "324b5a6370817f94b1b281655c6faf7965779fb86b8992578aaa9876667e97a6afbbbdc5a1685362829d9e6e597e9b8d518b8b7679c26d7e9150"},
		{"bilinear", 3, 31, "408b774b88775e8477677d7f6d758a6b7e8c6b858b717c8374797e708780758d86858a9087889782859e8f9195a1a0898e7c857f617f816d728a7970a28680a98082a26a79a4707faa818cb08987b58e80a98182a17a82a5857ea88c7c"},
		{"bicubic", 7, 5, "2b699e737f7a86508e8b74927e977ba67278999874a2b76985618a7bc4ae7784937584"},
		{"bicubic", 29, 2, "2c45575e6b807891bab883605269b3795b70a4c15d8b9d4d89b69d7067819bacb4c0bfd0a65f4d5c82a6a66c4f7ea6914993937076cb5d7b9c49"},
		{"bicubic", 3, 31, "3994744590745c8874687e7e6e768b6b7e8f69858e72788576757f6e897f739185868b9088859c8082a4919499a2a188907b867e5c827d67708a776da88781b08084a46476a36a7da9818cb28d87b7907da980809f7882a6867daa8e7a"},
		{"nearest", 7, 5, "1f7ffe879b0a473a67f7a28303628eaa5cf6c668b68ded6cf50978b5a8d56510f171d0"},
		{"nearest", 29, 2, "2c73736b696d7777dcf20e303058db0f494989cf70c2c21a78dc9b9b0b84a9a9d4b0e7cfcf125b55aaaab0117890900327a62b2b61f234d1d174"},
		{"nearest", 3, 31, "1b6b3b1b6b3b59878a59878a42a38480bf7e80bf7e69db7869db7852a27252a27290bec190bec179dabb79dabbb7f6b5a012afa012af89d9a989d9a9c7f5f8c7f5f8b011f2b011f2ee2decee2decd749e6c010e0c010e0fe2c2ffe2c2f"},
	} {
		f, ok := imageFilterOf(c.filter)
		if !ok {
			t.Fatal(c.filter)
		}
		for _, channels := range []int{1, 3} {
			row := func(y int) []byte { return grey[y*w : (y+1)*w] }
			if channels == 3 {
				row = func(y int) []byte { return colours[3*y*w : 3*(y+1)*w] }
			}
			got := resize(row, channels, resampling(f, w, c.w, 0, c.w), resampling(f, h, c.h, 0, c.h))
			var one []byte
			for i := 0; i < len(got); i += channels {
				one = append(one, got[i])
			}
			if hex(one) != c.want {
				t.Errorf("%s %dx%d: got %s, want %s", c.filter, c.w, c.h, hex(one), c.want)
			}
		}
		// A part of the result is a part of the whole result.
		part := resize(func(y int) []byte { return grey[y*w : (y+1)*w] }, 1, resampling(f, w, c.w, 1, c.w-2), resampling(f, h, c.h, 1, 1))
		if want := c.want[2*(c.w+1) : 2*(2*c.w-1)]; hex(part) != want {
			t.Errorf("%s: part %s, want %s", c.filter, hex(part), want)
		}
	}
}

func hex(b []byte) string {
	var s strings.Builder
	for _, v := range b {
		s.WriteByte("0123456789abcdef"[v>>4])
		s.WriteByte("0123456789abcdef"[v&15])
	}
	return s.String()
}
