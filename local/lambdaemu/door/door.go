// Package door is the front doors of a Lambda function: it turns plain HTTP into the event that API Gateway, a load balancer
// or a function URL makes of it, and the function's answer back into HTTP, with the statuses that these services have for
// answers they cannot use. It invokes through package lambdaemu.
package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

// Kind is a service in front of the function.
type Kind int

// The services. A function URL has two invoke modes, a target group with a function has multi-value headers on or off.
const (
	HTTPAPI       Kind = iota // API Gateway HTTP API, payload format 2.0
	RESTAPI                   // API Gateway REST API, proxy integration
	RESTAPIStream             // with response transfer mode STREAM
	ALB
	ALBMultiValue
	FunctionURL
	FunctionURLStream // RESPONSE_STREAM
)

// Door is a kind and where it is found in the emulator.
type Door struct {
	Kind   Kind
	Prefix string // of the path; the event has the path without it
	What   string
}

// Doors lists them all.
func Doors() []Door {
	return []Door{
		{HTTPAPI, "/http-api", "API Gateway HTTP API, payload format 2.0"},
		{RESTAPI, "/rest-api", "API Gateway REST API (format 1.0)"},
		{RESTAPIStream, "/rest-api-stream", "the same, response streaming"},
		{ALB, "/alb", "Application Load Balancer"},
		{ALBMultiValue, "/alb-multi", "the same with multi-value headers"},
		{FunctionURL, "/function-url", "function URL, BUFFERED"},
		{FunctionURLStream, "/function-url-stream", "function URL, RESPONSE_STREAM"},
	}
}

// Invoker is the function: *lambdaemu.Emulator.
type Invoker interface {
	Invoke(ctx context.Context, c lambdaemu.Call) (*lambdaemu.Answer, error)
}

// service is what the services do differently.
type service struct {
	event     func(in) ([]byte, error)
	maxBody   int
	maxAnswer int           // 0: the function's own limit
	patience  time.Duration // 0: the function's own timeout
	tooLarge  fault
	refused   fault // the Invoke API did not accept the call
	throttled fault
	failed    fault // the function failed, or its answer is of no use
	late      fault
}

// fault is an answer of the service's own.
type fault struct {
	status     int
	kind, body string
}

const (
	jsonType = "application/json"
	mb       = 1024 * 1024
)

// serviceOf has the statuses. API Gateway: docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html, 500 for a
// call that Lambda rejects and 502 for a function error or an answer in the wrong format. Load balancer:
// docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html. Function URL: urls-invocation.html.
func serviceOf(k Kind) service {
	gateway := func(text string) service {
		body := `{"message":"` + text + `"}`
		return service{
			maxBody: 10 * mb, tooLarge: fault{413, jsonType, `{"message":"Request Entity Too Large"}`},
			refused: fault{500, jsonType, body}, throttled: fault{500, jsonType, body}, failed: fault{502, jsonType, body},
		}
	}
	switch k {
	case RESTAPI, RESTAPIStream:
		s := gateway("Internal server error")
		s.event, s.patience, s.late = restEvent, 29*time.Second, fault{504, jsonType, `{"message": "Endpoint request timed out"}`}
		if k == RESTAPIStream {
			s.patience = 15 * time.Minute
		}
		return s
	case ALB, ALBMultiValue:
		multi := k == ALBMultiValue
		return service{
			event:   func(i in) ([]byte, error) { return albEvent(i, multi) },
			maxBody: mb, maxAnswer: mb,
			tooLarge: page(413, "Request Entity Too Large"), refused: page(502, "Bad Gateway"), throttled: page(502, "Bad Gateway"),
			failed: page(502, "Bad Gateway"),
		}
	case FunctionURL, FunctionURLStream:
		body := `{"Message":"Internal Server Error"}`
		return service{
			event: urlEvent, maxBody: lambdaemu.MaxPayload,
			tooLarge:  fault{413, jsonType, `{"Message":"Request Entity Too Large"}`},
			throttled: fault{429, jsonType, `{"Message":"Rate Exceeded."}`},
			refused:   fault{502, jsonType, body}, failed: fault{502, jsonType, body},
		}
	default:
		s := gateway("Internal Server Error")
		s.event, s.patience, s.late = httpAPIEvent, 30*time.Second, fault{503, jsonType, `{"message":"Service Unavailable"}`}
		s.throttled = s.late
		return s
	}
}

