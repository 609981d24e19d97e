package function

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
)

// encode writes an answer as JSON: once, exactly, and always valid.
func (f *Function) encode(dst []byte, answer any) ([]byte, error) {
	switch a := answer.(type) {
	case nil:
		return append(dst, "{}"...), nil // as the reference server does
	case JSONAppender:
		out, err := a.AppendJSON(dst, f.encoding())
		if err != nil {
			return nil, notEncoded(err)
		}
		return out, nil
	}
	out, err := marshal(dst, answer)
	if bad := new(json.UnsupportedValueError); errors.As(err, &bad) && bad.Value.CanFloat() {
		out, err = marshal(dst, finite(reflect.ValueOf(answer)))
	}
	if err != nil {
		return nil, notEncoded(err)
	}
	return out, nil
}

func marshal(dst []byte, answer any) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// finite is v with null in place of NaN and the infinities, which JSON does not have and encoding/json refuses. What writes
// itself, and a struct, is left as it is: its fields have types of their own.
func finite(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	if v.Kind() != reflect.Interface && v.CanInterface() {
		switch v.Interface().(type) {
		case json.Marshaler, encoding.TextMarshaler:
			return v.Interface()
		}
	}
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil
		}
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return finite(v.Elem())
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && (v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8) {
			break // null, and base64 text
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = finite(v.Index(i))
		}
		return list
	case reflect.Map:
		if v.IsNil() || v.Type().Key().Kind() != reflect.String {
			break
		}
		object := make(map[string]any, v.Len())
		for k, e := range v.Seq2() {
			object[k.String()] = finite(e)
		}
		return object
	default:
	}
	return v.Interface()
}

func notEncoded(err error) error {
	return &Error{Kind: Internal, Msg: msgInternal, Err: fmt.Errorf("the answer cannot be written as JSON: %w", err)}
}
