package tensor

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkEncodeTypes sets the types that are not plain numbers beside what the standard library does with the same values.
func BenchmarkEncodeTypes(b *testing.B) {
	const n = 1000
	r := rand.New(rand.NewPCG(9, 9))
	halves := func(d DType, round func(float64) uint16) (Value, []float32) {
		data, floats := make([]byte, 2*n), make([]float32, n)
		for i := range n {
			u := round(r.NormFloat64())
			binary.LittleEndian.PutUint16(data[2*i:], u)
			if d == Float16 {
				floats[i] = float32(fromFloat16(u))
			} else {
				floats[i] = float32(fromBFloat16(u))
			}
		}
		return Value{Tensor: Tensor{DType: d, Shape: []int64{n}, Data: data}}, floats
	}
	f16, floats16 := halves(Float16, toFloat16)
	bf16, floatsB := halves(BFloat16, toBFloat16)
	texts := func(one func(i int) string) Value {
		list := make([]string, n)
		for i := range list {
			list[i] = one(i)
		}
		return Value{Tensor: Tensor{DType: String, Shape: []int64{n}, Strings: list}}
	}
	for _, c := range []struct {
		name string
		v    Value
		std  []float32
	}{
		{"float16", f16, floats16},
		{"bfloat16", bf16, floatsB},
		{"labels", texts(func(i int) string { return "label_" + strconv.Itoa(i) }), nil},
		{"sentences", texts(func(int) string { return strings.Repeat("the quick brown fox jumps over it. ", 8) }), nil},
		{"umlauts", texts(func(int) string { return strings.Repeat("Grüße aus München, schönes Wetter. ", 8) }), nil},
		{"quotes", texts(func(int) string { return strings.Repeat("a \"word\"\n", 8) }), nil},
	} {
		buf := make([]byte, 0, 1<<20)
		run := func(name string, encode func() error) {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := encode(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/elem")
			})
		}
		run("own", func() error { _, err := c.v.AppendJSON(buf, EncodeOptions{}); return err })
		if c.std == nil {
			run("encoding_json", func() error { _, err := json.Marshal(c.v.Strings); return err })
			continue
		}
		run("strconv", func() error { // as float32, which has more digits
			dst := buf
			for _, f := range c.std {
				dst = append(strconv.AppendFloat(dst, float64(f), 'g', -1, 32), ',')
			}
			return nil
		})
	}
}
