// Package s3dir serves a folder as an S3 endpoint: DIR/bucket/key is the object s3://bucket/key. It owns the part of the API
// that a function needs, path style: GetObject, HeadObject, PutObject with If-None-Match and If-Match, DeleteObject,
// ListObjectsV2, and buckets as folders (docs.aws.amazon.com/AmazonS3/latest/API). Signatures are not checked; the checksums
// of a body are. Metadata is not kept: the content type follows from the name.
package s3dir

import (
	"encoding/xml"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
)

// Server is a folder as http.Handler.
type Server struct {
	root *os.Root // nothing outside is reachable, through links neither
	put  func(bucket string, o Object)

	mu sync.Mutex // between the look at what is there and the change of it
}

// Object is what was put.
type Object struct {
	Key  string
	Size int64
	ETag string // without quotes
}

// Open serves dir, which must be there. Put, unless it is nil, is told of every object after it was put.
func Open(dir string, put func(bucket string, o Object)) (*Server, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if put == nil {
		put = func(string, Object) {}
	}
	return &Server{root: root, put: put}, nil
}

// Close gives the folder back.
func (s *Server) Close() error { return s.root.Close() }

// MakeBucket makes the folder of a bucket unless it is there.
func (s *Server) MakeBucket(name string) error {
	if !validBucket(name) {
		return &s3Error{http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid: " + name}
	}
	err := s.root.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// s3Error is an error of the API: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
type s3Error struct {
	status  int
	code    string
	message string
}

func (e *s3Error) Error() string { return e.code + ": " + e.message }

var (
	errNoKey        = &s3Error{http.StatusNotFound, "NoSuchKey", "The specified key does not exist."}
	errPrecondition = &s3Error{http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"}
	errUnknown      = &s3Error{http.StatusNotImplemented, "NotImplemented", "the emulator does not know this operation"}
)

func noBucket(name string) error {
	return &s3Error{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist: make the folder " + name}
}

// ServeHTTP takes path-style requests: /bucket/key.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var err error
	switch {
	case bucket == "":
		err = s.listBuckets(w, r)
	case !validBucket(bucket):
		err = &s3Error{http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid."}
	case key == "":
		err = s.bucket(w, r, bucket)
	default:
		err = s.object(w, r, bucket, key)
	}
	if err != nil {
		fail(w, r, err)
	}
}

func (s *Server) object(w http.ResponseWriter, r *http.Request, bucket, key string) error {
	if !validKey(key) {
		return &s3Error{http.StatusBadRequest, "InvalidArgument", "this key has no place in a folder: " + key}
	}
	if q := r.URL.Query(); q.Has("uploads") || q.Has("uploadId") || q.Has("tagging") || q.Has("acl") || r.Header.Get("X-Amz-Copy-Source") != "" {
		return errUnknown
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return s.get(w, r, bucket, key)
	case http.MethodPut:
		return s.putObject(w, r, bucket, key)
	case http.MethodDelete:
		return s.remove(w, bucket, key)
	}
	return errUnknown
}

func (s *Server) bucket(w http.ResponseWriter, r *http.Request, bucket string) error {
	switch r.Method {
	case http.MethodHead:
		return s.needBucket(bucket)
	case http.MethodPut:
		return s.MakeBucket(bucket)
	case http.MethodGet:
		return s.list(w, r, bucket)
	}
	return errUnknown
}

func (s *Server) needBucket(name string) error {
	info, err := s.root.Stat(name)
	if err != nil || !info.IsDir() {
		return noBucket(name)
	}
	return nil
}

// validBucket takes S3's names; none of them can begin with a dot, as the temporary folder does.
func validBucket(name string) bool {
	if len(name) < 3 || len(name) > 63 {
		return false
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return name[0] != '.' && name[0] != '-' && !strings.Contains(name, "..")
}

// validKey takes the keys that are paths of files: no empty part, no dot parts, no slash at the end.
func validKey(key string) bool {
	return fs.ValidPath(key) && key != "." && len(key) <= 1024 && !strings.ContainsAny(key, "\x00\\")
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*s3Error](err)
	if !ok {
		e = &s3Error{http.StatusInternalServerError, "InternalError", err.Error()}
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(e.status)
		return
	}
	writeXML(w, e.status, struct {
		XMLName  xml.Name `xml:"Error"`
		Code     string
		Message  string
		Resource string
	}{Code: e.code, Message: e.message, Resource: r.URL.Path})
}

func writeXML(w http.ResponseWriter, status int, v any) {
	b, err := xml.Marshal(v)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), b...)) // a caller that left
}
