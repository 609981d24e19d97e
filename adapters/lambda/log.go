package lambda

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Logger writes JSON lines with the keys of AWS Lambda's own: timestamp, level, message, requestId (Lambda developer guide,
// "Log and monitor Go Lambda functions" and "Configuring advanced logging controls"). They are JSON whatever the function's
// log format is: Lambda filters them by level where it is JSON, and passes lines on as they are where it is text.
func Logger(w io.Writer, level string) *slog.Logger {
	return slog.New(logHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: logLevel(level), ReplaceAttr: lambdaKeys})})
}

// logLevel is a level in Lambda's words, TRACE to FATAL, or in slog's; info when it is neither.
func logLevel(text string) slog.Level {
	switch strings.ToUpper(text) {
	case "TRACE":
		return slog.LevelDebug - 4
	case "FATAL":
		return slog.LevelError + 4
	}
	var l slog.Level
	_ = l.UnmarshalText([]byte(cmp.Or(text, "info"))) // one that is none is info: settings checks ours
	return l
}

// lambdaKeys renames slog's keys.
func lambdaKeys(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		return slog.Time("timestamp", a.Value.Time().UTC())
	case slog.MessageKey:
		a.Key = "message"
	}
	return a
}

const requestID = "requestId"

// logHandler puts the invocation's id into every line that is logged in it, under Lambda's key. The core's id of an HTTP
// request is the one that the caller sent, if he sent one: it then stands beside it.
type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return h.Handler.Handle(ctx, r)
	}
	line := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	line.AddAttrs(slog.String(requestID, lc.AwsRequestID))
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == requestID {
			if a.Value.String() == lc.AwsRequestID {
				return true
			}
			a.Key = "callerRequestId"
		}
		line.AddAttrs(a)
		return true
	})
	if trace, ok := ctx.Value("x-amzn-trace-id").(string); ok && trace != "" { // aws-lambda-go's key
		line.AddAttrs(slog.String("xrayTraceId", trace))
	}
	return h.Handler.Handle(ctx, line)
}

func (h logHandler) WithAttrs(a []slog.Attr) slog.Handler { return logHandler{h.Handler.WithAttrs(a)} }

func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
