package tensor

import (
	"errors"
	"hash/crc32"
	"image"
	"os"
	"path/filepath"
	"testing"
)

func crc(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// No body makes the decoder panic or fail with anything but an Error, and what it makes has the declared size.
func FuzzImage(f *testing.F) {
	seeds := 0
	for _, pattern := range []string{"image_*.jpg", "image_*.webp"} {
		names, _ := filepath.Glob(filepath.Join("testdata", pattern))
		for _, name := range names {
			body, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(body)
			seeds++
		}
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Add(pngOf(f, dots(3, 5)))
	f.Add(pngOf(f, image.NewGray16(image.Rect(0, 0, 5, 2))))
	f.Add(jpegOf(f, dots(9, 9), 50))
	spec := in(Float32, -1, 3, 4, 6)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, im := range []Image{{MaxPixels: 1 << 12}, {MaxPixels: 1 << 12, Fit: "cover", Resize: "bicubic", Crop: 0.5}, {MaxPixels: 1 << 12, Fit: "contain", Resize: "nearest"}} {
			v, err := decodeImage(t, im, spec, body)
			if err != nil {
				if e, ok := errors.AsType[*Error](err); !ok || e.Offset != -1 || e.Msg == "" {
					t.Fatalf("%#v", err)
				}
				continue
			}
			if n, err := denseElements(&v); err != nil || n != 72 {
				t.Fatal(n, err)
			}
		}
	})
}

func BenchmarkImage(b *testing.B) {
	photo := dots(1280, 960)
	for name, body := range map[string][]byte{"jpeg": jpegOf(b, photo, 85), "png": pngOf(b, photo)} {
		b.Run(name, func(b *testing.B) {
			spec, im, into := in(Float32, 1, 3, 224, 224), Image{Fit: "cover"}, new(Batch)
			b.ReportAllocs()
			for b.Loop() {
				into.Reset(1)
				if err := im.Decode(body, spec, into, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
