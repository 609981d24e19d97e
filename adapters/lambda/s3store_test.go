package lambda

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/blob/blobtest"
)

// fakeS3 answers GET and PUT as Amazon S3 does, with buckets in the path. A key with "status-N" in it is answered N.
type fakeS3 struct {
	mu       sync.Mutex
	objects  map[string]s3Object // by escaped path and version
	requests []string
}

type s3Object struct {
	contentType string
	body        []byte
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	path := r.URL.EscapedPath()
	f.requests = append(f.requests, r.Method+" "+path)
	var status int
	if _, after, ok := strings.Cut(path, "status-"); ok {
		_, _ = fmt.Sscan(after, &status)
		fail(w, status, "Code"+after)
		return
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		fail(w, http.StatusForbidden, "AccessDenied")
		return
	}
	name := path + r.URL.Query().Get("versionId")
	o, there := f.objects[name]
	switch {
	case r.Method == http.MethodPut && r.Header.Get("If-None-Match") != "*":
		fail(w, http.StatusBadRequest, "InvalidRequest")
	case r.Method == http.MethodPut && there:
		fail(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		f.objects[name] = s3Object{r.Header.Get("Content-Type"), body}
	case !there:
		fail(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("Content-Type", o.contentType)
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(o.body)))
		_, _ = w.Write(o.body)
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

// newFakeS3 is a store whose client is the SDK's own and talks to a fake.
func newFakeS3(tb testing.TB) (*s3Store, *fakeS3) {
	tb.Helper()
	fake := &fakeS3{objects: map[string]s3Object{}}
	server := httptest.NewServer(fake)
	tb.Cleanup(server.Close)
	s := newS3(awsEnvironment(server.URL))
	s.configure = func(o *s3.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 2
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	return s, fake
}

// awsEnvironment is what AWS Lambda sets, and an endpoint.
func awsEnvironment(endpoint string) func(string) string {
	env := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL_S3": endpoint,
	}
	return func(name string) string { return env[name] }
}

func TestS3Store(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) (blob.Store, string) {
		t.Helper()
		s, _ := newFakeS3(t)
		return s, "s3://bucket/prefix"
	})
}

func TestS3StoreErrors(t *testing.T) {
	t.Parallel()
	s, _ := newFakeS3(t)
	for _, tt := range []struct {
		url       string
		want, put error // nil: none of the sentinels
	}{
		{"s3://bucket/status-404", blob.ErrNotFound, blob.ErrNotFound},
		{"s3://bucket/status-412", blob.ErrExists, blob.ErrExists},
		{"s3://bucket/status-409", blob.ErrTemporary, blob.ErrTemporary},
		{"s3://bucket/status-429", blob.ErrTemporary, blob.ErrTemporary},
		{"s3://bucket/status-500", blob.ErrTemporary, blob.ErrTemporary},
		{"s3://bucket/status-503", blob.ErrTemporary, blob.ErrTemporary},
		{"s3://bucket/status-403", nil, nil},
		{"s3://bucket", blob.ErrUnsupported, blob.ErrUnsupported},
		{"s3://bucket/", blob.ErrUnsupported, blob.ErrUnsupported},
		{"s3:///key", blob.ErrUnsupported, blob.ErrUnsupported},
		{"gs://bucket/key", blob.ErrUnsupported, blob.ErrUnsupported},
		{"key", blob.ErrUnsupported, blob.ErrUnsupported},
	} {
		_, err := s.Get(t.Context(), tt.url)
		check(t, "Get "+tt.url, err, tt.want)
		check(t, "Put "+tt.url, s.Put(t.Context(), tt.url, "", []byte("x")), tt.put)
	}
}

func check(t *testing.T, what string, err, want error) {
	t.Helper()
	for _, e := range []error{blob.ErrNotFound, blob.ErrExists, blob.ErrTemporary, blob.ErrUnsupported} {
		if err == nil || errors.Is(err, e) != (e == want) { //nolint:errorlint // the very one
			t.Errorf("%s: got %v, want %v", what, err, want)
			return
		}
	}
}

