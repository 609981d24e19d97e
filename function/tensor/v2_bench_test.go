package tensor

import (
	"strconv"
	"testing"
)

// BenchmarkV2 sets requests of the protocol beside {"data"} of the same values, and bytes beside a copy of them.
func BenchmarkV2(b *testing.B) {
	for _, name := range []string{"iris", "digits", "image_double", "image_short", "table", "tokens"} {
		spec, p := benchPayload(name)
		d, batch, req := NewDecoder([]Spec{spec}, DecodeOptions{}), new(Batch), new(V2Request)
		if err := d.JSON(p, batch); err != nil {
			b.Fatal(err)
		}
		v := batch.Values[0]
		v.Data = append([]byte(nil), v.Data...)
		v.Shape = append([]int64(nil), v.Shape...)
		head := `"name":"x","datatype":"` + V2DType(v.DType) + `","shape":` + string(appendV2Shape(nil, v.Shape))
		bodies := []struct {
			name, text string
			bytes      []byte
		}{
			{"v2_json", `{"inputs":[{` + head + `,"data":` + string(p) + `}]}`, nil},
			{"v2_data_first", `{"inputs":[{"data":` + string(p) + `,` + head + `}]}`, nil},
			{"v2_binary", `{"inputs":[{` + head + `,"parameters":{"binary_data_size":` + strconv.Itoa(len(v.Data)) + `}}]}`, v.Data},
		}
		run := func(name string, f func() error) {
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run(name+"/data", func() error { return d.JSON(p, batch) })
		for _, c := range bodies {
			body, headerLen := []byte(c.text), -1
			if c.bytes != nil {
				headerLen = len(c.text)
				body = append(body, c.bytes...)
			}
			run(name+"/"+c.name, func() error { return d.V2(body, headerLen, req, batch) })
		}
		to := make([]byte, len(v.Data))
		run(name+"/memcpy", func() error { copy(to, v.Data); return nil })
		dst := make([]byte, 0, 2*len(p)+len(v.Data)+1000)
		r, names, values := &V2Response{ModelName: "m"}, []string{"y"}, []Value{v}
		run(name+"/encode_data", func() error { _, err := v.AppendJSON(dst, EncodeOptions{}); return err })
		run(name+"/encode_v2_json", func() error { _, _, _, err := AppendV2(dst, r, names, values, nil, EncodeOptions{}); return err })
		run(name+"/encode_v2_binary", func() error {
			_, _, _, err := AppendV2(dst, r, names, values, []bool{true}, EncodeOptions{})
			return err
		})
	}
}
