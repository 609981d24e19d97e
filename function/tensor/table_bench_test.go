package tensor

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
)

// The table of BenchmarkDecode in all its forms.
func BenchmarkTable(b *testing.B) {
	spec, array := benchPayload("table")
	batch := new(Batch)
	one := NewDecoder([]Spec{spec}, DecodeOptions{})
	if err := one.JSON(array, batch); err != nil {
		b.Fatal(err)
	}
	lines, err := AppendCSV(nil, batch.Values, EncodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	names, specs := []string{}, []Spec{}
	for k := range 30 {
		names = append(names, fmt.Sprintf("%q", "feature"+strconv.Itoa(k)))
		specs = append(specs, named("feature"+strconv.Itoa(k), in(Float32, -1, 1)))
	}
	each := NewDecoder(specs, DecodeOptions{})
	split := []byte(`{"columns":[` + strings.Join(names, ",") + `],"data":` + string(array) + "}")
	var records []byte
	for line := range strings.Lines(string(lines)) {
		for k, cell := range strings.Split(strings.TrimSpace(line), ",") {
			records = append(append(append(append(records, "{,"[min(k, 1)]), names[k]...), ": "...), cell...)
		}
		records = append(records, "},"...)
	}
	records = append(append([]byte{'['}, records[:len(records)-1]...), ']')
	header := append([]byte(strings.Join(names, ",")+"\n"), lines...)
	for _, c := range []struct {
		name string
		text []byte
		read func([]byte, *Batch) error
	}{
		{"array", array, one.JSON},
		{"split", split, one.JSON},
		{"records", records, one.JSON},
		{"csv", lines, one.CSV},
		{"split_inputs", split, each.JSON},
		{"records_inputs", records, each.JSON},
		{"csv_inputs", header, each.CSV},
		{"encoding_csv", lines, func(text []byte, _ *Batch) error {
			r := csv.NewReader(bytes.NewReader(text))
			r.ReuseRecord = true
			out := make([]float32, 0, 30000)
			for {
				row, err := r.Read()
				if errors.Is(err, io.EOF) {
					_, err = fmt.Fprint(io.Discard, len(out))
				}
				if err != nil || row == nil {
					return err
				}
				for _, cell := range row {
					f, err := strconv.ParseFloat(cell, 32)
					if err != nil {
						return err
					}
					out = append(out, float32(f))
				}
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.read(c.text, batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
