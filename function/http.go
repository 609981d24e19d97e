package function

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scorefn/scorefn/function/tensor"
)

// Handler serves f over HTTP, the same on every platform:
//
//	GET  /                                    Healthy, at once, whatever is being scored
//	POST /score                               {"data": …} → the answer as JSON; GET takes the parameters from the query
//	POST /                                    the same: function URLs and Cloud Functions call the root
//	GET  /swagger.json?version=2|3|3.1        the API's description
//	POST /models/NAME[/versions/V]/score      one of several models; …/swagger.json describes it
//	GET  /ping, POST /invocations             SageMaker and MLflow
//	GET  /v1/models[/NAME[/versions/V]]       TensorFlow Serving and KServe 1, with POST …:predict
//
// Request ids, CORS, statuses and texts are those of Azure Machine Learning's inference server. Every error is JSON,
// {"message": "…"} ({"error": "…"} below /v1), with the status of its [Kind].
func Handler(f *Function) http.Handler {
	h := &handler{f: f, cors: newCORS(f.settings.CORSOrigins)}
	h.routes = h.table()
	return h
}

type handler struct {
	f      *Function
	cors   cors
	routes map[string]*route
}

// exchange is one request on its way through the handler.
type exchange struct {
	w      http.ResponseWriter
	r      *http.Request
	call   *Call
	target target

	start   time.Time
	status  int
	in, out int // bytes of the bodies

	own    Call      // call, unless the platform has made one
	values [8]string // what the answer's headers point to
	used   int       // of values
}

// one is the value of a header.
func (x *exchange) one(v string) []string {
	if x.used == len(x.values) {
		return []string{v}
	}
	x.values[x.used] = v
	x.used++
	return x.values[x.used-1 : x.used : x.used]
}

// handlerFunc answers a request, or returns the error that is to be answered; then it has written nothing.
type handlerFunc func(x *exchange) error

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{w: w, start: time.Now(), target: target{route: nowhere, pattern: "none"}}
	ctx, c := withCall(r.Context(), &x.own)
	x.r, x.call = r.WithContext(ctx), c
	c.Header, c.Trace = r.Header, first(r.Header, "Traceparent")
	if err := h.serve(x); err != nil {
		h.fail(x, err)
	}
	h.log(x)
}

func (h *handler) serve(x *exchange) error {
	header := x.w.Header()
	if id := first(x.r.Header, headerTraceID); id != "" {
		header[headerTraceID] = []string{id}
	}
	if err := x.ids(); err != nil {
		return err
	}
	preflight := h.cors.head(header, x.r)
	found := h.find(x)
	if !found {
		return Errorf(NotFound, "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.")
	}
	if h.f.settings.VersionHeader {
		header[headerServerVersion] = serverVersion
	}
	if preflight {
		x.failed(false)
		return x.write(http.StatusOK, "text/html; charset=utf-8", nil)
	}
	if serve, ok := x.target.methods[x.r.Method]; ok {
		return serve(x)
	}
	allow := strings.Join(slices.Sorted(maps.Keys(x.target.methods)), ", ")
	header.Set("Allow", allow)
	return Errorf(NotAllowed, "The method is not allowed for the requested URL.")
}

// serverVersion is the value of x-ms-server-version.
var serverVersion = []string{"scorefn/" + Version}

// write answers with a body.
func (x *exchange) write(status int, contentType string, body []byte) error {
	header := x.w.Header()
	header["Content-Type"] = x.one(contentType)
	header["Content-Length"] = x.one(strconv.Itoa(len(body)))
	x.status, x.out = status, len(body)
	x.w.WriteHeader(status)
	if x.r.Method == http.MethodHead || len(body) == 0 {
		return nil
	}
	if _, err := x.w.Write(body); err != nil {
		return &Error{Kind: Canceled, Msg: "The caller went away.", Err: err}
	}
	return nil
}

// failed says in the answer whether the script failed, in Python's spelling.
func (x *exchange) failed(did bool) {
	v := "False"
	if did {
		v = "True"
	}
	x.w.Header()[headerRunFailed] = x.one(v)
}

func health(x *exchange) error {
	return x.write(http.StatusOK, "text/html; charset=utf-8", []byte("Healthy"))
}

// options answers OPTIONS for a route that has no handler of its own for it.
func options(x *exchange) error {
	x.w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(x.target.methods)), ", "))
	return x.write(http.StatusOK, "text/html; charset=utf-8", nil)
}

func scoreOptions(x *exchange) error {
	x.failed(false)
	return x.write(http.StatusOK, "text/html; charset=utf-8", nil)
}

// buffers holds the memory of bodies and answers between requests.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer struct{ body, answer []byte }

// keepBuffer is the largest body or answer whose memory goes back to the pool.
const keepBuffer = 8 << 20

func (b *buffer) release() {
	if cap(b.body) > keepBuffer {
		b.body = nil
	}
	if cap(b.answer) > keepBuffer {
		b.answer = nil
	}
	buffers.Put(b)
}

