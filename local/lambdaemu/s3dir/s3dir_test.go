package s3dir_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/scorefn/scorefn/local/lambdaemu/s3dir"
)

// serve is an endpoint over an empty folder with the bucket "data", and what was put through it.
func serve(t *testing.T) (url, dir string, put *[]string) {
	t.Helper()
	dir, put = t.TempDir(), new([]string)
	s, err := s3dir.Open(dir, func(bucket string, o s3dir.Object) {
		*put = append(*put, fmt.Sprintf("%s/%s %d %s", bucket, o.Key, o.Size, o.ETag))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.MakeBucket("data"); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return h.URL, dir, put
}

func client(url string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &url, UsePathStyle: true, Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
	})
}

// code is the API's error code.
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestAWSsOwnClient(t *testing.T) {
	t.Parallel()
	url, dir, put := serve(t)
	c, ctx := client(url), t.Context()
	bucket, key, text := aws.String("data"), aws.String("in/a b+ü.json"), "hello"
	w, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader(text), IfNoneMatch: aws.String("*")})
	if err != nil {
		t.Fatal(err)
	}
	const etag = "5d41402abc4b2a76b9719d911017c592"
	if *w.ETag != `"`+etag+`"` {
		t.Errorf("ETag %s", *w.ETag)
	}
	if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("again"), IfNoneMatch: aws.String("*")}); code(err) != "PreconditionFailed" {
		t.Errorf("once more: %v", err)
	}
	if len(*put) != 1 || (*put)[0] != "data/in/a b+ü.json 5 "+etag {
		t.Errorf("put %q", *put)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "data", *key)); err != nil || string(b) != text {
		t.Errorf("file %q %v", b, err)
	}
	r, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r.Body); err != nil || string(b) != text || *r.ContentType != "application/json" {
		t.Errorf("got %q %s %v", b, *r.ContentType, err)
	}
	r.Body.Close()
	h, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key})
	if err != nil || *h.ContentLength != 5 || *h.ETag != `"`+etag+`"` {
		t.Errorf("head %+v %v", h, err)
	}
	part, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=1-2")})
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(part.Body); string(b) != "el" {
		t.Errorf("range %q", b)
	}
	part.Body.Close()
	for range 2 { // twice: it need not be there
		if _, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key}); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}); code(err) != "NoSuchKey" {
		t.Errorf("deleted: %v", err)
	}
	if _, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("other"), Key: key}); code(err) != "NoSuchBucket" {
		t.Errorf("no bucket: %v", err)
	}
	if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key}); code(err) != "NotFound" {
		t.Errorf("head: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	url, _, _ := serve(t)
	c, ctx := client(url), t.Context()
	for _, key := range []string{"a.json", "b/1.json", "b/2.json", "b/c/3.json", "d.json", "e/4.json"} {
		if _, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("data"), Key: &key, Body: strings.NewReader(key)}); err != nil {
			t.Fatal(err)
		}
	}
	list := func(prefix, delimiter string, size int32) string {
		var names []string
		in := &s3.ListObjectsV2Input{Bucket: aws.String("data"), Prefix: &prefix, MaxKeys: &size}
		if delimiter != "" {
			in.Delimiter = &delimiter
		}
		pages := s3.NewListObjectsV2Paginator(c, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Contents {
				names = append(names, *o.Key)
			}
			for _, p := range page.CommonPrefixes {
				names = append(names, *p.Prefix)
			}
			names = append(names, "|")
		}
		return strings.Join(names, " ")
	}
	for _, c := range []struct {
		prefix, delimiter string
		size              int32
		want              string
	}{
		{"", "", 1000, "a.json b/1.json b/2.json b/c/3.json d.json e/4.json |"},
		{"", "/", 1000, "a.json d.json b/ e/ |"},
		{"b/", "/", 1000, "b/1.json b/2.json b/c/ |"},
		{"b", "", 2, "b/1.json b/2.json | b/c/3.json |"},
		{"", "/", 1, "a.json | b/ | d.json | e/ |"},
		{"none", "", 1000, "|"},
	} {
		if got := list(c.prefix, c.delimiter, c.size); got != c.want {
			t.Errorf("prefix %q delimiter %q: got %s, want %s", c.prefix, c.delimiter, got, c.want)
		}
	}
	b, err := c.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil || len(b.Buckets) != 1 || *b.Buckets[0].Name != "data" { // and not the folder of uploads
		t.Errorf("buckets %+v %v", b, err)
	}
}

