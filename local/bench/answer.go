package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// numbers is every number of a JSON text in its order, those in strings and names left out.
func numbers(answer []byte) ([]float64, error) {
	d := json.NewDecoder(bytes.NewReader(answer))
	var all []float64
	for {
		token, err := d.Token()
		if token == nil && err != nil {
			if d.More() || len(all) == 0 {
				return nil, fmt.Errorf("the answer %.100q holds no numbers", answer)
			}
			return all, nil
		}
		if n, ok := token.(float64); ok {
			all = append(all, n)
		}
	}
}

// v2Numbers is the numbers of the first output in the Open Inference Protocol.
func v2Numbers(answer []byte) ([]float64, error) {
	var r struct {
		Outputs []struct{ Data json.RawMessage }
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return nil, err
	}
	if len(r.Outputs) == 0 {
		return nil, errors.New("no outputs in the answer")
	}
	return numbers(r.Outputs[0].Data)
}

// tolerance is how far answers may differ, relative to 1 or the larger value: kernels add up in other orders.
const tolerance = 1e-3

// same compares an answer with scorefn's. One to the byte may hold labels alone, or nothing but NaN.
func (e *entrant) same(answer, want []byte) error {
	if bytes.Equal(answer, want) {
		return nil
	}
	got, err := e.values(answer)
	if err != nil {
		return err
	}
	expected, err := numbers(want)
	if err != nil {
		return err
	}
	if len(got) != len(expected) {
		return fmt.Errorf("answers %d numbers, scorefn %d: %.100s", len(got), len(expected), answer)
	}
	for i, w := range expected {
		if math.Abs(got[i]-w) > tolerance*max(1, math.Abs(w)) {
			return fmt.Errorf("answers %g where scorefn answers %g (number %d)", got[i], w, i)
		}
	}
	return nil
}
