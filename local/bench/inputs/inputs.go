// Package inputs is the file in which the tensors of a request are handed to the programs that take no JSON: for each tensor
// a line "NAME<tab>DTYPE<tab>BYTES<tab>RANK<tab>DIM…", then its bytes. limit.c reads it too.
package inputs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/scorefn/scorefn/function/tensor"
)

// Append adds the file of the values to b. It carries tensors of numbers.
func Append(b []byte, specs []tensor.Spec, values []tensor.Value) ([]byte, error) {
	for i, v := range values {
		name := specs[i].Name
		switch {
		case v.Kind == tensor.KindNone: // has a default
			continue
		case v.Kind != tensor.KindTensor || v.DType == tensor.String:
			return nil, fmt.Errorf("input %q is %v: bench measures tensors of numbers", name, specs[i].Type)
		case name == "" || strings.ContainsAny(name, "\t\n"):
			return nil, fmt.Errorf("input %q: bench cannot write such a name", name)
		}
		b = fmt.Appendf(b, "%s\t%d\t%d\t%d", name, v.DType, len(v.Data), len(v.Shape))
		for _, d := range v.Shape {
			b = fmt.Appendf(b, "\t%d", d)
		}
		b = append(append(b, '\n'), v.Data...)
	}
	return b, nil
}

// Read reads a file, in the order of specs.
func Read(path string, specs []tensor.Spec) ([]tensor.Value, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values := make([]tensor.Value, len(specs))
	for i := range values {
		values[i] = tensor.None()
	}
	for r := bufio.NewReader(bytes.NewReader(file)); ; {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return values, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		name, v, err := read(line, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for i := range specs {
			if specs[i].Name == name {
				values[i] = v
			}
		}
	}
}

func read(line string, r io.Reader) (name string, v tensor.Value, err error) {
	fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	numbers := make([]int64, len(fields)-1)
	for i := range numbers {
		if numbers[i], err = strconv.ParseInt(fields[i+1], 10, 64); err != nil {
			return "", v, err
		}
	}
	if len(numbers) < 3 {
		return "", v, fmt.Errorf("the line %q lacks fields", line)
	}
	dtype, shape := tensor.DType(numbers[0]), numbers[3:]
	n, ok := tensor.Elements(shape)
	size, known := dtype.Bytes(n)
	if !ok || !known || int64(size) != numbers[1] || int64(len(shape)) != numbers[2] {
		return "", v, fmt.Errorf("the line %q contradicts itself", line)
	}
	b := new(tensor.Batch)
	b.Reset(1)
	data := b.Arena(size) // aligned as the kernels like it
	if _, err := io.ReadFull(r, data); err != nil {
		return "", v, err
	}
	b.SetTensor(0, dtype, shape, data)
	return fields[0], b.Values[0], nil
}
