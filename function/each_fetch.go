package function

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/scorefn/scorefn/function/blob"
)

const (
	linesType = "application/x-ndjson"
	rawType   = "application/octet-stream"
)

// extensions are the names that tell what an object is when its store does not know.
var extensions = map[string]string{
	".json":   jsonType,
	".jsonl":  linesType,
	".ndjson": linesType,
	".csv":    "text/csv",
	".npy":    "application/x-npy",
	".png":    "image/png",
	".jpg":    "image/jpeg",
	".jpeg":   "image/jpeg",
	".webp":   "image/webp",
	".bin":    rawType,
	".raw":    rawType,
}

// fetch makes the object of an item the request's body and returns the object's version.
func (f *Function) fetch(ctx context.Context, r *Request, item *Item, e *Events) (version string, err error) {
	url := item.URL
	if e.Store == nil {
		return "", Errorf(Unsupported, "There is no store to get %s from.", blob.Redact(url))
	}
	o, body, err := blob.Read(ctx, blob.At(e.Store, item.ObjectVersion), url, e.MaxObject)
	if err != nil {
		return "", unfetched(ctx, err, url, e.MaxObject)
	}
	name := url
	if _, _, key, err := blob.Split(url); err == nil {
		name = key // without a query
	}
	ext := strings.ToLower(path.Ext(name))
	packed := ext == ".gz"
	if packed {
		ext = strings.ToLower(path.Ext(name[:len(name)-len(ext)]))
	}
	r.ContentType = contentType(r.ContentType, o.ContentType, extensions[ext])
	// A store may have unpacked a .gz on the way, and may have packed a .json: the first bytes know. Only in the bytes of a
	// tensor they may mean a number.
	if isGzip(body) && (packed || mediaType(r.ContentType) != rawType) {
		if body, err = gunzip(ctx, body, e.MaxObject); err != nil {
			return "", unfetched(ctx, err, url, e.MaxObject)
		}
	}
	r.Body = body
	return o.Version, nil
}

// contentType is the first type that says something: what the event says, what the store says, what the name says. Stores say
// application/octet-stream and others like it of what they were told nothing about.
func contentType(event, stored, byName string) string {
	for _, t := range []string{event, stored} {
		if m := mediaType(t); isJSON(m) || isLines(m) || m == "text/csv" || m == "application/x-npy" || strings.HasPrefix(m, "image/") {
			return t
		}
	}
	if byName == "" && (mediaType(event) == rawType || mediaType(stored) == rawType) {
		return rawType // bytes of a tensor, or JSON, which is told by its braces
	}
	return byName
}

// isLines tells a media type that is JSON, a value a line.
func isLines(media string) bool {
	switch media {
	case linesType, "application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines",
		"application/x-jsonlines", "application/json-lines":
		return true
	}
	return false
}

func isGzip(body []byte) bool {
	return len(body) > 2 && body[0] == 0x1f && body[1] == 0x8b && body[2] == 8
}

var errGzip = errors.New("not valid gzip")

// gunzip unpacks no more than limit bytes.
func gunzip(ctx context.Context, packed []byte, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errGzip
	}
	var out bytes.Buffer
	for {
		n, err := io.CopyN(&out, z, min(1<<20, limit+1-int64(out.Len())))
		switch {
		case int64(out.Len()) > limit:
			return nil, blob.ErrTooLarge
		case err == io.EOF: //nolint:errorlint // CopyN returns it bare
			return out.Bytes(), nil
		case err != nil:
			return nil, errGzip
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case n == 0:
			return nil, errGzip
		}
	}
}

// unfetched is blobError for an object that was to be read within a limit.
func unfetched(ctx context.Context, err error, url string, limit int64) error {
	switch {
	case errors.Is(err, blob.ErrTooLarge):
		return &Error{Kind: TooLarge, Msg: fmt.Sprintf("The object %s is larger than %d bytes, the limit of this service.", blob.Redact(url), limit), Err: err}
	case errors.Is(err, errGzip):
		return &Error{Kind: Invalid, Msg: "The object " + blob.Redact(url) + " is not valid gzip.", Err: err}
	}
	return blobError(ctx, err, url)
}

// blobError gives a store's error its kind.
func blobError(ctx context.Context, err error, url string) error {
	if ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.Is(err, ctx.Err())) {
		return context.Cause(ctx)
	}
	if _, ok := errors.AsType[*Error](err); ok { // a store that knows better
		return err
	}
	e := &Error{Kind: Internal, Msg: msgInternal, Err: err}
	switch url = blob.Redact(url); {
	case errors.Is(err, blob.ErrNotFound):
		e.Kind, e.Msg = NotFound, "The object "+url+" was not found."
	case errors.Is(err, blob.ErrUnsupported):
		e.Kind, e.Msg = Unsupported, "There is no store for the object "+url+", or its name is none there."
	case errors.Is(err, blob.ErrTooLarge):
		e.Kind, e.Msg = TooLarge, "The object "+url+" is too large for its store."
	case errors.Is(err, blob.ErrTemporary):
		e.Kind, e.Msg = Unavailable, "The store of the object "+url+" did not answer. Try again later."
	}
	return e
}
