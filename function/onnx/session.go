package onnx

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/scorefn/scorefn/function/batch"
	"github.com/scorefn/scorefn/function/settings"
	"github.com/scorefn/scorefn/function/tensor"
)

// Options is how [Open] opens a model. The zero value works: what is not set comes from the settings of the context, else
// from the environment, see [settings.From].
type Options struct {
	Library string // path of the ONNX Runtime library; "" is ONNXRUNTIME_LIB, else the search of FindLibrary
	Threads int    // threads of one run; 0 is SCOREFN_THREADS, else 1 for a model under 1 MiB, else the vCPUs granted
}

// smallModel is the size in bytes, with the files of weights, from which a run is worth more than one thread.
const smallModel = 1 << 20

// Session is a model that is ready to run. It may be used by any number of goroutines at one time.
type Session struct {
	inputs      []tensor.Spec
	outputs     []tensor.Spec
	metadata    Metadata
	concurrency int
	hint        atomic.Int64 // bytes of the last run's outputs
	warm        bool         // it ran when it was opened
	joiner      atomic.Pointer[batch.Joiner]

	names   []*C.char // C copies of the names: inputs, then outputs
	cOutput **C.char  // the outputs' names as an array in C memory

	mu      sync.Mutex
	idle    []*run // contexts that wait for a run
	flying  int    // runs in flight
	slack   bool   // what the load took and freed is still the process's
	closed  bool
	drained sync.Cond // of mu: flying became 0, or native became nil
	native  *ort.DynamicAdvancedSession
}

// Open loads the model file at path, .onnx or .ort, with the ONNX Runtime library that o names. Files of weights that the
// model names are looked for beside it. A model that [Bake] made is loaded as its sidecar says, and must answer what that
// holds. The context is only looked at before the load starts: ONNX Runtime cannot be stopped in it. An error wraps an
// [*Error] when it is ONNX Runtime's.
func Open(ctx context.Context, path string, o Options) (*Session, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	env, err := settings.From(ctx)
	if err != nil {
		return nil, err
	}
	if err := regularFile(path); err != nil {
		return nil, fmt.Errorf("onnx: model %q: %w", path, err)
	}
	format, size, err := ortFormat(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: model %q: %w", path, err)
	}
	baked, err := readBaked(path)
	if err != nil {
		return nil, err
	}
	var sig *Signature
	if baked == nil && !format { // first, for it is cheap and finds what is no model at all
		if sig, err = ReadSignature(path); err != nil {
			return nil, err
		}
	}
	if baked != nil { // its weights are mapped: they are read while ONNX Runtime starts, not page by page in the first run
		readAhead(filepath.Join(filepath.Dir(path), cmp.Or(baked.Weights, baked.File)))
	}
	if err := Load(cmp.Or(o.Library, env.Library)); err != nil {
		return nil, err
	}
	how := loading{ort: format, threads: cmp.Or(o.Threads, env.Threads)}
	how.large = size+weightsSize(path, sig, baked) >= smallModel
	if how.threads <= 0 {
		if how.threads = 1; how.large {
			how.threads = env.VCPUs()
		}
	}
	how.concurrency = max(1, env.VCPUs()/how.threads)
	if baked != nil {
		return openBaked(ctx, path, baked, how)
	}
	s, err := newSession(path, how, sig)
	if err != nil {
		return nil, fmt.Errorf("onnx: model %q: %w", path, err)
	}
	return s, nil
}

// weightsSize is the bytes of a model's weights that are not in its file. That they are there is for ONNX Runtime to find out.
func weightsSize(path string, sig *Signature, baked *Baked) (size int64) {
	switch {
	case baked != nil:
		return baked.WeightsSize
	case sig == nil:
		return 0
	}
	for _, name := range sig.Weights {
		if info, err := os.Stat(filepath.Join(filepath.Dir(path), name)); err == nil {
			size += info.Size()
		}
	}
	return size
}

// newSession loads the model alone. Sig is its signature, nil where ONNX Runtime is to be asked.
func newSession(path string, how loading, sig *Signature) (*Session, error) {
	native, err := load(path, how)
	if err != nil {
		return nil, err
	}
	s := &Session{native: native, concurrency: how.concurrency, slack: how.large}
	s.drained.L = &s.mu
	if err := s.describe(sig); err != nil {
		_ = native.Destroy() // never fails
		return nil, err
	}
	s.copyNames()
	return s, nil
}

