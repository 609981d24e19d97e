package onnx

/*
#cgo noescape sfn_run
#cgo nocallback sfn_run
#cgo noescape sfn_fetch
#cgo nocallback sfn_fetch
#include "shim.h"
*/
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/scorefn/scorefn/function/tensor"
)

// Infer runs the model once. The inputs are in the order of [Session.Inputs]; one that is of [tensor.KindNone], or past
// the end, is left out, which only works for an input that is Optional. The results are in the order of
// [Session.Outputs], in fresh memory. Errors are those of [Session.InferBatch].
func (s *Session) Infer(ctx context.Context, inputs ...tensor.Value) ([]tensor.Value, error) {
	var out tensor.Batch
	if j := s.joiner.Load(); j != nil {
		err := j.InferBatch(ctx, inputs, &out)
		return out.Values, err
	}
	if err := s.infer(ctx, inputs, &out, 0); err != nil {
		return nil, err
	}
	return out.Values, nil
}

// maxHint is the largest output for which memory is set aside before the run. Above it the copy is what costs, not the
// second call that fetches it.
const maxHint = 8 << 20

// InferBatch is [Session.Infer] with its results in out, whose memory it reuses: with plain tensors and a context that is
// never done a warm call allocates nothing. The inputs must not lie in out.
//
// Inputs that do not fit the model are a [*tensor.Error]. When ctx is done before the run ends, the run is stopped at the
// next operator of the model and waited for, and the error is the context's cause. A closed session answers [ErrClosed].
// Anything else wraps an [*Error]. After an error out holds nothing. After [Session.Batch] calls may share a run.
func (s *Session) InferBatch(ctx context.Context, in []tensor.Value, out *tensor.Batch) error {
	if j := s.joiner.Load(); j != nil {
		return j.InferBatch(ctx, in, out)
	}
	return s.infer(ctx, in, out, int(s.hint.Load()))
}

func (s *Session) infer(ctx context.Context, in []tensor.Value, out *tensor.Batch, size int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r, err := s.acquire()
	if err != nil {
		return err
	}
	defer s.release(r)
	if err := r.infer(ctx, in, out, size); err != nil {
		out.Reset(0)
		return err
	}
	return nil
}

func (r *run) infer(ctx context.Context, in []tensor.Value, out *tensor.Batch, size int) error {
	if err := r.s.check(in); err != nil {
		return err
	}
	defer r.unfeed()
	n, err := r.feed(in)
	if err != nil {
		return blame(err)
	}
	out.Reset(len(r.out))
	arena := out.Arena(size)
	state, err := r.exec(ctx, n, arena)
	if err != nil {
		return err
	}
	if total := int(r.c.total); state != C.SFN_FAILED && total != size {
		r.s.hint.Store(int64(min(total, maxHint)))
	}
	if state == C.SFN_GROW {
		arena = out.Arena(int(r.c.total))
		state = r.fetch(arena)
	}
	if state != C.SFN_DONE {
		if err := r.s.disagreement(in); err != nil {
			_ = r.takeStatus() // the same, said by an operator
			return err
		}
		return fmt.Errorf("onnx: run: %w", blame(r.takeStatus()))
	}
	return r.collect(arena, out)
}

// byArgument is how many inputs go to C as arguments. That is the cheapest legal way for Go memory; more are pinned.
const byArgument = 4

// run is what one run at a time needs, in Go and in C. A session keeps them from run to run.
type run struct {
	s      *Session
	c      *C.sfn_ctx
	in     []C.sfn_in  // C memory
	out    []C.sfn_out // C memory
	args   [byArgument]*C.uint8_t
	pins   runtime.Pinner
	pinned bool
	dirty  bool // values are left in c

	stop    func()        // stops a run, in a goroutine of its own, and then says so
	stopped chan struct{} // that it did
}

func newRun(s *Session) (*run, error) {
	r := &run{s: s}
	if err := take(C.sfn_ctx_new(s.pointer(), C.size_t(len(s.inputs)), C.size_t(len(s.outputs)), s.cOutput, &r.c)); err != nil {
		return nil, err
	}
	r.stopped = make(chan struct{}, 1)
	r.stop = func() {
		C.sfn_terminate(r.c)
		r.stopped <- struct{}{}
	}
	r.in = unsafe.Slice(r.c.in, len(s.inputs))
	r.out = unsafe.Slice(r.c.out, len(s.outputs))
	return r, nil
}

// free is the end of r: release must not be called after it.
func (r *run) free() {
	C.sfn_ctx_free(r.c)
	r.c, r.in, r.out = nil, nil, nil
}

// exec runs on n inputs. When ctx is done first it stops the run, waits for it, and answers the cause.
func (r *run) exec(ctx context.Context, n int, arena []byte) (C.int, error) {
	if ctx.Done() == nil {
		return r.call(n, arena), nil
	}
	unwatch := context.AfterFunc(ctx, r.stop)
	state := r.call(n, arena)
	if unwatch() {
		return state, nil
	}
	<-r.stopped // or it would stop the next run of this context
	C.sfn_unterminate(r.c)
	if state == C.SFN_FAILED {
		_ = r.takeStatus() // "Exiting due to terminate flag being set to true."
	}
	return state, context.Cause(ctx)
}

// call is the one call into C. The inputs' memory is in r.args, or pinned, until it returns.
func (r *run) call(n int, arena []byte) C.int {
	state := C.sfn_run(r.c, C.size_t(n), r.args[0], r.args[1], r.args[2], r.args[3],
		(*C.uint8_t)(unsafe.SliceData(arena)), C.size_t(len(arena)))
	r.dirty = r.c.left != 0
	return state
}

// fetch is the rest of a call whose arena was too small.
func (r *run) fetch(arena []byte) C.int {
	state := C.sfn_fetch(r.c, (*C.uint8_t)(unsafe.SliceData(arena)), C.size_t(len(arena)))
	r.dirty = r.c.left != 0
	return state
}

func (r *run) takeStatus() error {
	status := r.c.status
	r.c.status = nil
	return take(status)
}

// unfeed lets go of the inputs' memory, and of every value that an error or a cancelled run left behind.
func (r *run) unfeed() {
	for i := range r.args { // a loop: clear would go through the bulk write barrier
		r.args[i] = nil
	}
	if r.pinned {
		r.pins.Unpin()
		r.pinned = false
	}
	if r.dirty {
		C.sfn_release(r.c)
		r.dirty = false
	}
}
