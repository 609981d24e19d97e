package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// asked is what an HTTP handler saw.
type asked struct {
	Method, Host, Path, Query, Remote, Body string
	Header                                  http.Header
}

func see(tb testing.TB, name string, payload []byte, prefix string) asked {
	tb.Helper()
	h := newTest(tb, nil)
	var got asked
	h.http = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || int64(len(body)) != r.ContentLength {
			tb.Errorf("%s: body of %d bytes, ContentLength %d, %v", name, len(body), r.ContentLength, err)
		}
		got = asked{r.Method, r.Host, r.URL.Path, r.URL.RawQuery, r.RemoteAddr, string(body), r.Header.Clone()}
	})
	e := classify(payload)
	d, ok := doors[e.kind]
	if !ok {
		tb.Fatalf("%s is %v", name, e.kind)
	}
	r := request{header: http.Header{}}
	if err := d.decode(e, &r); err != nil {
		tb.Fatal(err)
	}
	body, err := appendBody(nil, e)
	if err != nil {
		tb.Fatal(err)
	}
	h.http.ServeHTTP(nil, r.http(tb.Context(), body, prefix))
	return got
}

func TestHTTPRequests(t *testing.T) {
	t.Parallel()
	const body = `{"data": 21}`
	for name, want := range map[string]asked{
		"http-api":     {"POST", "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", "/score", "a=1&a=2&b=x%20y", "192.0.2.7", body, nil},
		"function-url": {"POST", "abcdefghijklmnop.lambda-url.eu-central-1.on.aws", "/", "", "192.0.2.7", body, nil},
		"rest-api":     {"POST", "r9s8t7u6v5.execute-api.eu-central-1.amazonaws.com", "/score", "a=1&a=2&b=x+y", "192.0.2.7", body, nil},
		"alb":          {"POST", "score-1234567890.eu-central-1.elb.amazonaws.com", "/score", "a=2&b=x%20y", "", body, nil},
		"alb-multi":    {"POST", "score-1234567890.eu-central-1.elb.amazonaws.com", "/score", "a=1&a=2&b=x%20y", "", body, nil},
	} {
		got := see(t, name, fixture(t, name), "")
		if got.Header.Get("Content-Type") != "application/json" || got.Header.Get("X-Forwarded-For") != "192.0.2.7" || got.Header.Get("Host") != "" {
			t.Errorf("%s: headers %v", name, got.Header)
		}
		if list := got.Header["X-List"]; (name == "rest-api" || name == "alb-multi") && !reflect.DeepEqual(list, []string{"one", "two"}) {
			t.Errorf("%s: X-List %v", name, list)
		}
		if cookie := got.Header.Get("Cookie"); name == "http-api" && cookie != "session=abc; theme=dark" {
			t.Errorf("%s: Cookie %q", name, cookie)
		}
		got.Header = nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
}

func TestHTTPPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ stage, path, prefix, want string }{
		{"$default", "/score", "", "/score"},
		{"prod", "/prod/score", "", "/score"},
		{"prod", "/prod", "", "/"},
		{"prod", "/production/score", "", "/production/score"},
		{"$default", "", "", "/"},
		{"$default", "/api/score", "/api", "/score"},
		{"$default", "/api", "api/", "/"},
		{"$default", "/apiary/score", "/api", "/apiary/score"},
		{"$default", "/models/a%2Fb/score", "", "/models/a/b/score"},
		{"$default", "/models/50%/score", "", "/models/50%/score"},
	} {
		payload, err := json.Marshal(map[string]any{
			"routeKey": "$default", "rawPath": tt.path,
			"requestContext": map[string]any{"stage": tt.stage, "http": map[string]string{"method": "GET"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := see(t, tt.path, payload, tt.prefix); got.Path != tt.want {
			t.Errorf("%+v: got %q", tt, got.Path)
		}
	}
}

// reply is an answer of any door.
type reply struct {
	StatusCode        int
	StatusDescription string
	Headers           map[string]string
	MultiValueHeaders map[string][]string
	Cookies           []string
	Body              string
	IsBase64Encoded   bool
}

func decoded(tb testing.TB, out []byte, err error) reply {
	tb.Helper()
	var r reply
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		tb.Fatalf("%v: %.200s", err, out)
	}
	return r
}

func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, contentType, encoding, body, want string
		base64                                  bool
	}{
		{"json", "application/json", "", `{"a": "ü\"\n"}`, `{"a": "ü\"\n"}`, false},
		{"text", "text/csv; charset=utf-8", "", "a,b\n", "a,b\n", false},
		{"bytes", "application/x-npy", "", "\x93NUMPY", base64.StdEncoding.EncodeToString([]byte("\x93NUMPY")), true},
		{"packed", "application/json", "gzip", "\x1f\x8b", "H4s=", true},
		{"text that is not UTF-8", "text/plain", "", "\xff", "/w==", true},
		{"nothing", "text/html", "", "", "", false},
	} {
		for _, door := range []string{"http-api", "function-url", "rest-api", "alb", "alb-multi"} {
			t.Run(tt.name+" "+door, func(t *testing.T) {
				t.Parallel()
				h := newTest(t, nil)
				h.http = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", tt.contentType)
					if tt.encoding != "" {
						w.Header().Set("Content-Encoding", tt.encoding)
					}
					w.Header().Set("Content-Length", "1")
					w.Header().Set("Connection", "close")
					w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
					w.Header()["Vary"] = []string{"Origin", "Accept"}
					w.WriteHeader(418)
					w.WriteHeader(500)
					b := []byte(tt.body)
					_, _ = w.Write(b)
					clear(b)
				})
				out, err := invoke(t, h, fixture(t, door))
				got := decoded(t, out, err)
				want := reply{StatusCode: 418, Body: tt.want, IsBase64Encoded: tt.base64}
				single := map[string]string{"Content-Type": tt.contentType}
				if tt.encoding != "" {
					single["Content-Encoding"] = tt.encoding
				}
				switch door {
				case "http-api", "function-url":
					single["Vary"] = "Origin,Accept"
					want.Headers, want.Cookies = single, []string{"a=1", "b=2"}
				case "rest-api":
					want.Headers = single
					want.MultiValueHeaders = map[string][]string{"Set-Cookie": {"a=1", "b=2"}, "Vary": {"Origin", "Accept"}}
				case "alb":
					single["Vary"], single["Set-Cookie"] = "Origin,Accept", "a=1,b=2"
					want.Headers = single
				case "alb-multi":
					want.MultiValueHeaders = map[string][]string{"Set-Cookie": {"a=1", "b=2"}, "Vary": {"Origin", "Accept"}}
					for k, v := range single {
						want.MultiValueHeaders[k] = []string{v}
					}
				}
				if strings.HasPrefix(door, "alb") {
					want.StatusDescription = "418 I'm a teapot"
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
			})
		}
	}
}

