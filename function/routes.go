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
	v2Model      = "/v2/models/{name}"
	v2ModelReady = "/v2/models/{name}/ready"
	v2ModelInfer = "/v2/models/{name}/infer"
	v2ModelStats = "/v2/models/{name}/stats"
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
	v2 := func(method string, serve handlerFunc) *route {
		r := &route{errors: "error", methods: map[string]handlerFunc{method: serve, http.MethodOptions: scoreOptions}}
		if method == http.MethodGet {
			r.methods[http.MethodHead] = serve
		}
		return r
	}
	t["/v2"] = v2(http.MethodGet, v2Server)
	t["/v2/health/live"] = v2(http.MethodGet, v2Live)
	t["/v2/health/ready"] = v2(http.MethodGet, h.v2Ready)
	t["/v2/repository/index"] = v2(http.MethodPost, h.v2Index)
	t["/v2/models/stats"] = v2(http.MethodGet, h.v2Stats)
	t[v2Model] = v2(http.MethodGet, h.v2Metadata)
	t[v2ModelReady] = v2(http.MethodGet, h.v2Ready)
	t[v2ModelInfer] = v2(http.MethodPost, h.v2Infer)
	t[v2ModelStats] = v2(http.MethodGet, h.v2Stats)
	t["/v2/health/live"].quiet, t["/v2/health/ready"].quiet, t[v2ModelReady].quiet = true, true, true
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
	if strings.HasPrefix(path, "/v2") { // clients of this protocol differ in trailing slashes
		path = strings.TrimRight(path, "/")
	}
	if r, ok := h.routes[path]; ok && !strings.Contains(path, "{") {
		x.target = target{route: r, pattern: path}
		return true
	}
	if strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/v2") {
		x.target.route = &route{errors: "error"}
	}
	escaped := x.r.URL.EscapedPath()
	if strings.HasPrefix(escaped, "/v2") {
		escaped = strings.TrimRight(escaped, "/")
	}
	pattern, model, version, ok := named(escaped)
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
	family, verb := "", ""
	for _, f := range []string{"/models/", "/v1/models/", "/v2/models/"} {
		if rest, found := strings.CutPrefix(path, f); found {
			family, path = f, rest
		}
	}
	switch family {
	case "":
		return "", "", "", false
	case "/v1/models/":
		path, verb = cutVerb(path)
	}
	parts := strings.Split(path, "/")
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
	pattern = family + "{name}"
	switch len(parts) {
	case 0:
	case 1:
		pattern += "/" + parts[0]
	default:
		return "", "", "", false
	}
	if verb != "" {
		pattern += ":" + verb
	}
	return pattern, model, version, true
}

// cutVerb splits "NAME:predict"; the name may hold a colon itself.
func cutVerb(s string) (rest, verb string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.ContainsRune(s[i:], '/') {
		return s, ""
	}
	return s[:i], s[i+1:]
}
