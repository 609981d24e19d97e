package lambdaemu

import (
	"bytes"
	"sync"
)

// maxTail is how much of a call's log goes into X-Amz-Log-Result.
const maxTail = 4 * 1024

// callLog is the end of one call's log.
type callLog struct {
	mu   sync.Mutex
	tail []byte
}

func (l *callLog) line(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(append(l.tail, b...), '\n')
	if extra := len(l.tail) - maxTail; extra > 0 {
		l.tail = append([]byte(nil), l.tail[extra:]...)
	}
}

func (l *callLog) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.tail)
}
