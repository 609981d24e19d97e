package azure

import (
	"cmp"
	"net/url"
	"strings"
)

// segment is one part of a route template (ASP.NET Core, "Routing", route templates): a literal, {name}, {name?}, {*rest}.
type segment struct {
	literal  string
	param    bool
	optional bool
	rest     bool // takes all that follows
}

func parseRoute(route string) []segment {
	var out []segment
	for part := range strings.SplitSeq(strings.Trim(route, "/"), "/") {
		s := segment{literal: part}
		if strings.Contains(part, "{") {
			s = segment{
				param:    true,
				optional: strings.HasSuffix(part, "?}") || strings.Contains(part, "="),
				rest:     strings.HasPrefix(part, "{*"),
			}
		}
		if part != "" {
			out = append(out, s)
		}
	}
	return out
}

// moreSpecific orders functions as the host tries their routes: literals before parameters before the rest.
func moreSpecific(a, b *fn) int {
	weight := func(s segment) int {
		switch {
		case s.rest:
			return 2
		case s.param:
			return 1
		}
		return 0
	}
	for i := range min(len(a.route), len(b.route)) {
		if c := weight(a.route[i]) - weight(b.route[i]); c != 0 {
			return c
		}
	}
	return cmp.Or(len(b.route)-len(a.route), strings.Compare(a.name, b.name))
}

// match is the path, escaped as it came, in the spelling of the route. The host's routing ignores case and a slash at the end.
func (f *fn) match(path string) (canonical string, ok bool) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
	if parts[0] == "" {
		parts = parts[1:]
	}
	var b strings.Builder
	for i, s := range f.route {
		switch {
		case s.rest:
			for _, p := range parts[min(i, len(parts)):] {
				b.WriteString("/" + p)
			}
			return b.String(), true
		case i >= len(parts):
			if !s.optional {
				return "", false
			}
			continue
		case !s.param && !strings.EqualFold(s.literal, parts[i]), s.param && parts[i] == "":
			return "", false
		case s.param:
			b.WriteString("/" + parts[i])
		default:
			b.WriteString("/" + s.literal)
		}
	}
	return b.String(), len(parts) <= len(f.route)
}

// open tells a route that ends in {*rest}: what stands there is a path of the core's, right or wrong.
func (f *fn) open() bool { return len(f.route) > 0 && f.route[len(f.route)-1].rest }

// find is the HTTP function that the host forwards a path to, and the path that the core knows it under.
func (a *app) find(method, path string) (*fn, string) {
	rest, ok := cutPrefix(path, a.prefix)
	if !ok {
		return nil, path
	}
	for _, f := range a.routes {
		if canonical, ok := f.match(rest); ok && f.serves(method) {
			return f, f.corePath(canonical)
		}
	}
	return nil, cmp.Or(rest, "/")
}

// cutPrefix takes the route prefix off a path; false when it does not stand there.
func cutPrefix(path, prefix string) (string, bool) {
	if prefix == "" {
		return path, true
	}
	n := len(prefix) + 1
	if len(path) < n || !strings.EqualFold(path[1:n], prefix) || len(path) > n && path[n] != '/' {
		return path, false
	}
	return path[n:], true
}

// corePath is the core's path for one of the function: the same where the core has such a route, else that of scoring,
// whatever the function is called.
func (f *fn) corePath(path string) string {
	if path == "" {
		return "/"
	}
	if f.open() || coreRoute(path) {
		return path
	}
	return "/score"
}

// coreRoute tells the paths that function.Handler answers.
func coreRoute(path string) bool {
	switch path {
	case "/score", "/swagger.json", "/ping", "/invocations", "/v2", "/v1/models":
		return true
	}
	return strings.HasPrefix(path, "/models/") || strings.HasPrefix(path, "/v1/models/") || strings.HasPrefix(path, "/v2/")
}

// withPath is u with another path, which is escaped.
func withPath(u *url.URL, path string) *url.URL {
	out := *u
	out.Path, out.RawPath = path, ""
	if plain, err := url.PathUnescape(path); err == nil {
		out.Path, out.RawPath = plain, path
	}
	return &out
}

// withoutKey is a query without the function's key, which is the host's business and belongs in no log.
func withoutKey(query string) string {
	if !strings.Contains(strings.ToLower(query), "code") && !strings.Contains(query, "%") {
		return query
	}
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if !strings.EqualFold(name, "code") {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}
