package tensor

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// bitRange is a sample of the positive float32, by their bits. LO and HI (as 0x…) ask for every value of a range instead; all of
// them, 1 to 0x7f800000, take some minutes.
func bitRange(t *testing.T, stride uint64) (lo, hi, step uint64) {
	t.Helper()
	if v := os.Getenv("LO"); v != "" {
		lo, err := strconv.ParseUint(v, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		hi, err := strconv.ParseUint(os.Getenv("HI"), 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		return lo, hi, 1
	}
	return 1, 0x7f800000, stride * slower
}

// viaFloat64 is what json and numpy make of a number.
func viaFloat64(s string) float32 {
	f, _ := strconv.ParseFloat(s, 64)
	return float32(f)
}

// reader reads single numbers as the elements of a row: by the quick way if it can, and by the general one.
type reader struct {
	d DType
	s scan
	m []uint64
}

func newReader(d DType) *reader {
	r := &reader{d: d, m: make([]uint64, 1)}
	r.s.spec = &Spec{Name: "x", Type: Type{DType: d}}
	return r
}

func (r *reader) read(t *testing.T, text []byte, general bool) (uint64, bool) {
	t.Helper()
	s := &r.s
	s.begin(text, DecodeOptions{MaxElements: 1, MaxDepth: 1, MaxStringBytes: 1})
	if general {
		s.wide = s.text
	}
	s.use(r.d)
	r.m[0] = 0
	s.words, s.n, s.got, s.limit, s.more = r.m, 0, 0, 1, false
	s.reserve(nil, 0, 0)
	end, err := s.c.row(s, 0)
	return r.m[0], err == nil && end == len(text)-1 && s.got == 1
}

func (r *reader) check32(t *testing.T, number []byte) {
	t.Helper()
	var room [64]byte
	text := append(append(room[:0], number...), ']')
	want := viaFloat64(string(number))
	for _, general := range []bool{false, true} {
		got, ok := r.read(t, text, general)
		if over := math.IsInf(float64(want), 0); ok == over {
			t.Fatalf("%s: ok %v, want %v", number, ok, want)
		} else if !over && uint32(got) != math.Float32bits(want) {
			t.Fatalf("%s: got %08x, want %08x (general %v)", number, got, math.Float32bits(want), general)
		}
	}
}

func TestShortestFloat32IsStrconvs(t *testing.T) {
	t.Parallel()
	lo, hi, step := bitRange(t, 4001)
	general, n := 0, 0
	for u := lo; u < hi; u += step {
		n++
		m, e, ok := shortest(uint32(u))
		if !ok {
			general++
			continue
		}
		if wm, we := shortestStrconv(uint32(u)); m != wm || e != we {
			t.Fatalf("%08x %v: %de%d, strconv %de%d", u, math.Float32frombits(uint32(u)), m, e, wm, we)
		}
	}
	if step > 1 && (n < 1000 || general*20 > n) {
		t.Errorf("%d of %d values on the general path", general, n)
	}
}

// The encoder's texts and Python's are read as json and numpy read them; ours give the same float32 again, all but one.
func TestFloat32SurvivesTheText(t *testing.T) {
	t.Parallel()
	lo, hi, step := bitRange(t, 8009)
	r := newReader(Float32)
	var b []byte
	for u := lo; u < hi; u += step {
		f := math.Float32frombits(uint32(u))
		b = strconv.AppendFloat(b[:0], float64(f), 'g', -1, 64)
		r.check32(t, b)
		b = appendFloat32(b[:0], -f)
		r.check32(t, b)
		want := uint32(u)
		if want == 0x15ae43fd { // 7.038531e-26, between two float64 roundings
			want++
		}
		if got := math.Float32bits(viaFloat64(string(b))); got != want|1<<31 {
			t.Fatalf("%08x: %s is %08x", u, b, got)
		}
	}
}

func TestFloat32NearHalfway(t *testing.T) {
	t.Parallel()
	rnd, r := rand.New(rand.NewPCG(3, 4)), newReader(Float32)
	for range 150_000 / slower {
		a := math.Float32frombits(rnd.Uint32() &^ (1 << 31))
		b := math.Nextafter32(a, math.MaxFloat32)
		if a != a || math.IsInf(float64(b), 0) {
			continue
		}
		h := (float64(a) + float64(b)) / 2 // exact in float64
		h = math.Float64frombits(math.Float64bits(h) + uint64(rnd.IntN(24)) - 12)
		r.check32(t, strconv.AppendFloat(nil, h, 'g', -1, 64))
		r.check32(t, strconv.AppendFloat(nil, h, 'e', 14+rnd.IntN(5), 64))
	}
}

// randomNumber is a number by the grammar, of any length and size.
func randomNumber(r *rand.Rand) []byte {
	var s []byte
	if r.IntN(2) == 0 {
		s = append(s, '-')
	}
	if r.IntN(3) == 0 {
		s = append(s, '0')
	} else {
		s = append(s, byte('1'+r.IntN(9)))
		for range r.IntN(18) {
			s = append(s, byte('0'+r.IntN(10)))
		}
	}
	if r.IntN(4) != 0 {
		s = append(s, '.')
		for range 1 + r.IntN(26) {
			s = append(s, byte('0'+r.IntN(10)))
		}
	}
	if r.IntN(3) == 0 {
		s = append(s, "eE"[r.IntN(2)])
		if k := r.IntN(3); k < 2 {
			s = append(s, "+-"[k])
		}
		s = strconv.AppendInt(s, int64(r.IntN(70)), 10)
	}
	return s
}

func TestRandomNumbers(t *testing.T) {
	t.Parallel()
	rnd, r32, r64 := rand.New(rand.NewPCG(1, 2)), newReader(Float32), newReader(Float64)
	for range 400_000 / slower {
		s := randomNumber(rnd)
		r32.check32(t, s)
		got, ok := r64.read(t, append(s, ']'), false)
		if want, _ := strconv.ParseFloat(string(s), 64); !ok || got != math.Float64bits(want) {
			t.Fatalf("%s as float64: %x, want %x", s, got, math.Float64bits(want))
		}
	}
}

func TestNumberGrammarIsJSONs(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"0", "-0", "0.0", "-0.0", "1", "10", "0.1", "1e5", "1E+5", "1e-5", "0e0", "0e999999999", "1e-999999999", "0e99",
		"123456789012345678901234567890", "0." + strings.Repeat("0", 40) + "1", "1.17549435e-38", "1.4e-45", "7e-46", "3.4028235e38",
		"9007199254740993", "16777217", "1.00000000000000000000000000000000000001", "12345678", "123456789.5", "1234567890123456",
		"0.00000001", "0.0000000000000000000000001",
		"", "-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "1.e5", "0x10", "1_0", "--1", "Inf", "nan", "1..2", "-.5", "00", "00.1",
		"1e5.5", "1.2.3", "1e1e1", "012345678", "0123456789.5",
	} {
		for _, d := range []DType{Float32, Float64, Float16, Int64, Uint8, Int4} {
			r := newReader(d)
			for _, general := range []bool{false, true} {
				if _, ok := r.read(t, []byte(s+"]"), general); ok && !json.Valid([]byte(s)) {
					t.Errorf("%q is accepted as %v", s, d)
				} else if !ok && json.Valid([]byte(s)) && (d == Float32 || d == Float64) {
					t.Errorf("%q is refused as %v", s, d)
				}
			}
		}
	}
}

func TestRandomIntegers(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 6))
	signed, unsigned := newReader(Int64), newReader(Uint64)
	for range 200_000 / slower {
		v := rnd.Uint64() >> rnd.IntN(64)
		for _, general := range []bool{false, true} {
			if got, ok := unsigned.read(t, append(strconv.AppendUint(nil, v, 10), ']'), general); !ok || got != v {
				t.Fatalf("%d: %d %v", v, got, ok)
			}
			if got, ok := signed.read(t, append(strconv.AppendInt(nil, int64(v), 10), ']'), general); !ok || got != v {
				t.Fatalf("%d: %d %v", int64(v), got, ok)
			}
		}
	}
}
