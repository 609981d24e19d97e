package lambda

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/scorefn/scorefn/function/blob"
)

// s3Store is Amazon S3 as a blob.Store, s3://bucket/key. The client is made on first use: most functions never need it.
//
// Region, keys and endpoint are read here instead of by the SDK's package config: Lambda gives them in the environment, and
// linking what else that package looks for (profiles, single sign-on, instance metadata) costs every cold start a
// millisecond, three quarters of what the SDK costs in all.
type s3Store struct {
	getenv    func(string) string
	configure func(*s3.Options) // by tests

	mu     sync.Mutex
	client *s3.Client
}

func newS3(getenv func(string) string) *s3Store { return &s3Store{getenv: getenv} }

// open makes the client. A failure is not kept.
func (s *s3Store) open() (*s3.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	o := s3.Options{
		Region: s.getenv("AWS_REGION"),
		// Checksums that S3-compatible servers do not know, over a connection that has its own.
		RequestChecksumCalculation: sdk.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: sdk.ResponseChecksumValidationWhenRequired,

		DisableLogOutputChecksumValidationSkipped: true,
	}
	endpoint, id := s.getenv("AWS_ENDPOINT_URL_S3"), s.getenv("AWS_ACCESS_KEY_ID")
	if endpoint != "" {
		o.BaseEndpoint, o.UsePathStyle = &endpoint, true
		o.Region = cmp.Or(o.Region, "us-east-1") // such servers want one, and any will do
	}
	switch {
	case id != "":
		keys := sdk.Credentials{
			AccessKeyID: id, SecretAccessKey: s.getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: s.getenv("AWS_SESSION_TOKEN"),
		}
		o.Credentials = sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) { return keys, nil })
	case endpoint != "":
		o.Credentials = sdk.AnonymousCredentials{}
	}
	if o.Region == "" || o.Credentials == nil {
		return nil, errors.New("lambda: s3: set AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as AWS Lambda does")
	}
	if s.configure != nil {
		s.configure(&o)
	}
	s.client = s3.New(o)
	return s.client, nil
}

// Get opens an object. Its body is read by the caller, from the network.
func (s *s3Store) Get(ctx context.Context, link string) (*blob.Object, error) {
	return s.GetVersion(ctx, link, "")
}

// GetVersion opens a version of an object, "" for the latest: see [blob.Versioned].
func (s *s3Store) GetVersion(ctx context.Context, link, version string) (*blob.Object, error) {
	bucket, key, err := parseURL(link)
	if err != nil {
		return nil, err
	}
	client, err := s.open()
	if err != nil {
		return nil, err
	}
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := client.GetObject(ctx, in)
	if err != nil {
		return nil, storeError(ctx, "get", link, err)
	}
	o := &blob.Object{
		URL: link, ContentType: sdk.ToString(out.ContentType), Size: -1, Body: out.Body,
		Version: sdk.ToString(out.VersionId),
	}
	if out.ContentLength != nil {
		o.Size = *out.ContentLength
	}
	if o.Version == "" {
		o.Version = strings.Trim(sdk.ToString(out.ETag), `"`)
	}
	return o, nil
}

// Put makes an object. One of that name stays as it is, which is blob.ErrExists.
func (s *s3Store) Put(ctx context.Context, link, contentType string, body []byte) error {
	bucket, key, err := parseURL(link)
	if err != nil {
		return err
	}
	client, err := s.open()
	if err != nil {
		return err
	}
	in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body), IfNoneMatch: sdk.String("*")}
	if contentType != "" {
		in.ContentType = &contentType
	}
	if _, err = client.PutObject(ctx, in); err != nil {
		return storeError(ctx, "put", link, err)
	}
	return nil
}

// parseURL takes an object's URL apart.
func parseURL(link string) (bucket, key string, err error) {
	scheme, bucket, key, err := blob.Split(link)
	if err == nil && (scheme != "s3" || bucket == "" || key == "") {
		err = fmt.Errorf("lambda: %w: %q is not s3://bucket/key", blob.ErrUnsupported, link)
	}
	return bucket, key, err
}

// storeError gives an error of the SDK the sentinel that callers branch on (S3 API reference, "Error responses"). S3 denies
// access to an object that does not exist, unless the role may list the bucket: that one is left as it is, with its text.
func storeError(ctx context.Context, verb, link string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("lambda: %s %s: %w", verb, link, context.Cause(ctx))
	}
	var kind error
	status := 0
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		status = r.HTTPStatusCode()
	}
	code := ""
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code = api.ErrorCode()
	}
	switch {
	case status == http.StatusNotFound:
		kind = blob.ErrNotFound
	case status == http.StatusPreconditionFailed:
		kind = blob.ErrExists
	case status == http.StatusConflict, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout,
		status >= http.StatusInternalServerError, code == "SlowDown", code == "RequestTimeout", status == 0 && code == "":
		kind = blob.ErrTemporary
	default:
		return fmt.Errorf("lambda: %s %s: %w", verb, link, err)
	}
	return fmt.Errorf("lambda: %s %s: %w: %w", verb, link, kind, err)
}