// do is one plain request.
func do(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(b)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	url, dir, put := serve(t)
	if err := os.WriteFile(filepath.Join(dir, "secret"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, "PUT", url+"/data/file", "x")
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		text                     string
	}{
		{"dots", "GET", "/data/..%2fsecret", "", nil, 400, "InvalidArgument"},
		{"dots", "PUT", "/data/a%2f..%2f..%2fb", "", nil, 400, "InvalidArgument"},
		{"slash at the end", "PUT", "/data/folder/", "", nil, 400, "InvalidArgument"},
		{"object below an object", "PUT", "/data/file/below", "", nil, 409, "OperationAborted"},
		{"object below an object", "GET", "/data/file/below", "", nil, 404, "NoSuchKey"},
		{"uploads folder", "GET", "/.scorefn-uploads/x", "", nil, 400, "InvalidBucketName"},
		{"no bucket", "PUT", "/none/x", "", nil, 404, "NoSuchBucket"},
		{"multipart", "POST", "/data/x?uploads", "", nil, 501, "NotImplemented"},
		{"wrong sha256", "PUT", "/data/x", "x", []string{"X-Amz-Content-Sha256", strings.Repeat("0", 64)}, 400, "XAmzContentSHA256Mismatch"},
		{"wrong md5", "PUT", "/data/x", "x", []string{"Content-Md5", "AAAA"}, 400, "BadDigest"},
		{"wrong crc32", "PUT", "/data/x", "x", []string{"X-Amz-Checksum-Crc32", "AAAAAA=="}, 400, "BadDigest"},
		{"broken chunks", "PUT", "/data/x", "5\r\nab", []string{"X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}, 500, "InternalError"},
		{"no chunks", "PUT", "/data/x", "hello", []string{"X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}, 400, "IncompleteBody"},
		{"if match", "PUT", "/data/file", "y", []string{"If-Match", `"0"`}, 412, "PreconditionFailed"},
		{"if match", "PUT", "/data/none", "y", []string{"If-Match", `"0"`}, 404, "NoSuchKey"},
	} {
		if status, text := do(t, c.method, url+c.path, c.body, c.headers...); status != c.status || !strings.Contains(text, c.text) {
			t.Errorf("%s: got %d %s, want %d %s", c.name, status, text, c.status, c.text)
		}
	}
	if len(*put) != 1 {
		t.Errorf("put %q", *put)
	}
	if left, err := os.ReadDir(filepath.Join(dir, ".scorefn-uploads")); err != nil || len(left) > 0 {
		t.Errorf("uploads left: %v %v", left, err)
	}
}

func TestChunkedUpload(t *testing.T) {
	t.Parallel()
	url, _, _ := serve(t)
	body := "5;chunk-signature=abc\r\nhello\r\n6;chunk-signature=def\r\n world\r\n0;chunk-signature=0\r\n"
	kind := []string{"X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "Content-Encoding", "aws-chunked"}
	if status, text := do(t, "PUT", url+"/data/x", body+"x-amz-checksum-crc32:DUoRhQ==\r\n\r\n", kind...); status != 200 {
		t.Errorf("got %d %s", status, text)
	}
	if _, text := do(t, "GET", url+"/data/x", ""); text != "hello world" {
		t.Errorf("got %q", text)
	}
	if status, text := do(t, "PUT", url+"/data/y", body+"x-amz-checksum-crc32:AAAAAA==\r\n\r\n", kind...); status != 400 || !strings.Contains(text, "BadDigest") {
		t.Errorf("wrong checksum: got %d %s", status, text)
	}
	big := bytes.Repeat([]byte("0123456789"), 100_000)
	if _, err := client(url).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("big"), Body: bytes.NewReader(big)}); err != nil {
		t.Error(err)
	}
	if _, text := do(t, "GET", url+"/data/big", ""); text != string(big) {
		t.Errorf("%d bytes of %d", len(text), len(big))
	}
}
