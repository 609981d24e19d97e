package function

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
)

// route is what stands under a path.
type route struct {
	methods  map[string]handlerFunc
	errors   string // key of the text in an error; "" for message
	bareList bool   // a JSON list is a request
	quiet    bool   // not in the access log
}

// target is the route of one request, and the model that its path names.
type target struct {
	*route
	pattern        string // the path with {name} and {version}
	model, version string
}

// nowhere is the route of a path that is none.
var nowhere = &route{}

func (t target) errorKey() string {
	return cmp.Or(t.errors, "message")
}

// The patterns of paths that name a model.
const (
	modelScore   = "/models/{name}/score"
	modelSwagger = "/models/{name}/swagger.json"
	v1Model      = "/v1/models/{name}"
	v1Predict    = "/v1/models/{name}:predict"
)

// table is every route by its path or pattern. Paths are matched exactly: no redirect, no cleaning.
func (h *handler) table() map[string]*route {
	score := &route{methods: map[string]handlerFunc{
		http.MethodGet: h.score, http.MethodPost: h.score, http.MethodOptions: scoreOptions,
	}}
	swagger := &route{methods: map[string]handlerFunc{
		http.MethodGet: h.swagger, http.MethodHead: h.swagger, http.MethodOptions: options,
	}}
	probe := &route{quiet: true, methods: map[string]handlerFunc{http.MethodGet: ping, http.MethodHead: ping, http.MethodOptions: options}}
	t := map[string]*route{
		"/": {quiet: true, methods: map[string]handlerFunc{
			http.MethodGet: health, http.MethodHead: health, http.MethodOptions: options, http.MethodPost: h.score,
		}},
		"/score":        score,
		"/swagger.json": swagger,
		modelScore:      score,
		modelSwagger:    swagger,
		"/ping":         probe,
		"/invocations":  {bareList: true, methods: map[string]handlerFunc{http.MethodPost: h.score, http.MethodOptions: scoreOptions}},
		"/v1/models":    {errors: "error", methods: map[string]handlerFunc{http.MethodGet: h.v1List}},
		v1Model:         {errors: "error", methods: map[string]handlerFunc{http.MethodGet: h.v1Status}},
		v1Predict:       {errors: "error", methods: map[string]handlerFunc{http.MethodPost: h.score, http.MethodOptions: scoreOptions}},
	}
	if path := h.f.settings.HealthRoute; path != "" && t[path] == nil {
		t[path] = probe
	}
	if path := h.f.settings.PredictRoute; path != "" && t[path] == nil {
		t[path] = score
	}
	return t
}

// find sets the target of a request; false when there is none.
func (h *handler) find(x *exchange) bool {
	path := x.r.URL.Path
	if r, ok := h.routes[path]; ok && !strings.Contains(path, "{") {
		x.target = target{route: r, pattern: path}
		return true
	}
	if strings.HasPrefix(path, "/v1/") {
		x.target.route = &route{errors: "error"}
	}
	pattern, model, version, ok := named(x.r.URL.EscapedPath())
	r := h.routes[pattern]
	if !ok || r == nil {
		return false
	}
	x.target = target{route: r, pattern: pattern, model: model, version: version}
	return true
}

// named takes a path apart that names a model: /models/NAME[/versions/V]/score and the like. The names are never made part
// of a file's path.
func named(path string) (pattern, model, version string, ok bool) {
	verb := ""
	rest, v1 := strings.CutPrefix(path, "/v1/models/")
	if v1 {
		rest, verb = cutVerb(rest)
	} else if rest, ok = strings.CutPrefix(path, "/models/"); !ok {
		return "", "", "", false
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		u, err := url.PathUnescape(p)
		if err != nil || u == "" {
			return "", "", "", false
		}
		parts[i] = u
	}
	model, parts = parts[0], parts[1:]
	if len(parts) >= 2 && parts[0] == "versions" {
		version, parts = parts[1], parts[2:]
	}
	switch {
	case v1 && len(parts) == 0 && verb == "":
		return v1Model, model, version, true
	case v1 && len(parts) == 0 && verb == "predict":
		return v1Predict, model, version, true
	case !v1 && len(parts) == 1 && parts[0] == "score":
		return modelScore, model, version, true
	case !v1 && len(parts) == 1 && parts[0] == "swagger.json":
		return modelSwagger, model, version, true
	}
	return "", "", "", false
}

// cutVerb splits "NAME:predict"; the name may hold a colon itself.
func cutVerb(s string) (rest, verb string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.ContainsRune(s[i:], '/') {
		return s, ""
	}
	return s[:i], s[i+1:]
}
