package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
)

// post sends them one after the other; the worst answer decides the exit code.
func (e *eventCall) post(ctx context.Context, c *call, messages []eventMessage) error {
	var worst error
	to := e.to
	if !strings.Contains(to, "://") { // as curl has it
		to = "http://" + to
	}
	for _, m := range messages {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(m.body))
		if err != nil {
			return &exit{exitUsage, fmt.Errorf("--to %s: %w", e.to, err)}
		}
		maps.Copy(r.Header, m.header)
		if r.Header.Get("Content-Type") == "" {
			r.Header.Set("Content-Type", "application/json")
		}
		err = c.post(r)
		if x, ok := errors.AsType[*exit](err); err != nil && !ok {
			return err
		} else if w, seen := errors.AsType[*exit](worst); ok && (!seen || x.code > w.code) {
			worst = err
		}
	}
	return worst
}

// post sends a request and prints what came back.
func (c *call) post(r *http.Request) error {
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("%w: is the function served there? \"scorefn lambda\" and \"scorefn cloudfunctions\" print their URL", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	const most = 64 << 20                    // no platform answers more
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s\n%s", resp.Status, body)
	if len(body) > 0 && body[len(body)-1] != '\n' {
		fmt.Fprintln(c.out)
	}
	switch {
	case resp.StatusCode >= http.StatusInternalServerError:
		return &exit{exitScore, nil} // the answer says it
	case resp.StatusCode >= http.StatusBadRequest:
		return &exit{exitInvalid, nil}
	}
	return nil
}
