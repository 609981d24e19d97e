package tensor

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func TestDecodeReusesMemory(t *testing.T) {
	t.Parallel()
	b := new(Batch)
	d := NewDecoder([]Spec{named("x", in(Float32, -1, -1)), named("y", in(Int8, -1))}, DecodeOptions{})
	for i, text := range []string{`{"x":[[1,2,3]],"y":[1]}`, `{"x":[],"y":[]}`, `{"x":[[9],[8],[7],[6]],"y":[4,3,2,1]}`, `{"y":[5],"x":[[1]]}`} {
		if err := d.JSON([]byte(text), b); err != nil {
			t.Fatal(err)
		}
		fresh := new(Batch)
		if err := d.JSON([]byte(text), fresh); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(shows(b.Values), shows(fresh.Values)) {
			t.Errorf("%d: %v, want %v", i, shows(b.Values), shows(fresh.Values))
		}
		b.Release()
		b = GetBatch()
	}
}

func shows(vs []Value) (s []string) {
	for _, v := range vs {
		s = append(s, show(v))
	}
	return s
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	one := []Spec{in(Float32, -1, 3)}
	two := []Spec{named("x", in(Float32, -1, 3)), named("y", in(Int64, -1, 2)), optional(named("z", in(Float16, -1)))}
	for _, c := range []struct {
		inputs []Spec
		text   string
	}{
		{one, `[[1,2.5,3e4],[0.1234567890123456789,5,6]]`},
		{one, `{"x":[[1,2,3]]}`},
		{two, `{"x":[[1,2,3]],"y":[[12345678901234567,-2]],"z":[0.5]}`},
	} {
		d, b := NewDecoder(c.inputs, DecodeOptions{}), new(Batch)
		text := []byte(c.text)
		if n := testing.AllocsPerRun(100, func() {
			if err := d.JSON(text, b); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", c.text, n)
		}
	}
}

// What decoding costs in memory is bounded by the text, not by what the model declares.
func TestDecodeMemoryFollowsTheText(t *testing.T) {
	t.Parallel()
	b := new(Batch)
	if err := NewDecoder([]Spec{in(Float64, 1<<20, 1<<10)}, DecodeOptions{}).JSON([]byte(`[[1]]`), b); err == nil {
		t.Error("a short array is accepted")
	}
	if n := cap(b.slots[0].data); n > 16 {
		t.Errorf("%d words for a text of 5 bytes", n)
	}
}

func TestWrongBodyFailsInItsFirstRow(t *testing.T) {
	t.Parallel()
	row := "[" + strings.Repeat("1,", 200_000) + "1],"
	text := []byte("[" + strings.Repeat(row, 10) + "[1]]")
	err := NewDecoder([]Spec{in(Float32, -1, 3)}, DecodeOptions{}).JSON(text, new(Batch))
	if e := (*Error)(nil); !errors.As(err, &e) || e.Offset > 10 || !strings.HasPrefix(e.Msg, "more than 3 values, expected 3") {
		t.Error(err)
	}
}

func TestValuesAreAligned(t *testing.T) {
	t.Parallel()
	v, err := decode(t, []Spec{of(KindSequence, in(Int8, -1).Type)}, DecodeOptions{}, `[[1],[2,3],[4]]`)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range v[0].Items {
		if p := reflect.ValueOf(item.Data).Pointer(); p%8 != 0 {
			t.Errorf("data at %x", p)
		}
	}
}

func TestDecoderServesSeveralGoroutines(t *testing.T) {
	t.Parallel()
	d := NewDecoder([]Spec{in(Float32, -1, 2), optional(Spec{Name: "y", Type: mapOf(String, Float32)})}, DecodeOptions{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			want := fmt.Sprintf("float32[1 2] [[%d.0,0.5]]", i)
			for range 100 {
				b := GetBatch()
				if err := d.JSON(fmt.Appendf(nil, "[[%d,0.5]]", i), b); err != nil || show(b.Values[0]) != want {
					t.Errorf("got %s %v, want %s", show(b.Values[0]), err, want)
				}
				b.Release()
			}
		})
	}
	wg.Wait()
}
