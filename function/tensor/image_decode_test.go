package tensor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

func pngOf(tb testing.TB, m image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(tb testing.TB, m image.Image, quality int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// turned puts an Exif segment with an orientation behind the start of a JPEG file.
func turned(file []byte, o uint16, order binary.AppendByteOrder) []byte {
	magic := "II*\x00"
	if order.String() == "BigEndian" {
		magic = "MM\x00*"
	}
	exif := []byte("Exif\x00\x00" + magic)
	exif = order.AppendUint32(exif, 8)
	exif = order.AppendUint16(exif, 2)
	exif = append(exif, make([]byte, 12)...)
	for _, v := range []uint16{0x0112, 3, 0, 0} {
		exif = order.AppendUint16(exif, v)
	}
	if order.String() == "BigEndian" {
		exif[len(exif)-1] = 1
	} else {
		exif[len(exif)-4] = 1
	}
	exif = order.AppendUint16(exif, o)
	exif = append(exif, 0, 0)
	b := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	return append(append(b, exif...), file[2:]...)
}

// dots is a picture with a colour of its own for each pixel.
func dots(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(10*y + x), uint8(100 + 10*y + x), uint8(200 + 10*y + x), 255})
		}
	}
	return m
}

func decodeImage(tb testing.TB, im Image, spec Spec, bodies ...[]byte) (Value, error) {
	tb.Helper()
	b := new(Batch)
	b.Reset(2)
	err := im.DecodeMany(bodies, spec, b, 1)
	if err != nil && b.Values[1].Kind != KindNone {
		tb.Errorf("%v with an error", b.Values[1])
	}
	return b.Values[1], err
}

func showImage(tb testing.TB, im Image, spec Spec, bodies ...[]byte) string {
	tb.Helper()
	v, err := decodeImage(tb, im, spec, bodies...)
	if err != nil {
		return err.Error()
	}
	return show(v)
}

func TestImageLayouts(t *testing.T) {
	t.Parallel()
	body := pngOf(t, dots(2, 2))
	for _, c := range []struct {
		im   Image
		in   Spec
		want string
	}{
		{Image{}, in(Uint8, 1, 3, 2, 2), "uint8[1 3 2 2] [[[[0,1],[10,11]],[[100,101],[110,111]],[[200,201],[210,211]]]]"},
		{Image{Channels: "BGR"}, in(Uint8, -1, 3, 2, 2), "uint8[1 3 2 2] [[[[200,201],[210,211]],[[100,101],[110,111]],[[0,1],[10,11]]]]"},
		{Image{Channels: "BGR", Mean: []float64{1, 2, 3}, Scale: 1}, in(Float32, 3, 2, 2), "float32[3 2 2] [[[199.0,200.0],[209.0,210.0]],[[98.0,99.0],[108.0,109.0]],[[-3.0,-2.0],[7.0,8.0]]]"},
		{Image{}, in(Uint8, 1, 2, 2, 3), "uint8[1 2 2 3] [[[[0,100,200],[1,101,201]],[[10,110,210],[11,111,211]]]]"},
		{Image{Layout: "NHWC"}, in(Int32, 2, 2, 3), "int32[2 2 3] [[[0,100,200],[1,101,201]],[[10,110,210],[11,111,211]]]"},
		{Image{Layout: "NHWC", Channels: "BGR"}, in(Int64, 2, 2, 3), "int64[2 2 3] [[[200,100,0],[201,101,1]],[[210,110,10],[211,111,11]]]"},
		{Image{Width: 2, Height: 2}, open(Uint16), "uint16[1 3 2 2] [[[[0,1],[10,11]],[[100,101],[110,111]],[[200,201],[210,211]]]]"},
		{Image{}, in(Uint8, 2, 2), "uint8[2 2] [[82,83],[92,93]]"},
		{Image{Invert: true}, in(Uint8, 1, 1, 2, 2), "uint8[1 1 2 2] [[[[173,172],[163,162]]]]"},
		{Image{Scale: 1}, in(Float16, 1, 2, 2), "float16[1 2 2] [[[82.0,83.0],[92.0,93.0]]]"},
		{Image{Scale: 0.5}, in(Float64, 1, 2, 2, 1), "float64[1 2 2 1] [[[[41.0],[41.5]],[[46.0],[46.5]]]]"},
		{Image{Fit: "contain", Pad: "#010203"}, in(Uint8, 1, 3, 2, 4), "uint8[1 3 2 4] [[[[1,0,1,1],[1,10,11,1]],[[2,100,101,2],[2,110,111,2]],[[3,200,201,3],[3,210,211,3]]]]"},
		{Image{Fit: "contain", Pad: "#ffffff", Invert: true}, in(Uint8, 4, 2), "uint8[4 2] [[0,0],[173,172],[163,162],[0,0]]"},
		{Image{Fit: "cover", Resize: "nearest"}, in(Uint8, 1, 3, 1, 2), "uint8[1 3 1 2] [[[[0,1]],[[100,101]],[[200,201]]]]"},
	} {
		if got := showImage(t, c.im, c.in, body); got != c.want {
			t.Errorf("%+v %v: got %s, want %s", c.im, c.in.Type, got, c.want)
		}
	}
}

