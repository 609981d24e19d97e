package gcfemu

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// log is the platform's line of a request, and what would go wrong in silence.
func (x *exchange) log() {
	took := time.Since(x.begin)
	who := ""
	if x.instance != nil {
		who = fmt.Sprintf("  instance %d", x.instance.number)
	}
	if x.note != "" {
		who += "  (" + x.note + ")"
	}
	x.e.line("%s %d %v %s%s", x.r.Method, x.status, took.Round(time.Millisecond), x.r.URL.RequestURI(), who)
	if x.sent > MaxStreamed && x.e.cfg.function() {
		x.e.warn("a function's streamed answer of %d MB: the quota is 10 MB (cloud.google.com/functions/quotas)", x.sent>>20)
	}
	if !x.event {
		return
	}
	if id := x.r.Header.Get("Ce-Id"); !Acknowledged(x.status) {
		x.e.warn("event %s was answered %d: only 102, 200, 201, 202 and 204 end it. It comes again for up to 24 hours where the trigger retries (--retry), and is lost where it does not",
			id, x.status)
	}
	if took > AckDeadline {
		x.e.warn("an event took %v: where the subscription's deadline is shorter (10 s unless it is set, 600 s at most) it is delivered again meanwhile", took.Round(time.Second))
	}
}

// Acknowledged tells the statuses that end an event: cloud.google.com/pubsub/docs/push#receive_push.
func Acknowledged(status int) bool {
	return status == 102 || status == 200 || status == 201 || status == 202 || status == 204
}

// bounded is a request's body that fails beyond the limit.
type bounded struct {
	io.ReadCloser

	x    *exchange
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		b.x.large.Store(true)
		return 0, errors.New("gcfemu: the request is too large")
	}
	return n, err
}

// counted counts what the caller was sent.
type counted struct {
	io.ReadCloser

	n *int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.n += int64(n)
	return n, err
}
