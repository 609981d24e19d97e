package process_test

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/scorefn/scorefn/local/process"
)

func TestPortsAreFreeAndHandedOutOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[int]bool{}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 25 {
				port, err := process.FreePort()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[port] {
					t.Errorf("%d twice", port)
				}
				seen[port] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}
