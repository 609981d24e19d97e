package azure

import (
	"context"
	"io"
	"log/slog"

	"github.com/scorefn/scorefn/function"
)

// Logger writes JSON lines from a level on, with the invocation's id, function and trace in every line that is logged in one.
// They are meant for standard output: the Functions host makes an error of every line on standard error.
func Logger(w io.Writer, level string) *slog.Logger {
	return slog.New(logHandler{function.Logger(w, level).Handler()})
}

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	v, ok := ctx.Value(invocationKey{}).(*Invocation)
	if !ok {
		return h.Handler.Handle(ctx, r)
	}
	traced := v.trace == ""
	r.Attrs(func(a slog.Attr) bool {
		traced = traced || a.Key == "traceparent"
		return true
	})
	line := r.Clone()
	line.AddAttrs(slog.String("invocationId", v.ID))
	if v.Function != "" {
		line.AddAttrs(slog.String("function", v.Function))
	}
	if !traced {
		line.AddAttrs(slog.String("traceparent", v.trace))
	}
	return h.Handler.Handle(ctx, line)
}

func (h logHandler) WithAttrs(a []slog.Attr) slog.Handler { return logHandler{h.Handler.WithAttrs(a)} }

func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