func page(status int, title string) fault {
	title = strconv.Itoa(status) + " " + title
	return fault{status, "text/html", "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title + "</h1></center>\r\n</body>\r\n</html>\r\n"}
}

func (f fault) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", f.kind)
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.body) // a caller that left
}

// Event is the event that a request becomes; body is the request's, which is not read here.
func Event(k Kind, r *http.Request, body []byte, now time.Time, requestID string) ([]byte, error) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = "127.0.0.1"
	}
	return serviceOf(k).event(in{r, body, now.UTC(), requestID, host})
}

// in is a request with what the service knows of it.
type in struct {
	r    *http.Request
	body []byte
	now  time.Time
	id   string
	ip   string
}

// Handler serves a kind at the root of its paths. Log, unless it is nil, is told why an answer of the function's was of no
// use: the caller reads a bare 502.
func Handler(k Kind, f Invoker, log func(error)) http.Handler {
	if log == nil {
		log = func(error) {}
	}
	return &handler{k, serviceOf(k), f, log}
}

type handler struct {
	kind    Kind
	service service
	f       Invoker
	log     func(error)
}

// unusable is the end of an answer that cannot be turned into HTTP.
func (h *handler) unusable(w http.ResponseWriter, err error) {
	h.log(fmt.Errorf("%s: %w", h.kind, err))
	h.service.failed.write(w)
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(h.service.maxBody)+1))
	if err != nil {
		return // the caller left in the middle
	}
	if len(body) > h.service.maxBody {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 100*mb)) // a client that still sends would not read the status
		h.service.tooLarge.write(w)
		return
	}
	id := lambdaemu.NewID()
	event, err := Event(h.kind, r, body, time.Now(), id)
	if err != nil {
		h.service.refused.write(w)
		return
	}
	ctx := r.Context()
	if h.service.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, h.service.patience, errLate)
		defer cancel()
	}
	stream := h.kind.streams()
	a, err := h.f.Invoke(ctx, lambdaemu.Call{Payload: event, RequestID: id, TraceID: r.Header.Get("X-Amzn-Trace-Id"), Stream: stream})
	switch {
	case err != nil:
		h.rejected(ctx, w, err)
	case a.FunctionError != "":
		h.unusable(w, fmt.Errorf("function error %s: %.500s", a.ErrorType, a.Payload))
	case stream:
		h.stream(w, r, a)
	default:
		h.buffered(w, r, a)
	}
}

var errLate = errors.New("the service's own limit")

func (h *handler) rejected(ctx context.Context, w http.ResponseWriter, err error) {
	r, ok := errors.AsType[*lambdaemu.RejectedError](err)
	switch {
	case errors.Is(context.Cause(ctx), errLate):
		h.service.late.write(w)
	case ok && r.Status == http.StatusTooManyRequests:
		h.service.throttled.write(w)
	case ok && r.Status == http.StatusRequestEntityTooLarge: // the event is larger than the body that it was made of
		h.service.tooLarge.write(w)
	default:
		h.service.refused.write(w)
	}
}

func (h *handler) buffered(w http.ResponseWriter, r *http.Request, a *lambdaemu.Answer) {
	if limit := h.service.maxAnswer; limit > 0 && len(a.Payload) > limit {
		h.unusable(w, fmt.Errorf("the answer has %d bytes, at most %d are taken", len(a.Payload), limit))
		return
	}
	out, err := parse(h.kind, a)
	if err != nil {
		h.unusable(w, err)
		return
	}
	out.write(w, r)
}

// Mux serves every door under its prefix; log is as for [Handler].
func Mux(f Invoker, log func(error)) *http.ServeMux {
	mux := http.NewServeMux()
	for _, d := range Doors() {
		h := http.StripPrefix(d.Prefix, rooted(Handler(d.Kind, f, log)))
		mux.Handle(d.Prefix+"/", h)
		mux.Handle(d.Prefix, h)
	}
	return mux
}

// rooted makes the path of a bare prefix "/".
func rooted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/") {
			r.URL.Path = "/" + r.URL.Path
		}
		h.ServeHTTP(w, r)
	})
}

func (k Kind) streams() bool { return k == FunctionURLStream || k == RESTAPIStream }

// String is the prefix without its slash.
func (k Kind) String() string {
	for _, d := range Doors() {
		if d.Kind == k {
			return strings.TrimPrefix(d.Prefix, "/")
		}
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}
