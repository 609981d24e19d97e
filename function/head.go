package function

import (
	"net/http"
	"slices"
	"strings"
)

// The headers of the contract (azureml_inference_server_http, server/routes.py and docs/AzureMLInferenceServer.md), in
// net/http's spelling.
const (
	headerRequestID       = "X-Request-Id"
	headerMSRequestID     = "X-Ms-Request-Id"
	headerClientRequestID = "X-Ms-Client-Request-Id"
	headerRunFailed       = "X-Ms-Run-Function-Failed"
	headerRunMS           = "X-Ms-Run-Fn-Exec-Ms"
	headerServerVersion   = "X-Ms-Server-Version"
	headerTraceID         = "Traceid"
)

// longestID is the longest request id that is taken.
const longestID = 100

// ids answers the request's ids and puts the one of this request into its call. The three headers answer for each other: one that
// was not sent takes the value of a more specific one that was. An empty one was not sent.
func (x *exchange) ids() error {
	c, to, from := x.call, x.w.Header(), x.r.Header
	id, ms, client := first(from, headerRequestID), first(from, headerMSRequestID), first(from, headerClientRequestID)
	if len(id) > longestID {
		return &Error{Kind: HeaderTooLarge, Msg: "x-request-id must not exceed 100 characters"}
	}
	if id != "" {
		c.RequestID = id
	}
	to[headerRequestID] = x.one(c.RequestID)
	if len(ms) > longestID || len(client) > longestID {
		return &Error{Kind: HeaderTooLarge, Msg: "x-ms-request-id and x-ms-client-request-id must not exceed 100 characters"}
	}
	switch {
	case ms != "" && client == "":
		client = ms
	case ms == "" && client != "":
		ms = client
	case ms == "":
		ms = c.RequestID
	}
	to[headerMSRequestID] = x.one(ms)
	if client != "" {
		to[headerClientRequestID] = x.one(client)
	}
	return nil
}

// first is the first value of a header, "" when there is none.
func first(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// cors answers for the origins that AML_CORS_ORIGINS lists, as given: no scheme is added.
type cors struct {
	any     bool
	origins []string
}

func newCORS(list string) cors {
	var c cors
	for o := range strings.SplitSeq(list, ",") {
		if o = strings.TrimSpace(o); o == "*" {
			c.any = true
		} else if o != "" {
			c.origins = append(c.origins, o)
		}
	}
	return c
}

// head sets the CORS headers of an answer. preflight tells that the request only asks what it may send: the answer is
// complete then.
func (c cors) head(to http.Header, r *http.Request) (preflight bool) {
	if !c.any && len(c.origins) == 0 {
		return false
	}
	origin := r.Header.Get("Origin")
	preflight = r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if !c.any || origin != "" {
		to.Add("Vary", "Origin")
	}
	switch {
	case origin == "" && c.any:
		to.Set("Access-Control-Allow-Origin", "*")
		return false
	case origin == "", !c.any && !slices.Contains(c.origins, origin):
		return preflight
	}
	to.Set("Access-Control-Allow-Origin", origin)
	if !preflight {
		return false
	}
	if m := r.Header.Get("Access-Control-Request-Method"); m != http.MethodGet && m != http.MethodPost {
		return true
	}
	to.Set("Access-Control-Allow-Methods", "GET, POST")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		var names []string
		for n := range strings.SplitSeq(asked, ",") {
			if n = strings.TrimSpace(n); n != "" {
				names = append(names, n)
			}
		}
		slices.Sort(names)
		to.Set("Access-Control-Allow-Headers", strings.Join(names, ", "))
	}
	return true
}
