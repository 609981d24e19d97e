package cloudfunctions

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// ids are what Google's log viewer groups the lines of one request by.
type ids struct {
	execution   string
	trace, span string // hexadecimal; "" for none
	sampled     bool
}

type idsKey struct{}

func withIDs(ctx context.Context, i ids) context.Context { return context.WithValue(ctx, idsKey{}, i) }

// longestExecution is the longest execution id that is taken from a request: it becomes the request's id, which the core
// bounds at 100.
const longestExecution = 64

// identify reads the ids of a request: Function-Execution-Id of Cloud Functions, made up where there is none; traceparent
// (W3C Trace Context), else X-Cloud-Trace-Context.
func identify(h http.Header) ids {
	i := ids{execution: h.Get("Function-Execution-Id")}
	if i.execution == "" || len(i.execution) > longestExecution || strings.Trim(i.execution, idLetters) != "" {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		i.execution = hex.EncodeToString(b[:])
	}
	if !i.traceParent(h.Get("Traceparent")) {
		i.cloudTrace(h.Get("X-Cloud-Trace-Context"))
	}
	return i
}

const (
	hexDigits = "0123456789abcdef"
	idLetters = hexDigits + "ghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
)

// traceParent reads 00-TRACE-SPAN-FLAGS; false when the text is none.
func (i *ids) traceParent(text string) bool {
	parts := strings.Split(text, "-")
	if len(parts) < 4 || len(parts[0]) != 2 || !isID(parts[1], 32) || !isID(parts[2], 16) || len(parts[3]) != 2 {
		return false
	}
	flags, err := strconv.ParseUint(parts[3], 16, 8)
	if err != nil || parts[0] == "ff" || parts[0] == "00" && len(parts) > 4 {
		return false
	}
	i.trace, i.span, i.sampled = parts[1], parts[2], flags&1 == 1
	return true
}

// cloudTrace reads TRACE/SPAN;o=OPTIONS (Cloud Trace documentation, "Trace context"), where the span is a decimal number,
// or 16 hexadecimal digits as newer senders write it, and may be missing.
func (i *ids) cloudTrace(text string) {
	text, options, _ := strings.Cut(text, ";")
	trace, span, _ := strings.Cut(text, "/")
	trace = strings.ToLower(trace)
	if !isID(trace, 32) {
		return
	}
	i.trace, i.sampled = trace, options == "o=1"
	if n, err := strconv.ParseUint(span, 10, 64); err == nil && n != 0 {
		i.span = fmt.Sprintf("%016x", n)
	} else if isID(span, 16) {
		i.span = span
	}
}

// isID tells a trace's or a span's id: so many hexadecimal digits, not all of them 0.
func isID(text string, length int) bool {
	return len(text) == length && strings.Trim(text, hexDigits) == "" && strings.Trim(text, "0") != ""
}