func TestS3ServerThatIsGone(t *testing.T) {
	t.Parallel()
	s, _ := newFakeS3(t)
	s.getenv = awsEnvironment("http://127.0.0.1:1")
	_, err := s.Get(t.Context(), "s3://bucket/key")
	check(t, "Get", err, blob.ErrTemporary)
}

func TestS3Versions(t *testing.T) {
	t.Parallel()
	s, fake := newFakeS3(t)
	fake.objects["/inputs/a.json"] = s3Object{"application/json", []byte(`{"data":100}`)}
	fake.objects["/inputs/a.jsonv1"] = s3Object{"application/json", []byte(`{"data":1}`)}
	const event = `{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"inputs"},"object":{"key":"a.json","versionId":"%s"}}}]}`
	for version, want := range map[string]string{"v1": "2", "null": "200"} {
		out, err := invoke(t, newTest(t, nil, WithStore(s)), fmt.Appendf(nil, event, version))
		if err != nil || !strings.Contains(string(out), `"result":`+want+"}") {
			t.Errorf("version %s: got %s %v, want %s", version, out, err, want)
		}
	}
}

// An object that was replaced while its notifications were on their way is scored once for each of them, as it was then.
func TestS3VersionsOfOneObjectInOneBatch(t *testing.T) {
	t.Parallel()
	s, fake := newFakeS3(t)
	fake.objects["/inputs/a.json"] = s3Object{"application/json", []byte(`{"data":100}`)}
	fake.objects["/inputs/a.jsonv1"] = s3Object{"application/json", []byte(`{"data":1}`)}
	fake.objects["/inputs/a.jsonv2"] = s3Object{"application/json", []byte(`{"data":2}`)}
	const record = `{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"inputs"},"object":{"key":"a.json","versionId":"%s"}}}`
	const event = `{"Records":[` + record + `,` + record + `,` + record + `]}`
	notification := fmt.Sprintf(event, "v2", "v1", "null")
	out, err := invoke(t, newTest(t, nil, WithStore(s)), []byte(notification))
	const result = `{"id":"s3://inputs/a.json","result":%d}`
	if want := fmt.Sprintf(`{"results":[`+result+`,`+result+`,`+result+`]}`, 4, 2, 200); err != nil || string(out) != want {
		t.Errorf("got  %s %v\nwant %s", out, err, want)
	}
	out, err = invoke(t, newTest(t, map[string]string{"SCOREFN_OUTPUT": "s3://scores/out"}, WithStore(s)), sqsOf(t, "q", notification))
	if err != nil || string(out) != `{"batchItemFailures":[]}` {
		t.Errorf("in a message: got %s %v", out, err)
	}
	stored := map[string]bool{}
	for name, o := range fake.objects {
		if strings.HasPrefix(name, "/scores/") {
			stored[string(o.body)] = true
		}
	}
	for _, want := range []string{"4", "2", "200"} {
		if !stored[want] {
			t.Errorf("%s is not among the stored results: %v", want, stored)
		}
	}
}

func TestS3Environment(t *testing.T) {
	t.Parallel()
	fake := &fakeS3{objects: map[string]s3Object{"/inputs/a%20b%2Bc.json": {"", []byte("x")}}}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	h := newTest(t, nil, WithStore(nil), WithEnv(awsEnvironment(server.URL)))
	if _, body, err := blob.Read(t.Context(), h.store, "s3://inputs/a b+c.json", 10); err != nil || string(body) != "x" {
		t.Errorf("got %q %v, asked for %q", body, err, fake.requests)
	}
	unsigned := newS3(func(name string) string { return map[string]string{"AWS_ENDPOINT_URL_S3": server.URL}[name] })
	if _, err := unsigned.Get(t.Context(), "s3://inputs/a b+c.json"); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("without keys: %v", err)
	}
	nothing := newS3(func(string) string { return "" })
	if _, err := nothing.Get(t.Context(), "s3://inputs/a.json"); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("without anything: %v", err)
	}
}
