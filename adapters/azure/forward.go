package azure

import (
	"bufio"
	"net/http"
	"strings"
)

// serveForwarded answers a request that the host forwards, or proxies, as it came.
func (s *server) serveForwarded(w http.ResponseWriter, r *http.Request, c *call) {
	r = r.WithContext(r.Context()) // the request is net/http's
	r.URL = withPath(r.URL, c.path)
	r.URL.RawQuery = withoutKey(r.URL.RawQuery)
	r.Header = r.Header.Clone()
	delete(r.Header, headerKey)
	unpackable(r)
	s.core.ServeHTTP(w, r)
}

// unpackable says in a packed request's header that it is: forwarding drops Content-Encoding. In the bytes of a tensor the
// same bytes may be numbers.
func unpackable(r *http.Request) {
	if r.Header.Get("Content-Encoding") != "" || r.Body == nil || r.Body == http.NoBody || isOctets(r.Header.Get("Content-Type")) {
		return
	}
	b := bufio.NewReaderSize(r.Body, 512)
	head, _ := b.Peek(3) // a shorter body is not packed; its error comes again
	r.Body = &peeked{b, r.Body}
	if isGzip(head) {
		r.Header.Set("Content-Encoding", "gzip")
	}
}

func isGzip(b []byte) bool { return len(b) > 2 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8 }

// isOctets tells the media type of bytes that nobody says anything about.
func isOctets(contentType string) bool { return mediaType(contentType) == "application/octet-stream" }

// mediaType is a Content-Type without its parameters.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}
