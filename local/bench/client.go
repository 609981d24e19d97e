package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// mostAnswer bounds an answer in bytes; those of large models have a few thousand numbers.
const mostAnswer = 64 << 20

// client sends one request after the other over a connection that it keeps, as far as the server does. It costs little: what
// is measured is the server.
type client struct {
	addr    string
	request []byte
	conn    net.Conn
	r       *bufio.Reader
}

func newClient(addr, path string, body []byte) *client {
	const form = "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
	return &client{addr: addr, request: fmt.Appendf(nil, form, path, addr, len(body), body)}
}

// patience bounds one request.
const patience = time.Minute

func (c *client) dial(ctx context.Context) error {
	if c.conn != nil {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	c.conn, c.r = conn, bufio.NewReader(conn)
	return nil
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is lost
		c.conn = nil
	}
}

// do sends the request and returns the answer; anything but 200 is an error.
func (c *client) do(ctx context.Context) (body []byte, err error) {
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if err := c.dial(ctx); err != nil {
		return nil, err
	}
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return nil, err
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return nil, err
	}
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, &statusError{response.StatusCode, body}
	}
	if response.Close {
		c.close()
	}
	return body, nil
}

// statusError is an answer that is not 200.
type statusError struct {
	code int
	body []byte
}

func (e *statusError) Error() string {
	return fmt.Sprintf("answered %d: %.300s", e.code, e.body)
}
