package blob

import (
	"fmt"
	"net/url"
	"strings"
)

// Split takes an object's URL apart: the scheme in lower case, the bucket (of http and https: the host), and the key, which
// is not escaped any more and has no slash in front. The query of an http or https URL is left out. A text without a scheme
// is ErrUnsupported.
func Split(rawURL string) (scheme, bucket, key string, err error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme == "" || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" {
		return "", "", "", fmt.Errorf("%w: %.200q is not scheme://bucket/key", ErrUnsupported, rawURL)
	}
	if !web(scheme) {
		bucket, key, _ = strings.Cut(rest, "/")
		return scheme, bucket, key, nil
	}
	u, err := url.Parse(rawURL)
	if err != nil { // its text holds the URL, and the URL perhaps a signature
		return "", "", "", fmt.Errorf("%w: %q is malformed", ErrUnsupported, Redact(rawURL))
	}
	return scheme, u.Host, strings.TrimPrefix(u.Path, "/"), nil
}

// Join is the URL of a key below a prefix, which may end in a slash or not. In an http or https URL the key is escaped, and
// goes in front of the query, where a container's signature stands.
func Join(prefix, key string) string {
	scheme, _, _ := strings.Cut(prefix, "://")
	if !web(strings.ToLower(scheme)) {
		return slashed(prefix) + key
	}
	path, query, signed := strings.Cut(prefix, "?")
	parts := strings.Split(key, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	path = slashed(path) + strings.Join(parts, "/")
	if signed {
		path += "?" + query
	}
	return path
}

// slashed is a prefix that ends in one slash; those behind a scheme are no path.
func slashed(prefix string) string {
	scheme, path, ok := strings.Cut(prefix, "://")
	switch {
	case !ok:
		return strings.TrimRight(prefix, "/") + "/"
	case path == "":
		return prefix
	}
	return scheme + "://" + strings.TrimRight(path, "/") + "/"
}

// Redact is a URL for a log or an answer: an http or https URL without its query, fragment and user, which may hold a secret.
func Redact(rawURL string) string {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok || !web(strings.ToLower(scheme)) {
		return rawURL
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	host, path, slash := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if slash {
		host += "/" + path
	}
	return scheme + "://" + host
}

// web tells the schemes whose URLs are escaped and have a query.
func web(scheme string) bool { return scheme == "http" || scheme == "https" }
