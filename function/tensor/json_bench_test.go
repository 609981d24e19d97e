package tensor

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

// nested writes nested arrays of the given shape; sep is "," or ", " as Python writes it.
func nested(shape []int, sep string, leaf func(b []byte, k int) []byte) []byte {
	var b []byte
	k := 0
	var walk func(d int)
	walk = func(d int) {
		b = append(b, '[')
		for i := range shape[d] {
			if i > 0 {
				b = append(b, sep...)
			}
			if d < len(shape)-1 {
				walk(d + 1)
				continue
			}
			b = leaf(b, k)
			k++
		}
		b = append(b, ']')
	}
	walk(0)
	return b
}

func benchPayload(name string) (Spec, []byte) {
	r := rand.New(rand.NewPCG(7, 7))
	pixel := func() float64 { return float64(float32((float64(r.IntN(256))/255 - 0.456) / 0.225)) }
	switch name {
	case "iris":
		v := []float64{5.1, 3.5, 1.4, 0.2}
		return in(Float32, -1, 4), nested([]int{1, 4}, ", ", func(b []byte, k int) []byte { return strconv.AppendFloat(b, v[k], 'f', -1, 64) })
	case "digits": // mostly 0
		return in(Float32, -1, 28, 28), nested([]int{1, 28, 28}, ", ", func(b []byte, _ int) []byte {
			v := 0
			if r.IntN(5) == 0 {
				v = r.IntN(256)
			}
			return strconv.AppendInt(b, int64(v), 10)
		})
	case "image_double": // float32 values as Python writes them
		return in(Float32, -1, 3, 224, 224), nested([]int{1, 3, 224, 224}, ", ", func(b []byte, _ int) []byte {
			return strconv.AppendFloat(b, pixel(), 'f', -1, 64)
		})
	case "image_short":
		return in(Float32, -1, 3, 224, 224), nested([]int{1, 3, 224, 224}, ",", func(b []byte, _ int) []byte {
			return strconv.AppendFloat(b, pixel(), 'g', -1, 32)
		})
	case "table": // four decimals
		return in(Float32, -1, 30), nested([]int{1000, 30}, ", ", func(b []byte, _ int) []byte {
			return strconv.AppendFloat(b, math.Round(r.NormFloat64()*1e6)/1e4, 'f', -1, 64)
		})
	case "tokens":
		return in(Int64, -1, -1), nested([]int{8, 128}, ", ", func(b []byte, _ int) []byte { return strconv.AppendInt(b, int64(r.IntN(30522)), 10) })
	}
	panic(name)
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"iris", "digits", "image_double", "image_short", "table", "tokens"} {
		spec, p := benchPayload(name)
		b.Run(name+"/own", func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			d, batch := NewDecoder([]Spec{spec}, DecodeOptions{}), new(Batch)
			for b.Loop() {
				if err := d.JSON(p, batch); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding_json", func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				var v any
				if err := json.Unmarshal(p, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range []struct {
		name string
		n    int
		soft bool
	}{{"softmax1000", 1000, true}, {"mixed150k", 150528, false}} {
		r := rand.New(rand.NewPCG(5, 5))
		f := make([]float32, c.n)
		sum := float32(0)
		for i := range f {
			f[i] = float32(r.ExpFloat64())
			sum += f[i]
		}
		for i := range f {
			if c.soft {
				f[i] /= sum
			}
		}
		v := Of(f)
		buf := make([]byte, 0, c.n*20+64)
		run := func(name string, encode func() error) {
			b.Run(fmt.Sprintf("%s/%s", c.name, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := encode(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.n), "ns/elem")
			})
		}
		run("own", func() error { _, err := v.AppendJSON(buf, EncodeOptions{}); return err })
		run("strconv", func() error {
			o := buf
			for _, x := range f {
				o = append(strconv.AppendFloat(o, float64(x), 'g', -1, 32), ',')
			}
			return nil
		})
		run("encoding_json", func() error { _, err := json.Marshal(f); return err })
	}
}
