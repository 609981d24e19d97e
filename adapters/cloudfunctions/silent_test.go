package cloudfunctions

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scorefn/scorefn/function/blob"
)

// silent is the client's end of a connection that nothing comes out of any more once it is dead, as after an instance was
// frozen for long.
type silent struct {
	net.Conn
	dead *atomic.Bool
}

func (s silent) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	for err == nil && s.dead.Load() { // what arrives is lost
		n, err = s.Conn.Read(b)
	}
	return n, err
}

// pipes is a listener whose connections are made by dial.
type pipes struct{ accept chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.accept
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error { return nil }

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A connection over HTTP/2 is used for all calls: one that is silent must be found out, or every event fails for minutes.
func TestStorageOverASilentConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		server := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("x"))
		})}
		listener := pipes{make(chan net.Conn)}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(listener) }()

		s := newStorage(emulator("storage.example"))
		transport, ok := s.client.Transport.(*http.Transport)
		if !ok {
			t.Fatalf("got %T", s.client.Transport)
		}
		transport.Protocols = protocols
		var last *atomic.Bool
		dials := 0
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			dials++
			last = new(atomic.Bool)
			listener.accept <- there
			return silent{here, last}, nil
		}
		read := func() {
			t.Helper()
			if _, b, err := blob.Read(t.Context(), s, "gs://b/k", 10); err != nil || string(b) != "x" {
				t.Errorf("got %q, %v", b, err)
			}
		}
		read()
		read()
		if dials != 1 {
			t.Errorf("%d connections for calls one after the other", dials)
		}
		last.Store(true)
		begin := time.Now()
		read()
		if took := time.Since(begin); dials != 2 || took > 20*time.Second {
			t.Errorf("after %v, with %d connections", took, dials)
		}
		transport.CloseIdleConnections()
		close(listener.accept)
		_ = server.Close()
		<-ended
	})
}
