package process

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
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

// claims are the UDP sockets of the ports that were handed out last. Programs that look for a port at one time see each other's by
// them, in the moment when a port is found free and its process does not listen yet: another's process would answer there.
var claims struct {
	mu   sync.Mutex
	held [256]net.PacketConn
	next int
}

// claim holds a port for this program; false when another one has it. Without UDP there are no claims: it is nil then.
func claim(port int) (net.PacketConn, bool) {
	c, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp4", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return nil, !errors.Is(err, syscall.EADDRINUSE)
	}
	return c, true
}

// keep keeps a claim, in place of the oldest, whose process listens, or has ended, long since.
func keep(c net.PacketConn) {
	claims.mu.Lock()
	defer claims.mu.Unlock()
	if old := claims.held[claims.next]; old != nil {
		_ = old.Close() // nothing was sent
	}
	claims.held[claims.next] = c
	claims.next = (claims.next + 1) % len(claims.held)
}

// FreePort is a port that nobody listens on, for a process that is told where to listen. The claim comes before the look: while
// one program looks, it listens, and another that waits for its process there would take it for that.
func FreePort() (int, error) {
	for range ports {
		port := int(firstPort + lastPort.Add(1)%ports)
		c, ok := claim(port)
		if !ok {
			continue
		}
		ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", ":"+strconv.Itoa(port))
		if err == nil {
			err = ln.Close()
		}
		if err == nil {
			keep(c)
			return port, nil
		}
		if c != nil {
			_ = c.Close() // nothing was sent
		}
	}
	return 0, errors.New("process: every port from " + strconv.Itoa(firstPort) + " on is in use")
}
