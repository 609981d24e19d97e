package function

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// readBody appends the request's body to dst, unpacked. limit holds for what is sent and for what it unpacks to.
func readBody(dst []byte, r *http.Request, limit int) ([]byte, error) {
	if r.ContentLength > int64(limit) {
		return dst, tooLarge(limit)
	}
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	switch encoding {
	case "", "identity":
		return readAll(dst, r.Body, int(r.ContentLength), limit, r.Context())
	case "gzip", "x-gzip", "deflate":
	default:
		return dst, Errorf(Unsupported, "The Content-Encoding %.50q is not understood: expected gzip, deflate or none.", encoding)
	}
	u := unpackers.Get().(*unpacker)
	defer u.release()
	var err error
	if u.packed, err = readAll(u.packed[:0], r.Body, int(r.ContentLength), limit, r.Context()); err != nil {
		return dst, err
	}
	from, err := u.open(encoding)
	if err != nil {
		return dst, notPacked(encoding, err)
	}
	dst, err = readAll(dst, from, 4*len(u.packed), limit, r.Context())
	if e, ok := errors.AsType[*Error](err); ok && e.Kind != TooLarge {
		err = notPacked(encoding, e.Err)
	}
	return dst, err
}

func notPacked(encoding string, err error) error {
	return &Error{Kind: Invalid, Msg: "The request body is not valid " + encoding + ".", Err: err}
}

// unpacker is the memory of one packed body.
type unpacker struct {
	packed []byte
	src    bytes.Reader
	gzip   gzip.Reader
}

var unpackers = sync.Pool{New: func() any { return new(unpacker) }}

func (u *unpacker) release() {
	u.src.Reset(nil)
	if cap(u.packed) > keepBuffer {
		u.packed = nil
	}
	unpackers.Put(u)
}

// open reads what is packed. Deflate is zlib by the standard (RFC 9110, 8.4.1.2), and bare by the habit of some clients.
func (u *unpacker) open(encoding string) (io.Reader, error) {
	u.src.Reset(u.packed)
	if encoding != "deflate" {
		return &u.gzip, u.gzip.Reset(&u.src)
	}
	if z, err := zlib.NewReader(&u.src); err == nil {
		return z, nil
	}
	u.src.Reset(u.packed)
	return flate.NewReader(&u.src), nil
}

// readAll appends what from gives to dst. Memory is set aside for the length that was announced, but never for more than
// twice what has arrived: a header alone must not cost memory.
func readAll(dst []byte, from io.Reader, length, limit int, ctx context.Context) ([]byte, error) { //nolint:revive // the context is only for the error
	const start = 1 << 20
	whole := max(min(length, limit), 511) + 1 // one byte more: the read that finds the end needs room
	dst = slices.Grow(dst, min(whole, start))
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(min(whole-len(dst), len(dst)), 1))
		}
		n, err := from.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst) > limit {
			return dst, tooLarge(limit)
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, unread(ctx, err)
		}
	}
}

func tooLarge(limit int) error {
	return Errorf(TooLarge, "The request body is larger than %d bytes, the limit of this service (SCOREFN_MAX_BODY).", limit)
}

// unread is the error of a body that did not arrive whole.
func unread(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &Error{Kind: Canceled, Msg: "The request was canceled.", Err: err}
	}
	return &Error{Kind: Invalid, Msg: "The request body could not be read: it ended early or was malformed.", Err: err}
}
