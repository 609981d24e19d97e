package cloudfunctions

import (
	"context"
	"io"
	"log/slog"
)

// newLogger writes JSON lines as Cloud Logging reads them: time, severity, message, and the special fields that group the
// lines of a request (Cloud Logging documentation, "Structured logging" and "Special fields in the JSON payload").
func newLogger(w io.Writer, level string, project func(context.Context) string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // a level that is none is info: settings checks it
	return slog.New(logHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l, ReplaceAttr: googleKeys}), project})
}

// googleKeys renames slog's keys.
func googleKeys(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		return slog.Time(slog.TimeKey, a.Value.Time().UTC())
	case slog.MessageKey:
		a.Key = "message"
	case slog.LevelKey:
		if l, ok := a.Value.Any().(slog.Level); ok {
			return slog.String("severity", severity(l))
		}
	}
	return a
}

// severity is a level in Cloud Logging's words.
func severity(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "DEBUG"
	case l < slog.LevelWarn:
		return "INFO"
	case l < slog.LevelError:
		return "WARNING"
	case l == slog.LevelError:
		return "ERROR"
	}
	return "CRITICAL"
}

// logHandler puts the request's ids, and the event's, into every line that is logged in it, by the function and by scripts
// alike.
type logHandler struct {
	slog.Handler
	project func(context.Context) string
}

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	i, ok := ctx.Value(idsKey{}).(ids)
	if !ok {
		return h.Handler.Handle(ctx, r)
	}
	r = r.Clone()
	if i.trace != "" {
		trace := i.trace
		if project := h.project(ctx); project != "" {
			trace = "projects/" + project + "/traces/" + trace
		}
		r.AddAttrs(slog.String("logging.googleapis.com/trace", trace), slog.Bool("logging.googleapis.com/trace_sampled", i.sampled))
	}
	if i.span != "" {
		r.AddAttrs(slog.String("logging.googleapis.com/spanId", i.span))
	}
	labels := []any{slog.String("execution_id", i.execution)}
	if e, ok := EventFrom(ctx); ok {
		labels = append(labels, slog.String("event_id", e.ID), slog.String("event_source", e.Source), slog.String("event_type", e.Type))
	}
	r.AddAttrs(slog.Group("logging.googleapis.com/labels", labels...))
	return h.Handler.Handle(ctx, r)
}

func (h logHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(a), h.project}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name), h.project}
}
