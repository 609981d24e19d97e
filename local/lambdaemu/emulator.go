package lambdaemu

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scorefn/scorefn/local/process"
)

const version = "$LATEST"

// ErrClosed is returned by calls after [Emulator.Close].
var ErrClosed = errors.New("lambdaemu: the emulator is closed")

// Emulator is one function and its processes.
type Emulator struct {
	cfg   Config
	out   *process.Output
	slots chan struct{}  // one for every call that runs
	stop  chan struct{}  // closed by Close
	work  sync.WaitGroup // runs and asynchronous calls

	mu     sync.Mutex
	closed bool
	idle   []*sandbox
	boxes  map[*sandbox]bool // every process that has not ended
}

// New makes an emulator; the first call starts the first process.
func New(cfg Config) (*Emulator, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Emulator{
		cfg: cfg, out: process.NewOutput(cfg.Output), slots: make(chan struct{}, cfg.Concurrency), boxes: map[*sandbox]bool{},
		stop: make(chan struct{}),
	}
	return e, nil
}

// Close ends every process, and returns when none is left and every call has its answer.
func (e *Emulator) Close() error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.stop)
	}
	boxes := make([]*sandbox, 0, len(e.boxes))
	for b := range e.boxes {
		boxes = append(boxes, b)
	}
	e.mu.Unlock()
	var ends sync.WaitGroup
	for _, b := range boxes {
		ends.Go(b.end)
	}
	ends.Wait()
	e.work.Wait()
	return nil
}

// Call is one invocation as the Invoke API describes it.
type Call struct {
	Payload       []byte // JSON; none is the empty object
	RequestID     string // made unless given
	Function      string // name or ARN as the caller wrote it
	ClientContext string // JSON, for the function's context
	TraceID       string // X-Ray header; made unless given
	Stream        bool   // Answer.Body may be used: InvokeWithResponseStream
}

// Answer is what became of a call that was accepted.
type Answer struct {
	RequestID     string
	Payload       []byte
	ContentType   string    // as the function declared it
	Body          io.Reader // instead of Payload for a streamed response; ends with io.EOF or a *StreamError. Must be read to its end
	FunctionError string    // "Unhandled" when the function failed, as X-Amz-Function-Error
	ErrorType     string    // then
	InitFailed    bool      // then: the process did not get as far as the call
	Log           []byte    // the last 4 KB; nil for a streamed response
}

// RejectedError is a call that the service did not accept: docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, errors.
type RejectedError struct {
	Status  int
	Type    string // TooManyRequestsException
	Message string
	Reason  string
}

func (r *RejectedError) Error() string { return fmt.Sprintf("lambdaemu: %s: %s", r.Type, r.Message) }

// Invoke runs one call and returns its answer, which may be a function error. The error is a *RejectedError, or [ErrClosed], or
// ctx's: then the call goes on without its caller, as on the service.
func (e *Emulator) Invoke(ctx context.Context, c Call) (*Answer, error) {
	if err := checkPayload(c.Payload, MaxPayload, "RequestResponse"); err != nil {
		return nil, err
	}
	select {
	case e.slots <- struct{}{}:
	default:
		return nil, &RejectedError{429, "TooManyRequestsException", "Rate Exceeded.", "ReservedFunctionConcurrentInvocationLimitExceeded"}
	}
	return e.invoke(ctx, c)
}

// invoke has a slot, which the run gives back.
func (e *Emulator) invoke(ctx context.Context, c Call) (*Answer, error) {
	inv := e.invocation(c)
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		<-e.slots
		return nil, ErrClosed
	}
	var box *sandbox
	e.idle = slices.DeleteFunc(e.idle, (*sandbox).isEnded) // it may have ended while nobody looked
	if n := len(e.idle); n > 0 {
		box, e.idle = e.idle[n-1], e.idle[:n-1]
	}
	e.work.Go(func() { e.run(box, inv) })
	e.mu.Unlock()
	select {
	case a := <-inv.result:
		return a, nil
	case <-ctx.Done():
		go abandon(inv)
		return nil, ctx.Err()
	}
}

// abandon reads a stream that nobody waits for.
func abandon(inv *invocation) {
	if a := <-inv.result; a.Body != nil {
		_, _ = io.Copy(io.Discard, a.Body)
	}
}

func (e *Emulator) invocation(c Call) *invocation {
	inv := &invocation{
		id: c.RequestID, arn: FunctionARN(c.Function), trace: c.TraceID, client: c.ClientContext, payload: c.Payload, stream: c.Stream,
		log:     &callLog{},
		replies: make(chan reply, 1), settled: make(chan struct{}), result: make(chan *Answer, 1), finished: make(chan struct{}),
	}
	if c.Function == "" {
		inv.arn = FunctionARN(e.cfg.Name)
	}
	if inv.id == "" {
		inv.id = NewID()
	}
	if inv.trace == "" {
		inv.trace = newTrace()
	}
	if len(inv.payload) == 0 {
		inv.payload = []byte("{}")
	}
	return inv
}

// done gives the process back, or forgets it, and then the slot: so there are never more processes than slots.
func (e *Emulator) done(box *sandbox, useful bool) {
	if box != nil {
		if !useful {
			box.end()
		}
		e.mu.Lock()
		if useful && !e.closed {
			e.idle = append(e.idle, box)
		}
		e.mu.Unlock()
	}
	<-e.slots
}

// FunctionARN is the name that the function is called by in events; name may be one already.
func FunctionARN(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:lambda:" + Region + ":" + AccountID + ":function:" + name
}

// NewID is a request id as the service makes them: a UUID, version 4.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// newTrace is an X-Ray header that samples nothing.
func newTrace() string {
	id := strings.ReplaceAll(NewID(), "-", "")
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", time.Now().Unix(), id[:24], id[16:])
}
