package function

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"sync"
)

// smallestPacked is the smallest answer that is worth packing.
const smallestPacked = 1024

// packed answers with a body in the coding that the request asks for. Only a request that names gzip or deflate alone asks:
// most clients list every coding that they know whatever the body, and tensors pack badly.
func (x *exchange) packed(status int, contentType string, body []byte) error {
	pool := packers[strings.ToLower(strings.TrimSpace(x.r.Header.Get("Accept-Encoding")))]
	if pool == nil {
		return x.write(status, contentType, body)
	}
	x.w.Header().Add("Vary", "Accept-Encoding")
	if len(body) < smallestPacked {
		return x.write(status, contentType, body)
	}
	p := pool.Get().(packer)
	defer pool.Put(p)
	var out appender
	p.Reset(&out)
	_, err := p.Write(body)
	if err == nil {
		err = p.Close()
	}
	if err != nil { // memory does not fail
		return &Error{Kind: Internal, Msg: msgInternal, Err: err}
	}
	x.w.Header().Set("Content-Encoding", strings.ToLower(strings.TrimSpace(x.r.Header.Get("Accept-Encoding"))))
	return x.write(status, contentType, out)
}

type packer interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// packers makes and keeps the writers of a coding.
var packers = map[string]*sync.Pool{
	"gzip": {New: func() any {
		w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
		return w
	}},
	"deflate": {New: func() any {
		w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed)
		return w
	}},
}

// appender is a writer into memory.
type appender []byte

func (a *appender) Write(b []byte) (int, error) {
	*a = append(*a, b...)
	return len(b), nil
}
