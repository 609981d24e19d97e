package cloudfunctions

import "io"

// resuming is the body of an object that is read on where its connection broke, a few times: it is one generation's, so that
// the parts fit together.
type resuming struct {
	io.ReadCloser // of the last answer

	again    func(from int64) (io.ReadCloser, error)
	at, size int64
	tries    int
}

// Read reads from the last answer, or makes another one the last.
func (r *resuming) Read(b []byte) (int, error) {
	n, err := r.ReadCloser.Read(b)
	r.at += int64(n)
	if err == nil || r.at >= r.size || r.tries == 0 {
		return n, err
	}
	r.tries--
	next, failed := r.again(r.at)
	if failed != nil {
		return n, err
	}
	_ = r.Close() // nothing was written
	r.ReadCloser = next
	return n, nil
}
