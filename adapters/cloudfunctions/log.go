package cloudfunctions

import (
	"context"
	"io"
	"log/slog"
	"slices"
)

// newLogger writes JSON lines as Cloud Logging reads them: time, severity, message, and the special fields that group the
// lines of a request (Cloud Logging documentation, "Structured logging" and "Special fields in the JSON payload").
func newLogger(w io.Writer, level string, project func(context.Context) string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // a level that is none is info: settings checks it
	return slog.New(logHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l, ReplaceAttr: googleKeys}), nil, project})
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
// alike. They are in no group of a script's: Cloud Logging looks for them at the top of a line.
type logHandler struct {
	slog.Handler                                   // without the groups
	groups       []func(slog.Handler) slog.Handler // and the attributes in them
	project      func(context.Context) string
}

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	var fields []slog.Attr
	if i, ok := ctx.Value(idsKey{}).(ids); ok {
		fields = h.fields(ctx, i)
	}
	if len(h.groups) == 0 { // what the line is about comes first: people read it
		r = r.Clone()
		r.AddAttrs(fields...)
		return h.Handler.Handle(ctx, r)
	}
	to := h.Handler.WithAttrs(fields)
	for _, add := range h.groups {
		to = add(to)
	}
	return to.Handle(ctx, r)
}

// fields are those that Cloud Logging knows.
func (h logHandler) fields(ctx context.Context, i ids) []slog.Attr {
	var list []slog.Attr
	if i.trace != "" {
		trace := i.trace
		if project := h.project(ctx); project != "" {
			trace = "projects/" + project + "/traces/" + trace
		}
		list = append(list, slog.String("logging.googleapis.com/trace", trace), slog.Bool("logging.googleapis.com/trace_sampled", i.sampled))
	}
	if i.span != "" {
		list = append(list, slog.String("logging.googleapis.com/spanId", i.span))
	}
	labels := []slog.Attr{slog.String("execution_id", i.execution)}
	if e, ok := EventFrom(ctx); ok {
		labels = append(labels, slog.String("event_id", e.ID), slog.String("event_source", e.Source), slog.String("event_type", e.Type))
	}
	return append(list, slog.GroupAttrs("logging.googleapis.com/labels", labels...))
}

// WithAttrs has more attributes.
func (h logHandler) WithAttrs(a []slog.Attr) slog.Handler {
	if len(h.groups) == 0 {
		return logHandler{h.Handler.WithAttrs(a), nil, h.project}
	}
	return h.with(func(to slog.Handler) slog.Handler { return to.WithAttrs(a) })
}

// WithGroup has what follows in a group.
func (h logHandler) WithGroup(name string) slog.Handler {
	return h.with(func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
}

func (h logHandler) with(add func(slog.Handler) slog.Handler) slog.Handler {
	return logHandler{h.Handler, append(slices.Clip(h.groups), add), h.project}
}