// score reads a request, scores it and answers.
func (h *handler) score(x *exchange) (err error) {
	b := buffers.Get().(*buffer)
	defer b.release()
	req := Request{
		Model: x.target.model, Version: x.target.version, bareList: x.target.bareList,
		ContentType: first(x.r.Header, "Content-Type"), Accept: first(x.r.Header, "Accept"),
	}
	if x.r.Method == http.MethodGet {
		req.ContentType = jsonType
		req.Body, err = queryBody(x.r.URL.RawQuery)
	} else {
		b.body, err = readBody(b.body[:0], x.r, h.f.settings.MaxBody)
		req.Body = b.body
	}
	if err != nil {
		return err
	}
	x.in = len(req.Body)
	answer, err := h.f.Append(x.r.Context(), b.answer[:0], req)
	if err != nil {
		return h.asEntryScript(x, err)
	}
	b.answer = answer.Body
	x.failed(false)
	x.took()
	return x.write(http.StatusOK, answer.ContentType, answer.Body)
}

// took answers how long run() took.
func (x *exchange) took() {
	c := x.call
	if c.ran {
		x.w.Header()[headerRunMS] = x.one(strconv.FormatFloat(float64(c.ended.Sub(c.started))/1e6, 'f', 3, 64))
	}
}

// entryScript is the value of SCOREFN_ERRORS with which errors look as those of the documented score.py: it catches every
// exception and returns its text.
const entryScript = "entry-script"

func (h *handler) asEntryScript(x *exchange, err error) error {
	e := AsError(err)
	if h.f.settings.Errors != entryScript || e.Kind != Invalid && e.Kind != Internal && e.Kind != Unsupported {
		return err
	}
	text := e.Msg
	if e.Kind == Internal && e.Err != nil {
		text = e.Err.Error()
	}
	body, err := tensor.AppendString(nil, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil {
		return err
	}
	x.failed(false)
	if !x.call.ran { // the sample's try block is inside run()
		x.call.ran, x.call.started, x.call.ended = true, x.start, time.Now()
	}
	x.took()
	return x.write(http.StatusOK, jsonType, body)
}

// fail answers an error and logs what the caller does not see.
func (h *handler) fail(x *exchange, err error) {
	e := AsError(err)
	level := slog.LevelDebug
	if e.Kind == Internal || e.Kind == Timeout || e.Kind == Unavailable && e.Err != nil {
		level = slog.LevelError
	}
	h.f.log().LogAttrs(x.r.Context(), level, "request failed", slog.String("kind", e.Kind.String()), slog.String("error", err.Error()))
	if x.status != 0 { // the answer was under way
		return
	}
	header := x.w.Header()
	if e.Kind == TooLarge {
		header.Set("Connection", "close") // the rest of the body is not read
	}
	if e.Kind == Unavailable {
		header.Set("Retry-After", strconv.Itoa(int(max(e.RetryAfter+time.Second-1, time.Second)/time.Second)))
	}
	x.failed(e.Kind == Timeout || e.Kind == Internal && e.Msg == msgScript)
	_ = x.write(e.Kind.Status(), jsonType, message(x.target.errorKey(), e.Msg)) // the caller may be gone: there is nothing else to do
}

// message is {"message": "…"}: one space after the colon, as the reference server writes it.
func message(key, text string) []byte {
	b := []byte(`{"` + key + `": `)
	quoted, err := tensor.AppendString(b, strings.ToValidUTF8(text, "\uFFFD"))
	if err != nil { // cannot happen: the text is valid UTF-8
		quoted = append(b, `""`...)
	}
	return append(quoted, '}')
}

// log writes the access log: one line a request, health probes apart, never with a body or a key of it.
func (h *handler) log(x *exchange) {
	ctx := x.r.Context()
	if !h.f.settings.AccessLog || x.target.quiet || !h.f.log().Enabled(ctx, slog.LevelInfo) {
		return
	}
	c := x.call
	attrs := make([]slog.Attr, 0, 16)
	attrs = append(attrs, slog.String("method", x.r.Method), slog.String("route", x.target.pattern), slog.Int("status", x.status),
		slog.Int("bytesIn", x.in), slog.Int("bytesOut", x.out), ms("ms", time.Since(x.start)))
	if c.model != "" {
		attrs = append(attrs, slog.String("model", c.model), slog.String("version", c.version), slog.Bool("cold", c.cold))
	}
	if !c.ended.IsZero() {
		attrs = append(attrs, ms("queueMs", c.started.Sub(c.queued)))
		from := c.started
		if !c.decoded.IsZero() {
			attrs = append(attrs, ms("decodeMs", c.decoded.Sub(from)))
			from = c.decoded
		}
		to := c.ended
		if !c.inferred.IsZero() {
			to = c.inferred
		}
		attrs = append(attrs, ms("runMs", to.Sub(from)), ms("encodeMs", time.Since(to)))
	}
	h.f.log().LogAttrs(ctx, slog.LevelInfo, "request", attrs...)
}

// ms is a duration in milliseconds with three decimals.
func ms(name string, d time.Duration) slog.Attr {
	return slog.Float64(name, float64(d.Microseconds())/1e3)
}
