// Naive is a scoring server as one writes it in an afternoon with onnxruntime_go and encoding/json: the model's signature
// asked of the library, its default options, float arrays decoded into nested slices and encoded from them. It is measured
// beside scorefn, and part of nothing else. It serves [N,C] and [N,C,H,W] of float32 and [N,S] of int64.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	ort "github.com/yalue/onnxruntime_go" //nolint:depguard // measured against: what a user would write without function/onnx
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "naive: %v\n", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: naive ADDRESS LIBRARY MODEL")
	}
	ort.SetSharedLibraryPath(args[1])
	if err := ort.InitializeEnvironment(); err != nil {
		return err
	}
	inputs, outputs, err := ort.GetInputOutputInfo(args[2])
	if err != nil {
		return err
	}
	session, err := ort.NewDynamicAdvancedSession(args[2], []string{inputs[0].Name}, []string{outputs[0].Name}, nil)
	if err != nil {
		return err
	}
	h, err := handler(session, inputs[0])
	if err != nil {
		return err
	}
	server := &http.Server{Addr: args[0], Handler: h, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

func handler(s *ort.DynamicAdvancedSession, in ort.InputOutputInfo) (http.Handler, error) {
	mux := http.NewServeMux()
	switch rank := len(in.Dimensions); {
	case in.DataType == ort.TensorElementDataTypeFloat && rank == 2:
		mux.HandleFunc("POST /score", score(s, flat2[float32]))
	case in.DataType == ort.TensorElementDataTypeInt64 && rank == 2:
		mux.HandleFunc("POST /score", score(s, flat2[int64]))
	case in.DataType == ort.TensorElementDataTypeFloat && rank == 4:
		mux.HandleFunc("POST /score", score(s, flat4))
	default:
		return nil, fmt.Errorf("input of type %v and rank %d", in.DataType, rank)
	}
	return mux, nil
}

// score decodes the body into a D, which flat makes a row of numbers of.
func score[D any, T float32 | int64](s *ort.DynamicAdvancedSession, flat func(D) ([]T, ort.Shape)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Data D `json:"data"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		data, shape := flat(body.Data)
		input, err := ort.NewTensor(shape, data)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		defer func() { _ = input.Destroy() }() // never fails
		output := []ort.Value{nil}
		if err := s.Run([]ort.Value{input}, output); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer func() { _ = output[0].Destroy() }() // never fails
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(nested(output[0])) // a client that left hears nothing
	}
}

func flat2[T any](rows [][]T) (all []T, shape ort.Shape) {
	for _, row := range rows {
		all = append(all, row...)
	}
	return all, ort.NewShape(int64(len(rows)), int64(len(all)/max(1, len(rows))))
}

func flat4(images [][][][]float32) (all []float32, shape ort.Shape) {
	height := 0
	for _, image := range images {
		for _, plane := range image {
			height = len(plane)
			for _, row := range plane {
				all = append(all, row...)
			}
		}
	}
	n, planes := len(images), 0
	if n > 0 {
		planes = len(images[0])
	}
	return all, ort.NewShape(int64(n), int64(planes), int64(height), int64(len(all)/max(1, n*planes*height)))
}

// nested is an output of rank 1 or 2 as lists.
func nested(v ort.Value) any {
	switch t := v.(type) {
	case *ort.Tensor[int64]:
		return rows(t.GetData(), t.GetShape())
	case *ort.Tensor[float32]:
		return rows(t.GetData(), t.GetShape())
	}
	return nil
}

func rows[T any](data []T, shape ort.Shape) any {
	if len(shape) < 2 {
		return data
	}
	n, width := int(shape[0]), int(shape[len(shape)-1])
	list := make([][]T, n)
	for i := range list {
		list[i] = data[i*width : (i+1)*width]
	}
	return list
}
