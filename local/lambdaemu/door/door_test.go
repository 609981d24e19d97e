package door_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/scorefn/scorefn/local/lambdaemu"
	"github.com/scorefn/scorefn/local/lambdaemu/door"
)

// function is an Invoker in this process.
type function func(ctx context.Context, c lambdaemu.Call) (*lambdaemu.Answer, error)

func (f function) Invoke(ctx context.Context, c lambdaemu.Call) (*lambdaemu.Answer, error) {
	return f(ctx, c)
}

// answers is a function that always answers that.
func answers(payload string) function {
	return func(context.Context, lambdaemu.Call) (*lambdaemu.Answer, error) {
		return &lambdaemu.Answer{Payload: []byte(payload), ContentType: "application/json"}, nil
	}
}

// binary is no UTF-8.
var binary = []byte{0, 1, 0xff, 0xfe, '\n', 0x80}

func serve(t *testing.T, f function) string {
	t.Helper()
	s := httptest.NewServer(door.Mux(f, func(err error) { t.Logf("log: %v", err) }))
	t.Cleanup(s.Close)
	return s.URL
}

// call is a request with everything that is awkward in it, and the event that came of it.
func call(t *testing.T, prefix string, body []byte, kind string) []byte {
	t.Helper()
	var event []byte
	url := serve(t, func(_ context.Context, c lambdaemu.Call) (*lambdaemu.Answer, error) {
		event = c.Payload
		return &lambdaemu.Answer{Payload: []byte(`{"statusCode":200}`)}, nil
	})
	r, err := http.NewRequest("POST", url+prefix+"/v1/sc%20ore?a=1&a=2&b=x%2By", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header["X-Many"] = []string{"one", "two"}
	r.Header.Set("Cookie", "c=1; d=2")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if a.StatusCode != 200 {
		t.Fatalf("%s", a.Status)
	}
	return event
}

func decode[T any](t *testing.T, event []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(event, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestHTTPAPIEvent(t *testing.T) {
	t.Parallel()
	e := decode[events.APIGatewayV2HTTPRequest](t, call(t, "/http-api", []byte(`{"data":"é"}`), "application/json; charset=utf-8"))
	want(t, "version", e.Version, "2.0")
	want(t, "path", e.RawPath, "/v1/sc ore")
	want(t, "query", e.RawQueryString, "a=1&a=2&b=x%2By")
	want(t, "a", e.QueryStringParameters["a"], "1,2")
	want(t, "b", e.QueryStringParameters["b"], "x+y")
	want(t, "x-many", e.Headers["x-many"], "one,two")
	want(t, "cookies", strings.Join(e.Cookies, "|"), "c=1|d=2")
	want(t, "cookie header", e.Headers["cookie"], "")
	want(t, "method", e.RequestContext.HTTP.Method, "POST")
	want(t, "ip", e.RequestContext.HTTP.SourceIP, "127.0.0.1")
	want(t, "body", e.Body, `{"data":"é"}`)
	want(t, "base64", e.IsBase64Encoded, false)
	want(t, "route", e.RouteKey, "$default")
}

func TestRESTEvent(t *testing.T) {
	t.Parallel()
	e := decode[events.APIGatewayProxyRequest](t, call(t, "/rest-api", []byte("a=1"), "application/x-www-form-urlencoded"))
	want(t, "path", e.Path, "/v1/sc ore")
	want(t, "resource", e.Resource, "/{proxy+}")
	want(t, "proxy", e.PathParameters["proxy"], "v1/sc ore")
	want(t, "a", e.QueryStringParameters["a"], "2")
	want(t, "all a", strings.Join(e.MultiValueQueryStringParameters["a"], "|"), "1|2")
	want(t, "X-Many", e.Headers["X-Many"], "two")
	want(t, "all X-Many", strings.Join(e.MultiValueHeaders["X-Many"], "|"), "one|two")
	want(t, "Cookie", e.Headers["Cookie"], "c=1; d=2")
	want(t, "body", e.Body, "a=1")
	want(t, "stage", e.RequestContext.Stage, "prod")
}

func TestALBEvents(t *testing.T) {
	t.Parallel()
	event := call(t, "/alb", []byte("{}"), "application/json")
	e := decode[events.ALBTargetGroupRequest](t, event)
	want(t, "b", e.QueryStringParameters["b"], "x%2By") // not decoded
	want(t, "x-many", e.Headers["x-many"], "two")
	want(t, "multi", len(e.MultiValueHeaders)+len(e.MultiValueQueryStringParameters), 0)
	if e.RequestContext.ELB.TargetGroupArn == "" {
		t.Errorf("%s", event)
	}
	e = decode[events.ALBTargetGroupRequest](t, call(t, "/alb-multi", []byte("{}"), "application/json"))
	want(t, "b", strings.Join(e.MultiValueQueryStringParameters["b"], "|"), "x%2By")
	want(t, "x-many", strings.Join(e.MultiValueHeaders["x-many"], "|"), "one|two")
	want(t, "single", len(e.Headers)+len(e.QueryStringParameters), 0)
}

func TestFunctionURLEvent(t *testing.T) {
	t.Parallel()
	e := decode[events.LambdaFunctionURLRequest](t, call(t, "/function-url", []byte("{}"), "application/json"))
	if !strings.Contains(e.RequestContext.DomainName, ".lambda-url.") || e.RequestContext.AccountID != "anonymous" {
		t.Errorf("%+v", e.RequestContext)
	}
}

func TestBinaryBodiesAreBase64(t *testing.T) {
	t.Parallel()
	for _, d := range door.Doors() {
		for _, kind := range []string{"application/octet-stream", "application/json", ""} { // whatever is declared
			var e struct {
				Body            string
				IsBase64Encoded bool
			}
			if err := json.Unmarshal(call(t, d.Prefix, binary, kind), &e); err != nil {
				t.Fatal(err)
			}
			b, err := base64.StdEncoding.DecodeString(e.Body)
			if err != nil || !e.IsBase64Encoded || !bytes.Equal(b, binary) {
				t.Errorf("%s %s: %+v %v", d.Prefix, kind, e, err)
			}
		}
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// get is the answer to a plain request.
func get(t *testing.T, url string) answer {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{r.StatusCode, r.Header, string(b)}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const http2, rest, alb, multi, furl = "/http-api", "/rest-api", "/alb", "/alb-multi", "/function-url"
	b64 := base64.StdEncoding.EncodeToString(binary)
	for _, c := range []struct {
		name, prefix, answer string
		status               int
		body                 string
		header               http.Header
	}{
		{"an envelope", http2, `{"statusCode":201,"headers":{"content-type":"text/csv","x-n":7},"body":"a,b"}`, 201, "a,b", http.Header{"Content-Type": {"text/csv"}, "X-N": {"7"}}},
		{"binary", http2, `{"statusCode":200,"body":"` + b64 + `","isBase64Encoded":true}`, 200, string(binary), nil},
		{"binary", rest, `{"statusCode":200,"body":"` + b64 + `","isBase64Encoded":true}`, 200, string(binary), nil},
		{"binary", alb, `{"statusCode":200,"body":"` + b64 + `","isBase64Encoded":true}`, 200, string(binary), nil},
		{"cookies", http2, `{"statusCode":200,"cookies":["a=1; Secure","b=2"]}`, 200, "", http.Header{"Set-Cookie": {"a=1; Secure", "b=2"}}},
		{"cookies", furl, `{"statusCode":200,"cookies":["a=1"]}`, 200, "", http.Header{"Set-Cookie": {"a=1"}}},
		{"cookies are not REST's", rest, `{"statusCode":200,"cookies":["a=1"]}`, 200, "", http.Header{"Set-Cookie": nil}},
		{"bare answer", http2, `[1,2]`, 200, "[1,2]", http.Header{"Content-Type": {"application/json"}}},
		{"bare answer", furl, `{"a":1}`, 200, `{"a":1}`, nil},
		{"bare string", http2, `"text"`, 200, "text", nil},
		{"bare answer", rest, `[1,2]`, 502, `{"message":"Internal server error"}`, nil},
		{"no statusCode", rest, `{"body":"x"}`, 502, `{"message":"Internal server error"}`, nil},
		{"no statusCode", alb, `{"body":"x"}`, 502, "", http.Header{"Content-Type": {"text/html"}}},
		{"statusCode in quotes", rest, `{"statusCode":"404"}`, 404, "", nil},
		{"statusCode in quotes", alb, `{"statusCode":"404"}`, 502, "", nil},
		{"malformed statusCode", http2, `{"statusCode":"two"}`, 502, `{"message":"Internal Server Error"}`, nil},
		{"statusCode out of range", furl, `{"statusCode":99}`, 502, `{"Message":"Internal Server Error"}`, nil},
		{"informational", rest, `{"statusCode":101}`, 502, "", nil},
		{"body that is no string", rest, `{"statusCode":200,"body":{"a":1}}`, 502, "", nil},
		{"base64 that is none", http2, `{"statusCode":200,"body":"%","isBase64Encoded":true}`, 502, "", nil},
		{"line break in a header", rest, `{"statusCode":200,"headers":{"a":"b\nc"}}`, 502, "", nil},
		{"both maps", rest, `{"statusCode":200,"headers":{"a":"1"},"multiValueHeaders":{"A":["1","2"]}}`, 200, "", http.Header{"A": {"1", "2"}}},
		{"multi", multi, `{"statusCode":200,"statusDescription":"200 OK","multiValueHeaders":{"set-cookie":["a=1","b=2"]}}`, 200, "", http.Header{"Set-Cookie": {"a=1", "b=2"}}},
		{"headers in multi mode", multi, `{"statusCode":200,"headers":{"a":"1"}}`, 200, "", http.Header{"A": nil}},
		{"multi headers in single mode", alb, `{"statusCode":200,"multiValueHeaders":{"a":["1"]}}`, 200, "", http.Header{"A": nil}},
		{"no body allowed", http2, `{"statusCode":204,"body":"x"}`, 204, "", nil},
		{"not JSON", http2, `nonsense`, 502, "", nil},
		{"large", alb, `{"statusCode":200,"body":"` + strings.Repeat("x", 1<<20) + `"}`, 502, "", nil},
		{"large", rest, `{"statusCode":200,"body":"` + strings.Repeat("x", 1<<20) + `"}`, 200, strings.Repeat("x", 1<<20), nil},
	} {
		t.Run(c.prefix+" "+c.name, func(t *testing.T) {
			t.Parallel()
			got := get(t, serve(t, answers(c.answer))+c.prefix+"/x")
			if got.status != c.status {
				t.Errorf("got %d, want %d", got.status, c.status)
			}
			if got.body != c.body && (c.body != "" || c.status < 500) {
				t.Errorf("got %q", got.body)
			}
			for name, values := range c.header {
				if v := got.header[name]; strings.Join(v, "|") != strings.Join(values, "|") {
					t.Errorf("%s: got %q, want %q", name, v, values)
				}
			}
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	failed := function(func(context.Context, lambdaemu.Call) (*lambdaemu.Answer, error) {
		return &lambdaemu.Answer{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"X"}`)}, nil
	})
	throttled := function(func(context.Context, lambdaemu.Call) (*lambdaemu.Answer, error) {
		return nil, &lambdaemu.RejectedError{Status: 429}
	})
	large := function(func(context.Context, lambdaemu.Call) (*lambdaemu.Answer, error) {
		return nil, &lambdaemu.RejectedError{Status: 413}
	})
	closed := function(func(context.Context, lambdaemu.Call) (*lambdaemu.Answer, error) { return nil, errors.New("closed") })
	for _, c := range []struct {
		prefix                            string
		failed, throttled, large, refused int
	}{
		{"/http-api", 502, 503, 413, 500},
		{"/rest-api", 502, 500, 413, 500},
		{"/rest-api-stream", 502, 500, 413, 500},
		{"/alb", 502, 502, 413, 502},
		{"/alb-multi", 502, 502, 413, 502},
		{"/function-url", 502, 429, 413, 502},
		{"/function-url-stream", 502, 429, 413, 502},
	} {
		for f, status := range map[*function]int{&failed: c.failed, &throttled: c.throttled, &large: c.large, &closed: c.refused} {
			if got := get(t, serve(t, *f)+c.prefix); got.status != status {
				t.Errorf("%s: got %d %s, want %d", c.prefix, got.status, got.body, status)
			}
		}
	}
}

func TestRequestsThatAreTooLarge(t *testing.T) {
	t.Parallel()
	url := serve(t, answers(`{"statusCode":200}`))
	for prefix, limit := range map[string]int{"/alb": 1 << 20, "/http-api": 10 << 20, "/function-url": lambdaemu.MaxPayload} {
		for size, status := range map[int]int{limit: 200, limit + 1: 413} {
			r, err := http.Post(url+prefix, "text/plain", strings.NewReader(strings.Repeat("x", size)))
			if err != nil {
				t.Fatal(err)
			}
			r.Body.Close()
			if r.StatusCode != status {
				t.Errorf("%s, %d bytes: got %s", prefix, size, r.Status)
			}
		}
	}
}
