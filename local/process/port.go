package process

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// Ports are handed out from below the range that systems take ports for outgoing connections from: those come and go all the
// time, and one of them could take a port between FreePort and the start of the process that is to listen on it.
const (
	firstPort = 20000
	ports     = 10000
)

// lastPort goes round, so that no two processes of one program get the same port; another program starts elsewhere.
var lastPort = func() *atomic.Uint32 {
	n := new(atomic.Uint32)
	n.Store(rand.Uint32N(ports))
	return n
}()

// FreePort is a port that nobody listens on, for a process that is told where to listen.
func FreePort() (int, error) {
	for range ports {
		port := int(firstPort + lastPort.Add(1)%ports)
		ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", ":"+strconv.Itoa(port))
		if err == nil {
			return port, ln.Close()
		}
	}
	return 0, errors.New("process: every port from " + strconv.Itoa(firstPort) + " on is in use")
}
