package s3dir

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
)

func unique() string { return rand.Text() }

// checked is the request's object: without the framing of a chunked upload, and with an error at its end when a checksum
// that the request declares does not hold.
func checked(r *http.Request) io.Reader {
	c := &checkedReader{r: r.Body}
	declared := r.Header.Get("X-Amz-Content-Sha256")
	if strings.HasPrefix(declared, "STREAMING-") {
		chunks := &chunkReader{r: bufio.NewReader(r.Body), trailer: http.Header{}}
		c.r, c.trailer = chunks, chunks.trailer
	} else if len(declared) == sha256.Size*2 {
		c.add("XAmzContentSHA256Mismatch", sha256.New(), hex.EncodeToString, func() string { return strings.ToLower(declared) })
	}
	if sum := r.Header.Get("Content-Md5"); sum != "" {
		c.add("BadDigest", md5.New(), base64.StdEncoding.EncodeToString, func() string { return sum })
	}
	for name, h := range map[string]hash.Hash{
		"X-Amz-Checksum-Crc32": crc32.NewIEEE(), "X-Amz-Checksum-Crc32c": crc32.New(crc32.MakeTable(crc32.Castagnoli)),
		"X-Amz-Checksum-Sha1": sha1.New(), "X-Amz-Checksum-Sha256": sha256.New(),
	} {
		c.add("BadDigest", h, base64.StdEncoding.EncodeToString, func() string {
			if v := c.trailer.Get(name); v != "" {
				return v
			}
			return r.Header.Get(name)
		})
	}
	return c
}

// sum is a checksum that is computed along, and what it should be; want is asked at the end, since trailers come last, and
// is empty for nothing.
type sum struct {
	code string
	h    hash.Hash
	text func([]byte) string
	want func() string
}

type checkedReader struct {
	r       io.Reader
	trailer http.Header
	sums    []sum
}

func (c *checkedReader) add(code string, h hash.Hash, text func([]byte) string, want func() string) {
	c.sums = append(c.sums, sum{code, h, text, want})
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for _, s := range c.sums {
		_, _ = s.h.Write(p[:n]) // never fails
	}
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	for _, s := range c.sums {
		if want := s.want(); want != "" && s.text(s.h.Sum(nil)) != want {
			return n, &s3Error{http.StatusBadRequest, s.code, "The body does not have the checksum that the request declares."}
		}
	}
	return n, io.EOF
}

// chunkReader takes the framing off an aws-chunked body:
// docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html. The signatures of the chunks are skipped.
type chunkReader struct {
	r       *bufio.Reader
	left    int64
	began   bool
	ended   bool
	trailer http.Header
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.ended {
		return 0, io.EOF
	}
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
		if c.ended {
			return 0, io.EOF
		}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, unexpected(err)
}

// next reads the line before a chunk, and after the last one the trailers.
func (c *chunkReader) next() error {
	if c.began {
		if line, err := c.line(); err != nil || line != "" {
			return errChunk(err)
		}
	}
	c.began = true
	line, err := c.line()
	if err != nil {
		return errChunk(err)
	}
	size, _, _ := strings.Cut(line, ";")
	c.left, err = strconv.ParseInt(size, 16, 64)
	if err != nil || c.left < 0 {
		return errChunk(err)
	}
	if c.left > 0 {
		return nil
	}
	for c.ended = true; ; {
		line, err := c.line()
		if errors.Is(err, io.EOF) || err == nil && line == "" {
			return nil
		}
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(line, ":")
		c.trailer.Set(name, strings.TrimSpace(value))
	}
}

func (c *chunkReader) line() (string, error) {
	b, err := c.r.ReadSlice('\n')
	return string(bytes.TrimRight(b, "\r\n")), err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func errChunk(err error) error {
	return &s3Error{http.StatusBadRequest, "IncompleteBody", fmt.Sprintf("the aws-chunked body is broken: %v", err)}
}
