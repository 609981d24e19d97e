package azureemu

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// route is an HTTP function's path (ASP.NET's templates: {name}, {name?}, {*rest}, {name:constraint}, {name=default}).
type route struct {
	f        *Function
	template string // below the prefix
	segments []segment
}

type segment struct {
	literal string
	param   string
	what    *regexp.Regexp // of a parameter with a constraint that is known
	like    string         // a value of the parameter
	rest    bool           // {*rest}
	missing bool           // may be absent
}

// constraints are those of ASP.NET that decide by the form of the text; others let everything through.
var constraints = sync.OnceValue(func() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"int": regexp.MustCompile(`^[+-]?\d{1,10}$`), "long": regexp.MustCompile(`^[+-]?\d{1,19}$`), "alpha": regexp.MustCompile(`^[A-Za-z]*$`),
		"bool": regexp.MustCompile(`(?i)^(true|false)$`), "guid": regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
	}
})

// likes are values that constraints let through.
var likes = map[string]string{"int": "1", "long": "1", "alpha": "a", "bool": "true", "guid": "00000000-0000-0000-0000-000000000000"}

// routes are those of all HTTP functions, the more literal ones first, as ASP.NET orders them.
func (a *App) routes() []route {
	var all []route
	for _, f := range a.Functions {
		if !f.isHTTP() {
			continue
		}
		path := f.Name
		if f.Trigger.Route != nil && *f.Trigger.Route != "" {
			path = *f.Trigger.Route
		}
		r := route{f: f, template: strings.Trim(path, "/")}
		for s := range strings.SplitSeq(strings.Trim(a.Host.RoutePrefix+"/"+r.template, "/"), "/") {
			r.segments = append(r.segments, parseSegment(s))
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b route) int { return strings.Compare(a.rank(), b.rank()) })
	return all
}

// rank orders routes: literal before parameter before the rest of the path.
func (r *route) rank() string {
	var b strings.Builder
	for _, s := range r.segments {
		switch {
		case s.rest:
			b.WriteByte('3')
		case s.param != "":
			b.WriteByte('2')
		default:
			b.WriteByte('1')
		}
	}
	return b.String()
}

func parseSegment(s string) segment {
	name, ok := strings.CutPrefix(s, "{")
	if !ok || !strings.HasSuffix(name, "}") {
		return segment{literal: s}
	}
	name = strings.TrimSuffix(name, "}")
	var seg segment
	if name, seg.rest = strings.CutPrefix(name, "*"); seg.rest {
		name = strings.TrimPrefix(name, "*")
		seg.missing = true
	}
	if cut, ok := strings.CutSuffix(name, "?"); ok {
		name, seg.missing = cut, true
	}
	if cut, _, ok := strings.Cut(name, "="); ok {
		name, seg.missing = cut, true
	}
	name, rest, _ := strings.Cut(name, ":")
	constraint, _, _ := strings.Cut(rest, ":") // there may be several
	seg.param, seg.what, seg.like = name, constraints()[constraint], cmp.Or(likes[constraint], name)
	return seg
}

// match compares a path; params has a nil for what is absent.
func (r *route) match(path string) (params map[string]*string, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if parts[0] == "" {
		parts = nil
	}
	params = map[string]*string{}
	for i, s := range r.segments {
		switch {
		case s.rest:
			if i <= len(parts) {
				rest := strings.Join(parts[i:], "/")
				params[s.param] = &rest
				return params, true
			}
			return nil, false
		case i >= len(parts):
			if !s.missing {
				return nil, false
			}
			params[s.param] = nil
		case s.param == "":
			if !strings.EqualFold(s.literal, parts[i]) {
				return nil, false
			}
		default:
			if s.what != nil && !s.what.MatchString(parts[i]) {
				return nil, false
			}
			params[s.param] = &parts[i]
		}
	}
	return params, len(parts) <= len(r.segments)
}

func (r *route) allows(method string) bool {
	m := r.f.Trigger.Methods
	return len(m) == 0 || slices.ContainsFunc(m, func(s string) bool { return strings.EqualFold(s, method) })
}

// example is a path that matches.
func (r *route) example() string {
	var b strings.Builder
	for _, s := range r.segments {
		switch {
		case s.literal != "":
			b.WriteString("/" + s.literal)
		case !s.missing:
			b.WriteString("/" + s.like)
		}
	}
	return b.String()
}

// method is the first that the function takes.
func (r *route) method() string {
	if r.allows(http.MethodPost) {
		return http.MethodPost
	}
	return strings.ToUpper(r.f.Trigger.Methods[0])
}