func TestImageMany(t *testing.T) {
	t.Parallel()
	a, b := pngOf(t, dots(1, 1)), pngOf(t, &image.Gray{Pix: []byte{7}, Stride: 1, Rect: image.Rect(0, 0, 1, 1)})
	for _, c := range []struct {
		in     Spec
		bodies [][]byte
		want   string
	}{
		{in(Uint8, -1, 3, 1, 1), [][]byte{a, b}, "uint8[2 3 1 1] [[[[0]],[[100]],[[200]]],[[[7]],[[7]],[[7]]]]"},
		{in(Uint8, 2, 2, 1, 3), [][]byte{a, b}, "uint8[2 2 1 3] [[[[0,100,200]],[[0,100,200]]],[[[7,7,7]],[[7,7,7]]]]"},
		{in(Uint8, 2, 3, 1, 1), [][]byte{a}, `image: 1 pictures, the input takes 2 (input "x" uint8[2,3,1,1])`},
		{in(Uint8, 3, 1, 1), [][]byte{a, b}, `image: 2 pictures, the input takes one (input "x" uint8[3,1,1])`},
		{in(Uint8, -1, 3, 1, 1), nil, `image: no picture`},
		{in(Uint8, -1, 3, 1, 1), [][]byte{a, nil}, `[1]: image: not a PNG, JPEG or WebP picture`},
		{in(Uint8, -1, 3, 4096, 4096), [][]byte{a, b}, "image: 2 pictures of 50331648 numbers, at most 67108864 numbers in all"},
	} {
		if got := showImage(t, Image{}, c.in, c.bodies...); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestImageKindsOfPNG(t *testing.T) {
	t.Parallel()
	r := image.Rect(0, 0, 2, 1)
	gray16 := image.NewGray16(r)
	gray16.SetGray16(0, 0, color.Gray16{Y: 0x1234})
	gray16.SetGray16(1, 0, color.Gray16{Y: 0xff80})
	rgba64 := image.NewRGBA64(r)
	rgba64.SetRGBA64(0, 0, color.RGBA64{R: 0x1234, G: 0x5678, B: 0x9abc, A: 0xffff})
	rgba64.SetRGBA64(1, 0, color.RGBA64{A: 0xffff})
	nrgba64 := image.NewNRGBA64(r)
	nrgba64.SetNRGBA64(0, 0, color.NRGBA64{R: 0x1234, G: 0x5678, B: 0x9abc, A: 0x8000})
	nrgba := image.NewNRGBA(r) // the first pixel is transparent, the second half so
	nrgba.SetNRGBA(0, 0, color.NRGBA{R: 9, G: 9, B: 9})
	nrgba.SetNRGBA(1, 0, color.NRGBA{R: 255, A: 128})
	palette := image.NewPaletted(r, color.Palette{color.NRGBA{R: 1, G: 2, B: 3, A: 255}, color.NRGBA{}})
	palette.Pix[1] = 1
	for name, c := range map[string]struct {
		m    image.Image
		im   Image
		want string
	}{
		"16 bits grey":        {gray16, Image{}, "[[[[18,18,18],[255,255,255]]]]"},
		"16 bits":             {rgba64, Image{}, "[[[[18,86,154],[0,0,0]]]]"},
		"16 bits transparent": {nrgba64, Image{Background: "#000000"}, "[[[[9,43,77],[0,0,0]]]]"},
		"transparent":         {nrgba, Image{}, "[[[[255,255,255],[255,127,127]]]]"},
		"on a colour":         {nrgba, Image{Background: "#102030"}, "[[[[16,32,48],[136,16,24]]]]"},
		"palette":             {palette, Image{Background: "#00ff00"}, "[[[[1,2,3],[0,255,0]]]]"},
	} {
		c.im.Layout = "NHWC"
		if got := showImage(t, c.im, in(Uint8, 1, 1, 2, 3), pngOf(t, c.m)); got != "uint8[1 1 2 3] "+c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestImageOrientation(t *testing.T) {
	t.Parallel()
	m := image.NewGray(image.Rect(0, 0, 16, 8)) // four blocks of one value each
	for y := range 8 {
		for x := range 16 {
			m.SetGray(x, y, color.Gray{Y: uint8(60 * (1 + x/8))})
			if y >= 4 {
				m.SetGray(x, y, color.Gray{Y: uint8(180 + 60*(x/8))})
			}
		}
	}
	file := jpegOf(t, m, 100)
	for o, want := range []string{
		"[[60,120],[180,240]]", // none
		"[[60,120],[180,240]]", "[[120,60],[240,180]]", "[[240,180],[120,60]]", "[[180,240],[60,120]]",
		"[[60,180],[120,240]]", "[[180,60],[240,120]]", "[[240,120],[180,60]]", "[[120,240],[60,180]]",
		"[[60,120],[180,240]]", // 9 is nonsense
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			body := turned(file, uint16(o), order)
			if got := showImage(t, Image{Resize: "nearest"}, in(Uint8, 2, 2), body); got != "uint8[2 2] "+want {
				t.Errorf("%d: got %s, want %s", o, got, want)
			}
			// The cut is made in the upright picture.
			got := showImage(t, Image{Resize: "nearest", Fit: "cover"}, in(Uint8, 2, 1), body)
			var a, b, c, d int
			fmt.Sscanf(want, "[[%d,%d],[%d,%d]]", &a, &b, &c, &d)
			if left, right := fmt.Sprintf("uint8[2 1] [[%d],[%d]]", a, c), fmt.Sprintf("uint8[2 1] [[%d],[%d]]", b, d); got != left && got != right {
				t.Errorf("%d: a cut of %s, want %s or %s", o, got, left, right)
			}
		}
	}
}

// The files are from Pillow 13.0, and so are the pictures that are wanted. Decoders may differ by the rounding of the transform.
func TestImageFromPillow(t *testing.T) {
	t.Parallel()
	files := 0
	for _, pattern := range []string{"image_*.jpg", "image_*.webp"} {
		names, _ := filepath.Glob(filepath.Join("testdata", pattern))
		for _, name := range names {
			files++
			body, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			reference, err := os.ReadFile(strings.TrimSuffix(name, filepath.Ext(name)) + ".want.png")
			if err != nil {
				t.Fatal(err)
			}
			c, err := png.DecodeConfig(bytes.NewReader(reference))
			if err != nil {
				t.Fatal(err)
			}
			spec := in(Uint8, 1, int64(c.Height), int64(c.Width), 3)
			got, err := decodeImage(t, Image{}, spec, body)
			if err != nil {
				t.Fatal(name, err)
			}
			want, err := decodeImage(t, Image{}, spec, reference)
			if err != nil {
				t.Fatal(name, err)
			}
			for i, v := range got.Data {
				if d := int(v) - int(want.Data[i]); d < -4 || d > 4 {
					t.Fatalf("%s: byte %d is %d, want %d", name, i, v, want.Data[i])
				}
			}
		}
	}
	if files < 6 {
		t.Fatalf("%d files", files)
	}
}

func TestImageRefuses(t *testing.T) {
	t.Parallel()
	good := pngOf(t, dots(4, 4))
	huge := bytes.Clone(good[:33]) // the header says 30000x30000
	binary.BigEndian.PutUint32(huge[16:], 30000)
	binary.BigEndian.PutUint32(huge[20:], 30000)
	binary.BigEndian.PutUint32(huge[29:], crc(huge[12:29]))
	long := bytes.Clone(huge)
	binary.BigEndian.PutUint32(long[16:], 1)
	binary.BigEndian.PutUint32(long[20:], 1<<16)
	binary.BigEndian.PutUint32(long[29:], crc(long[12:29]))
	for _, c := range []struct {
		body []byte
		want string
	}{
		{nil, "image: not a PNG, JPEG or WebP picture"},
		{[]byte(`{"data": [1]}`), "image: not a PNG, JPEG or WebP picture"},
		{[]byte("GIF89a"), "image: a GIF file is not a PNG, JPEG or WebP picture"},
		{[]byte("\x00\x00\x00\x20ftypheic"), "image: a HEIC file is not a PNG, JPEG or WebP picture"},
		{huge, "image: 30000x30000 pixels, at most 67108864"},
		{long, "image: 1x65536 pixels, a side has at most 65535"},
		{bytes.Repeat([]byte{1}, 1001), "image: 1001 bytes, at most 1000"},
		{good[:40], "image: a PNG picture that cannot be read: unexpected EOF"},
		{[]byte("\xff\xd8\xff"), "image: a JPEG picture that cannot be read: unexpected EOF"},
		{[]byte("RIFF\x10\x00\x00\x00WEBPVP8 "), "image: a WebP picture that cannot be read: riff: short chunk header"},
	} {
		_, err := decodeImage(t, Image{MaxBytes: 1000}, in(Uint8, 1, 3, 2, 2), c.body)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Offset != -1 || e.Error() != c.want {
			t.Errorf("%.20q: got %v, want %s", c.body, err, c.want)
		}
	}
	// A canvas of 1x1 around a picture of 19x13: x/image before 0.47 unpacks what is inside, whatever its size.
	inner, err := os.ReadFile(filepath.Join("testdata", "image_alpha.webp"))
	if err != nil {
		t.Fatal(err)
	}
	canvas := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), make([]byte, 10)...)
	canvas = append(canvas, inner[12:]...)
	binary.LittleEndian.PutUint32(canvas[4:], uint32(len(canvas)-8))
	if _, err := decodeImage(t, Image{}, in(Uint8, 1, 3, 2, 2), canvas); err == nil || err.Error() != "image: a WebP picture that cannot be read: webp: invalid format" {
		t.Error(err)
	}
	if _, err := decodeImage(t, Image{MaxPixels: 15}, in(Uint8, 1, 3, 2, 2), good); err == nil || err.Error() != "image: 4x4 pixels, at most 15" {
		t.Error(err)
	}
	var e *Error
	if _, err := decodeImage(t, Image{Fit: "x"}, in(Uint8, 1, 3, 2, 2), good); err == nil || errors.As(err, &e) {
		t.Errorf("%v: a mistake in the configuration is not the caller's", err)
	}
}

func TestImagePanicsAreErrors(t *testing.T) {
	t.Parallel()
	p, err := (&Image{}).plan(&Spec{Type: in(Uint8, 1, 3, 2, 2).Type})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.picture(pngOf(t, dots(2, 2)), nil); err == nil || !strings.HasPrefix(err.Error(), "image: cannot be decoded: ") {
		t.Error(err)
	}
}

func TestImageAlignment(t *testing.T) {
	t.Parallel()
	v, err := decodeImage(t, Image{}, in(Float64, 1, 3, 2, 2), pngOf(t, dots(2, 2)))
	if err != nil || uintptr(unsafe.Pointer(unsafe.SliceData(v.Data)))%8 != 0 || len(v.Data) != 96 {
		t.Error(v, err)
	}
}

// Planes of part of the width or height give smooth colours: a ramp of chroma stays one.
func TestImageChroma(t *testing.T) {
	t.Parallel()
	const w, h = 40, 30
	for _, c := range []struct {
		ratio image.YCbCrSubsampleRatio
		most  int // difference from the ramp
	}{
		{image.YCbCrSubsampleRatio444, 0},
		{image.YCbCrSubsampleRatio422, 2},
		{image.YCbCrSubsampleRatio420, 4},
		{image.YCbCrSubsampleRatio440, 3},
		{image.YCbCrSubsampleRatio411, 12},
		{image.YCbCrSubsampleRatio410, 16},
	} {
		m := image.NewYCbCr(image.Rect(0, 0, w, h), c.ratio)
		ramp := func(x, y float64) float64 { return 40 + 3*x + 2*y }
		seen := map[int]int{} // samples so far of each place of a plane
		sums := make([]float64, len(m.Cb))
		for y := range h {
			for x := range w {
				at := m.COffset(x, y)
				sums[at] += ramp(float64(x), float64(y))
				seen[at]++
			}
		}
		for at, n := range seen {
			m.Cb[at] = byte(sums[at]/float64(n) + 0.5)
		}
		line := make([]byte, w+1)
		for y := range h {
			chroma(line, m.Cb, m, y)
			for x, v := range line[:w] {
				edge := 0
				if x == 0 || x == w-1 || y == 0 || y == h-1 {
					edge = 3
				}
				if d := int(v) - int(ramp(float64(x), float64(y))); d > c.most+edge || d < -c.most-edge {
					t.Fatalf("%v: at %d,%d %d, want %v", c.ratio, x, y, v, ramp(float64(x), float64(y)))
				}
			}
		}
	}
}

func TestImageNonsenseExif(t *testing.T) {
	t.Parallel()
	good := turned([]byte("\xff\xd8\xff\xda"), 6, binary.LittleEndian)
	if o := jpegOrientation(good); o != 6 {
		t.Fatal(o)
	}
	padded := append([]byte("\xff\xd8\xff\xe0\x00\x04ab\xff"), good[2:]...) // another segment before, and padding
	if o := jpegOrientation(padded); o != 6 {
		t.Error(o)
	}
	for n := range good {
		if o := jpegOrientation(good[:n]); o != 1 && n < len(good)-2 {
			t.Errorf("%d bytes: %d", n, o)
		}
		for _, v := range []byte{0, 0xff} {
			bad := bytes.Clone(good)
			bad[n] = v
			if o := jpegOrientation(bad); o < 1 || o > 8 {
				t.Errorf("byte %d is %d: %d", n, v, o)
			}
		}
	}
}
