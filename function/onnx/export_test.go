package onnx

import (
	"bytes"

	"github.com/scorefn/scorefn/function/tensor"
)

// What the tests of package onnx_test need of the inside. They cannot be in this package: onnxtest imports it.

const (
	MaxIdle = maxIdle
)

// OpenLibrary loads a library and lets it go, without making it the process's own.
func OpenLibrary(path string) error {
	l, err := openLibrary(path)
	if err == nil {
		l.close()
	}
	return err
}

// ReadSignatureBytes is ReadSignature of a file's content.
func ReadSignatureBytes(b []byte) (*Signature, error) {
	return readSignature(bytes.NewReader(b), int64(len(b)))
}

// OwnSpecs is what the session itself says: required inputs, inputs with a default, outputs.
func (s *Session) OwnSpecs() ([lists][]tensor.Spec, error) { return sessionSpecs(s.pointer()) }

// Idle is how many contexts wait for a run.
func (s *Session) Idle() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.idle)
}

// Agree is agree.
func Agree(sig *Signature, own [lists][]tensor.Spec) error { return agree(sig, own) }

// Explain is explain.
func Explain(err error) error { return explain(err) }

// Near compares two JSON texts of floats as golden values are compared.
func Near(got, want string) error {
	w := goldenOutput{Value: []byte(want)}
	return w.compare(&goldenOutput{Value: []byte(got)}, tensor.Float32)
}
