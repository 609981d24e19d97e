package azure

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// Invocation is what the Functions host says about the call that is being scored.
type Invocation struct {
	Function string          // name of the function: its folder; "" where the app's files do not tell
	ID       string          // the host's X-Azure-Functions-InvocationId
	Trigger  string          // type of its trigger in function.json, such as queueTrigger; "" where that is not known
	Metadata json.RawMessage // the trigger's metadata as the host sent them, most values JSON inside strings; nil for a request that was forwarded

	trace string
}

type invocationKey struct{}

// InvocationFrom is the invocation that ctx belongs to; false when there is none. A script that wants more than the data calls
// it, and must not keep Metadata after Run returns.
func InvocationFrom(ctx context.Context) (Invocation, bool) {
	if v, ok := ctx.Value(invocationKey{}).(*Invocation); ok {
		return *v, true
	}
	return Invocation{}, false
}

const (
	headerInvocation = "X-Azure-Functions-Invocationid" // in net/http's spelling
	headerKey        = "X-Functions-Key"
	longestID        = 100 // what the core takes of a caller
)

// invocationID is the host's id of a request. In forwarding mode the host adds its own behind whatever the caller sent under
// that name: the last part of the list is the host's.
func invocationID(h http.Header) string {
	values := h[headerInvocation]
	if len(values) == 0 {
		return ""
	}
	id := values[len(values)-1]
	id = strings.TrimSpace(id[strings.LastIndexByte(id, ',')+1:])
	return id[:min(len(id), longestID)]
}