// The doors' answers, as the types of aws-lambda-go read them.
func TestHTTPScores(t *testing.T) {
	t.Parallel()
	const id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
	for _, door := range []string{"http-api", "function-url", "rest-api", "alb", "alb-multi"} {
		out, err := invoke(t, newTest(t, nil), fixture(t, door))
		r := decoded(t, out, err)
		got := r.Headers["X-Request-Id"]
		if door == "alb-multi" {
			got = strings.Join(r.MultiValueHeaders["X-Request-Id"], ",")
		}
		if r.StatusCode != 200 || r.Body != "42" || r.IsBase64Encoded || got != id {
			t.Errorf("%s: got %s", door, out)
		}
	}
}

func TestHTTPMistakesOfTheEvent(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		`{"requestContext":{"http":{"method":"POST"}},"rawPath":"/score","body":"!","isBase64Encoded":true}`,
		`{"requestContext":{"http":{"method":1}},"rawPath":"/score"}`,
		`{"requestContext":{"http":{"method":"POST"}},"rawPath":"/score","headers":{"a":1}}`,
		`{"requestContext":{"elb":{}},"httpMethod":"POST","path":"/score","body":{}}`,
	} {
		out, err := invoke(t, newTest(t, nil), []byte(payload))
		if r := decoded(t, out, err); r.StatusCode != 400 || !strings.HasPrefix(r.Body, `{"message": "The event of AWS Lambda`) {
			t.Errorf("%s: got %s", payload, out)
		}
	}
}

func TestHTTPMethods(t *testing.T) {
	t.Parallel()
	h := newTest(t, nil)
	for _, tt := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/", 200, "Healthy"},
		{"HEAD", "/", 200, ""},
		{"PUT", "/score", 405, `{"message": "The method is not allowed for the requested URL."}`},
	} {
		payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{
			RouteKey: "$default", RawPath: tt.path,
			RequestContext: events.APIGatewayV2HTTPRequestContext{
				Stage: "$default", HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: tt.method},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := invoke(t, h, payload)
		if r := decoded(t, out, err); r.StatusCode != tt.status || r.Body != tt.body {
			t.Errorf("%s %s: got %s", tt.method, tt.path, out)
		}
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	h := newTest(t, map[string]string{"SCOREFN_STREAM": "true"})
	for _, tt := range []struct{ fixture, body, contentType string }{
		{"function-url", "42", streamType},
		{"rest-api", "42", streamType},
		{"direct", "42", "application/json"},
	} {
		a, err := h.serve(t.Context(), fixture(t, tt.fixture))
		if err != nil {
			t.Fatal(err)
		}
		s := newStreamed(a)
		out, err := io.ReadAll(s)
		if err != nil || s.ContentType() != tt.contentType {
			t.Fatalf("%s: %v, %s", tt.fixture, err, s.ContentType())
		}
		if tt.contentType == streamType {
			head, body, ok := bytes.Cut(out, make([]byte, 8))
			if r := decoded(t, head, nil); !ok || r.StatusCode != 200 || r.Headers["Content-Type"] != "application/json" {
				t.Errorf("%s: head %s", tt.fixture, head)
			}
			out = body
		}
		if string(out) != tt.body {
			t.Errorf("%s: got %s", tt.fixture, out)
		}
		if _, err := json.Marshal(s); err == nil {
			t.Error("aws-lambda-go would send it as JSON")
		}
	}
	out, err := invoke(t, h, fixture(t, "http-api")) // buffered as ever
	if r := decoded(t, out, err); r.Body != "42" {
		t.Errorf("got %s", out)
	}
	large := bytes.Replace(fixture(t, "rest-api"), []byte(`21}`), []byte(`\"large\"}`), 1)
	if a, err := h.serve(t.Context(), large); err != nil || len(a.body) != 7<<20+2 {
		t.Errorf("7 MB: %d bytes, %v", len(a.body), err)
	}
}
