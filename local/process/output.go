package process

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// maxLine is the longest line that is held back until its end: the largest entry of the platforms' logs.
const maxLine = 256 * 1024

// Output is a stream that several processes share: their lines do not mix.
type Output struct {
	mu sync.Mutex
	w  io.Writer
}

// NewOutput writes whole lines to w; nil discards them.
func NewOutput(w io.Writer) *Output {
	if w == nil {
		w = io.Discard
	}
	return &Output{w: w}
}

// Line writes b and a line end.
func (o *Output) Line(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.w.Write(append(bytes.Clone(b), '\n')) // nobody is left to be told
}

// console is what one process writes: standard output and error are one stream, as in the platforms' logs.
type console struct {
	out  *Output
	r, w *os.File
	done chan struct{} // closed when everything has been read

	mu     sync.Mutex
	sink   func(line []byte) // of the call that runs
	marks  map[int]chan struct{}
	marked int
}

func newConsole(out *Output) (*console, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &console{out: out, r: r, w: w, done: make(chan struct{}), marks: map[int]chan struct{}{}}
	go c.read()
	return c, nil
}

func (c *console) attach(sink func(line []byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sink = sink
}

// A mark is written into the process's own stream: when it comes out, all that the process wrote before has come out.
var markStart, markEnd = []byte("\x00scorefn mark "), []byte("\x00")

func (c *console) sync() {
	seen := make(chan struct{})
	c.mu.Lock()
	c.marked++
	id := c.marked
	c.marks[id] = seen
	c.mu.Unlock()
	mark := append(strconv.AppendInt(bytes.Clone(markStart), int64(id), 10), markEnd...)
	if _, err := c.w.Write(mark); err != nil {
		return // the process is gone, and close has read the rest
	}
	select {
	case <-seen:
	case <-c.done:
	}
}

// close reads what is left. The process has ended; a child of it that escaped may still hold the stream open.
func (c *console) close() {
	_ = c.w.Close()
	select {
	case <-c.done:
	case <-time.After(time.Second):
	}
	_ = c.r.Close()
	<-c.done
}

func (c *console) read() {
	defer close(c.done)
	var held []byte
	chunk := make([]byte, 32*1024)
	for {
		n, err := c.r.Read(chunk)
		held = c.pass(append(held, chunk[:n]...))
		if err != nil {
			c.emit(held)
			return
		}
	}
}

// pass emits the whole lines of b and returns the rest.
func (c *console) pass(b []byte) []byte {
	for {
		line := bytes.IndexByte(b, '\n')
		mark := bytes.Index(b, markStart)
		switch {
		case line >= 0 && (mark < 0 || line < mark):
			c.line(b[:line])
			b = b[line+1:]
		case mark >= 0:
			id, rest, whole := bytes.Cut(b[mark+len(markStart):], markEnd)
			if !whole {
				return b
			}
			c.emit(b[:mark])
			c.reached(string(id))
			b = rest
		case len(b) > maxLine:
			c.emit(b)
			return nil
		default:
			return bytes.Clone(b) // the array is the reader's
		}
	}
}

func (c *console) reached(id string) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return // the process wrote something like a mark
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if seen, ok := c.marks[n]; ok {
		close(seen)
		delete(c.marks, n)
	}
}

func (c *console) emit(b []byte) {
	if len(b) > 0 {
		c.line(b)
	}
}

func (c *console) line(b []byte) {
	b = bytes.TrimSuffix(b, []byte("\r"))
	c.mu.Lock()
	sink := c.sink
	c.mu.Unlock()
	c.out.Line(b)
	if sink != nil {
		sink(b)
	}
}
