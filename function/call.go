package function

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// Call is what is known about the request that is being scored. A script finds it with [CallOf]; it must not be kept after
// Run returns.
type Call struct {
	RequestID string      // x-request-id: sent, given by the platform, or made up
	Trace     string      // traceparent as it was sent
	Header    http.Header // of the request; nil outside HTTP

	model, version         string
	cold, ran              bool
	queued, started, ended time.Time // of the run: when it wanted to, did, and was over
	decoded, inferred      time.Time // inside it, when the script tells
}

type callKey struct{}

// CallOf is the call that ctx belongs to, an empty one when there is none.
func CallOf(ctx context.Context) *Call {
	if c, ok := ctx.Value(callKey{}).(*Call); ok {
		return c
	}
	return new(Call)
}

// withCall is ctx with its call: own when it has none, a new one when that is nil.
func withCall(ctx context.Context, own *Call) (context.Context, *Call) {
	if c, ok := ctx.Value(callKey{}).(*Call); ok {
		return ctx, c
	}
	if own == nil {
		own = new(Call)
	}
	own.RequestID = newID()
	return context.WithValue(ctx, callKey{}, own), own
}

// WithRequestID is ctx with the id that the platform gave a request, such as Lambda's or an invocation's. It is answered,
// and stands in every log line, unless the caller sent one of its own.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, callKey{}, &Call{RequestID: id})
}

// Decoded and Inferred are called by a script that wants the log to tell decoding, the model and what follows apart.
func (c *Call) Decoded() { c.decoded = time.Now() }

// Inferred marks the end of the model's run: see [Call.Decoded].
func (c *Call) Inferred() { c.inferred = time.Now() }

// newID is a random UUID, version 4 of RFC 9562. It names a request and is no secret.
func newID() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := make([]byte, 0, 36)
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}

// Logger writes JSON lines from a level on, as every platform's log service reads them: time, level, msg, requestId.
func Logger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // a level that is none is info: settings checks it
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l}))
}

// LogHandler is h with the request's id and trace in every line that is logged with a request's context, by the function
// and by scripts alike.
func LogHandler(h slog.Handler) slog.Handler { return logHandler{h} }

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if c, ok := ctx.Value(callKey{}).(*Call); ok {
		r.AddAttrs(slog.String("requestId", c.RequestID))
		if c.Trace != "" {
			r.AddAttrs(slog.String("traceparent", c.Trace))
		}
	}
	return h.Handler.Handle(ctx, r)
}

func (h logHandler) WithAttrs(a []slog.Attr) slog.Handler { return logHandler{h.Handler.WithAttrs(a)} }

func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
