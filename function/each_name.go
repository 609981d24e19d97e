package function

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/scorefn/scorefn/function/blob"
)

// source is where a result comes from.
type source struct {
	id, url, version string
	body             []byte
}

// storeResult puts an answer below the sink. One that is there already is a redelivery's: the same source has the same name.
func storeResult(ctx context.Context, e *Events, s source, r Response) (string, error) {
	url := blob.Join(e.Sink, s.name()+resultExtension(r.ContentType))
	if e.Store == nil {
		return "", Errorf(Unsupported, "There is no store to put %s into.", blob.Redact(url))
	}
	err := e.Store.Put(ctx, url, r.ContentType, r.Body)
	if errors.Is(err, blob.ErrNotFound) { // the bucket is: once somebody makes it the item can be stored, so that it must not be lost
		return "", &Error{Kind: Unavailable, Msg: "The place for results " + blob.Redact(e.Sink) + " was not found.", Err: err}
	}
	if err != nil && !errors.Is(err, blob.ErrExists) {
		return "", blobError(ctx, err, url)
	}
	return blob.Redact(url), nil
}

// resultExtension is how the name of a result ends. It has one dot, so that the rest of the name is the source's.
func resultExtension(contentType string) string {
	switch media := mediaType(contentType); media {
	case linesType:
		return ".jsonl"
	case "text/csv":
		return ".csv"
	case "application/x-npy":
		return ".npy"
	case rawType:
		return ".bin"
	}
	return ".json"
}

// Longer names are cut: file systems end at 255 bytes a part, stores at 1024 a key.
const (
	longestPart = 150
	longestName = 700
)

// name is the part of a result's name that is its source's. Equal sources have equal names, others have others, and none
// leads out of the sink or hides a file:
//
//   - an object is bucket/key (of http and https: host/path, and @@hash of the query where there is one), and @version where
//     the store has versions: an object that was replaced is another source;
//   - a message is its ID, of which a slash is no folder; without one, the hash of its body;
//   - A-Z a-z 0-9 - _ . = and the slashes of a key stand as they are, every other byte is ~ and two hexadecimal digits, as is
//     a dot that begins a part, and an empty part is a lone ~. So a name needs no escape in any URL or file system;
//   - what is too long is cut and ends in ~~ and a hash of the whole.
func (s source) name() string {
	if s.url == "" {
		if s.id == "" {
			return "~~" + hashOf(string(s.body))
		}
		return namePart(s.id)
	}
	whole := s.url
	scheme, bucket, key, err := blob.Split(s.url)
	if err == nil {
		whole = bucket + "/" + key
	}
	parts := strings.Split(whole, "/")
	for i, p := range parts {
		parts[i] = namePart(p)
	}
	name := strings.Join(parts, "/")
	if len(name) > longestName {
		name = shortened(name, longestName) + "~~" + hashOf(whole)
	}
	if scheme == "http" || scheme == "https" {
		if _, query, ok := strings.Cut(s.url, "?"); ok {
			name += "@@" + hashOf(query)[:12]
		}
	}
	if v := strings.Trim(s.version, `"`); v != "" {
		name += "@" + versionPart(v)
	}
	return name
}

// namePart escapes one part of a name.
func namePart(p string) string {
	const digits = "0123456789ABCDEF"
	if p == "" {
		return "~"
	}
	var b strings.Builder
	for i := range len(p) {
		switch c := p[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '=', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'~', digits[c>>4], digits[c&15]})
		}
	}
	if b.Len() > longestPart {
		return shortened(b.String(), longestPart) + "~~" + hashOf(p)
	}
	return b.String()
}

// shortened cuts a name and leaves room for a hash; half an escape is not left over.
func shortened(name string, longest int) string {
	name = name[:longest-34]
	if i := strings.LastIndexByte(name, '~'); i >= len(name)-2 {
		name = name[:i]
	}
	return name
}

// versionPart is an object's version as a part of a name.
func versionPart(v string) string {
	if v = namePart(v); len(v) > 64 {
		return "~~" + hashOf(v)
	}
	return v
}

// hashOf is half a SHA-256: 32 characters.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// isResult tells a result of an object of the same bucket: a sink that triggers the function would feed it for ever.
func isResult(sink, url string) bool {
	scheme, bucket, prefix, err := blob.Split(sink)
	s, b, key, err2 := blob.Split(url)
	if err != nil || err2 != nil || s != scheme || b != bucket {
		return false
	}
	if prefix = strings.TrimRight(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return strings.HasPrefix(key, prefix+namePart(bucket)+"/")
}
