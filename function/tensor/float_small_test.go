package tensor

import (
	"encoding/binary"
	"math"
	"strconv"
	"testing"
)

// halfRef rounds by search: the nearest value of the type, ties to the even code; codes rise with their values.
func halfRef(f float64, value func(uint16) float64, inf uint16) uint16 {
	lo, hi := uint16(0), inf-1
	for lo < hi {
		if mid := (lo + hi + 1) / 2; value(mid) <= f {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	next := value(lo + 1)
	if lo == inf-1 { // where the next value would be
		next = 2*value(lo) - value(lo-1)
	}
	if a, b := f-value(lo), next-f; a > b || a == b && lo&1 == 1 {
		lo++
	}
	return lo
}

func TestHalfRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		round func(float64) uint16
		value func(uint16) float64
		inf   uint16
	}{{"float16", toFloat16, fromFloat16, 0x7c00}, {"bfloat16", toBFloat16, fromBFloat16, 0x7f80}} {
		for v := range c.inf {
			f := c.value(v)
			if got := c.round(f); got != v {
				t.Fatalf("%s %04x: %v rounds to %04x", c.name, v, f, got)
			}
			if got := c.round(-f); got != v|0x8000 {
				t.Fatalf("%s -%04x: rounds to %04x", c.name, v, got)
			}
			if v == 0 {
				continue
			}
			mid := (f + c.value(v-1)) / 2 // exact
			for _, x := range []float64{math.Nextafter(mid, 0), mid, math.Nextafter(mid, f)} {
				if got, want := c.round(x), halfRef(x, c.value, c.inf); got != want {
					t.Fatalf("%s: %v rounds to %04x, want %04x", c.name, x, got, want)
				}
			}
		}
		for _, x := range []float64{math.Inf(1), 1e300, math.MaxFloat64} {
			if got := c.round(x); got != c.inf {
				t.Errorf("%s: %v rounds to %04x", c.name, x, got)
			}
		}
		if got := c.value(c.round(math.NaN())); got == got {
			t.Errorf("%s: NaN becomes %v", c.name, got)
		}
		for _, x := range []float64{5e-324, 1e-300, 1e-60} {
			if got := c.round(-x); got != 0x8000 {
				t.Errorf("%s: %v rounds to %04x", c.name, -x, got)
			}
		}
	}
	if toFloat16(65519.99) != 0x7bff || toFloat16(65520) != 0x7c00 {
		t.Error("the edge of float16")
	}
}

// Every float of 16 bits or less comes back from its text, and the 16-bit ones have as few digits as strconv's search allows.
func TestSmallFloatsSurviveTheText(t *testing.T) {
	t.Parallel()
	for _, d := range []DType{Float16, BFloat16} {
		data := make([]byte, 2<<16)
		for v := range 1 << 16 {
			binary.LittleEndian.PutUint16(data[2*v:], uint16(v))
		}
		checkIdentity(t, Value{Tensor: Tensor{DType: d, Shape: []int64{1 << 16}, Data: data}})
	}
	for _, d := range []DType{Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0} {
		data := make([]byte, 256)
		for v := range data {
			data[v] = byte(v)
		}
		checkIdentity(t, Value{Tensor: Tensor{DType: d, Shape: []int64{256}, Data: data}})
	}
	checkIdentity(t, Value{Tensor: Tensor{DType: Float4E2M1, Shape: []int64{16}, Data: []byte{0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe}}})
}

func TestHalfTextIsShort(t *testing.T) {
	t.Parallel()
	for v := uint16(1); v < 0x7c00; v++ {
		f := fromFloat16(v)
		m, _ := shortestHalf(v, float16Type)
		got := len(strconv.Itoa(int(m)))
		for p := range got - 1 {
			x, err := strconv.ParseFloat(strconv.FormatFloat(f, 'e', p, 64), 64)
			if err != nil || toFloat16(x) == v {
				t.Fatalf("%04x: %d digits, %v has %d", v, got, x, p+1)
			}
		}
	}
	for f, want := range map[float64]string{0.1: "0.1", 65504: "65500.0", 5.9604644775390625e-08: "6e-08", 1.0 / 3: "0.3333", 2048: "2048.0", 1e-4: "0.0001"} {
		if got := string(appendHalf(nil, toFloat16(f), float16Type, EncodeOptions{})); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}

func TestSmallFloatValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d    DType
		code byte
		want float64
	}{
		{Float8E4M3FN, 0x7e, 448},
		{Float8E4M3FN, 0x01, 0x1p-9},
		{Float8E4M3FN, 0x38, 1},
		{Float8E4M3FN, 0xff, math.NaN()},
		{Float8E4M3FNUZ, 0x7f, 240},
		{Float8E4M3FNUZ, 0x01, 0x1p-10},
		{Float8E4M3FNUZ, 0x80, math.NaN()},
		{Float8E5M2, 0x7b, 57344},
		{Float8E5M2, 0x01, 0x1p-16},
		{Float8E5M2, 0xfc, math.Inf(-1)},
		{Float8E5M2, 0x7d, math.NaN()},
		{Float8E5M2FNUZ, 0x7f, 57344},
		{Float8E5M2FNUZ, 0x01, 0x1p-17},
		{Float8E5M2FNUZ, 0x80, math.NaN()},
		{Float8E8M0, 0x7f, 1},
		{Float8E8M0, 0x00, 0x1p-127},
		{Float8E8M0, 0xff, math.NaN()},
		{Float4E2M1, 0x07, 6},
		{Float4E2M1, 0x01, 0.5},
		{Float4E2M1, 0x0a, -1},
	} {
		if got := smallFloatOf(c.d).value(c.code); got != c.want && (got == got || c.want == c.want) {
			t.Errorf("%v %02x: %v, want %v", c.d, c.code, got, c.want)
		}
	}
	for _, c := range []struct {
		d    DType
		f    float64
		code byte
		ok   bool
	}{
		{Float8E4M3FN, 464, 0x7e, true},
		{Float8E4M3FN, 465, 0, false},
		{Float8E4M3FN, math.Inf(1), 0, false},
		{Float8E4M3FN, math.NaN(), 0x7f, true},
		{Float8E5M2, 61439, 0x7b, true},
		{Float8E5M2, 61440, 0, false},
		{Float8E5M2, math.Inf(-1), 0xfc, true},
		{Float8E4M3FNUZ, math.Copysign(0, -1), 0, true},
		{Float8E4M3FN, math.Copysign(0, -1), 0x80, true},
		{Float8E8M0, 3.1, 0x81, true},
		{Float8E8M0, 2.9, 0x80, true},
		{Float8E8M0, -1, 0, false},
		{Float8E8M0, 0, 0, false},
		{Float4E2M1, 2.5, 0x4, true},
		{Float4E2M1, 3.5, 0x6, true},
		{Float4E2M1, 7, 0, false},
		{Float4E2M1, math.NaN(), 0, false},
		{Float4E2M1, -5, 0xe, true},
	} {
		if got, ok := toSmallFloat(c.d, c.f); ok != c.ok || ok && got != c.code {
			t.Errorf("%v of %v: %02x %v, want %02x %v", c.d, c.f, got, ok, c.code, c.ok)
		}
	}
}