// describe sets everything that the session tells of itself. Sig is the file's signature, nil for a format without one.
func (s *Session) describe(sig *Signature) error {
	own, err := sessionSpecs(s.pointer())
	if err != nil {
		return err
	}
	if sig == nil {
		if s.metadata, err = sessionMetadata(s.native); err != nil {
			return err
		}
		s.inputs, s.outputs = append(own[listInputs], own[listDefaults]...), own[listOutputs]
	} else {
		if err := agree(sig, own); err != nil {
			return err
		}
		s.inputs, s.outputs, s.metadata = sig.Inputs, sig.Outputs, sig.Metadata
	}
	return nil
}

// copyNames makes the C strings that every run uses; freeNames frees them.
func (s *Session) copyNames() {
	for _, list := range [][]tensor.Spec{s.inputs, s.outputs} {
		for _, spec := range list {
			s.names = append(s.names, C.CString(spec.Name))
		}
	}
	n := max(1, len(s.outputs))
	s.cOutput = (**C.char)(C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof(uintptr(0)))))
	copy(unsafe.Slice(s.cOutput, n), s.names[len(s.inputs):])
}

func (s *Session) freeNames() {
	for _, p := range s.names {
		C.free(unsafe.Pointer(p))
	}
	C.free(unsafe.Pointer(s.cOutput))
	s.names, s.cOutput = nil, nil
}

// pointer is the session in C, as long as native is not nil.
func (s *Session) pointer() *C.OrtSession { return (*C.OrtSession)(nativeSession(s.native)) }

// Inputs is what the model takes: required inputs first, then those that may be left out because the model holds a default
// for them. The order is that of the arguments of [Session.Infer]. The slice is the session's own: it is not to be changed.
func (s *Session) Inputs() []tensor.Spec { return s.inputs }

// Outputs is what the model gives, in the order of the results of [Session.Infer]. The slice is the session's own: it is
// not to be changed.
func (s *Session) Outputs() []tensor.Spec { return s.outputs }

// Concurrency is how many runs at one time make sense: the vCPUs granted by the threads of one run, at least 1.
func (s *Session) Concurrency() int { return s.concurrency }

// Metadata is what the model's file says about itself. A file in ONNX Runtime's own format keeps neither the version of
// its format nor the opsets.
func (s *Session) Metadata() Metadata {
	m := s.metadata
	m.Opsets, m.Custom = maps.Clone(m.Opsets), maps.Clone(m.Custom)
	return m
}

// Close waits for the runs in flight and frees the model. Runs that start afterwards answer [ErrClosed]. Close may be
// called again, and at the same time: every call returns when the model is freed. The error is always nil.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.closed
	s.closed = true
	for s.flying > 0 || !first && s.native != nil {
		s.drained.Wait()
	}
	if !first {
		return nil
	}
	for _, r := range s.idle {
		r.free()
	}
	s.idle = nil
	s.freeNames()
	err := s.native.Destroy()
	s.native = nil
	s.drained.Broadcast()
	return err
}

// maxIdle bounds the contexts that are kept after many runs at one time; one is about a kilobyte.
const maxIdle = 32

// acquire takes a context for one run; release gives it back. Between the two the session stays open.
func (s *Session) acquire() (*run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	n := len(s.idle)
	if n == 0 {
		r, err := newRun(s)
		if err != nil {
			return nil, err
		}
		s.flying++
		return r, nil
	}
	r := s.idle[n-1]
	s.idle[n-1] = nil
	s.idle = s.idle[:n-1]
	s.flying++
	return r, nil
}

// release gives a context back. After the first run, which is the warm-up's and takes memory of its own, the system gets back
// what the load of a large model took and freed: half of the process's memory where ONNX Runtime packs the weights anew.
func (s *Session) release(r *run) {
	s.mu.Lock()
	if len(s.idle) < maxIdle {
		s.idle = append(s.idle, r)
	} else {
		r.free()
	}
	if s.flying--; s.flying == 0 && s.closed {
		s.drained.Broadcast()
	}
	slack := s.slack
	s.slack = false
	s.mu.Unlock()
	if slack {
		C.sfn_trim()
	}
}

// sessionMetadata asks the session, for files that are no protobuf.
func sessionMetadata(native *ort.DynamicAdvancedSession) (m Metadata, err error) {
	m.Opsets, m.Custom = map[string]int64{}, map[string]string{}
	from, err := native.GetModelMetadata()
	if err != nil {
		return m, err
	}
	defer func() { _ = from.Destroy() }() // never fails
	if m.Producer, err = from.GetProducerName(); err != nil {
		return m, err
	}
	keys, err := from.GetCustomMetadataMapKeys()
	if err != nil {
		return m, err
	}
	for _, key := range keys {
		value, _, err := from.LookupCustomMetadataMap(key)
		if err != nil {
			return m, err
		}
		m.Custom[key] = value
	}
	return m, nil
}
