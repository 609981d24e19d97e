package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/local/lambdaemu"
	"github.com/scorefn/scorefn/local/lambdaemu/event"
	"github.com/scorefn/scorefn/local/lambdaemu/s3dir"
)

// s3Flags are the flags of the S3 endpoint.
type s3Flags struct {
	dir, addr string
	triggers  []string
}

func (s *s3Flags) flags(f *flag.FlagSet) {
	f.StringVar(&s.dir, "s3", "", "`folder` to serve as S3, buckets are its folders; the function gets AWS_ENDPOINT_URL_S3")
	f.StringVar(&s.addr, "s3-addr", "127.0.0.1:9001", "`address` of that S3")
	f.Func("trigger", "`BUCKET` whose new objects invoke the function, or BUCKET/PREFIX*SUFFIX; repeatable; needs --s3. A function that writes there invokes itself", func(v string) error {
		s.triggers = append(s.triggers, v)
		return nil
	})
}

// s3Service is the endpoint while it runs; nil without --s3.
type s3Service struct {
	url   string
	stop  context.CancelFunc
	ended chan struct{}
	dir   *s3dir.Server
	rules []triggerRule
	err   io.Writer

	mu  sync.Mutex
	emu *lambdaemu.Emulator // once there is one
}

// triggerRule is a bucket notification with its filter.
type triggerRule struct{ bucket, prefix, suffix string }

func parseTrigger(s string) triggerRule {
	bucket, pattern, _ := strings.Cut(s, "/")
	prefix, suffix, _ := strings.Cut(pattern, "*")
	return triggerRule{bucket, prefix, suffix}
}

func (t triggerRule) matches(bucket, key string) bool {
	return bucket == t.bucket && strings.HasPrefix(key, t.prefix) && strings.HasSuffix(key, t.suffix)
}

func (s *s3Flags) open(ctx context.Context, c *call, log *slog.Logger) (*s3Service, error) {
	if s.dir == "" {
		if len(s.triggers) > 0 {
			return nil, &exit{exitUsage, errors.New("--trigger needs --s3 DIR")}
		}
		return nil, nil
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	service := &s3Service{ended: make(chan struct{}), err: c.err}
	dir, err := s3dir.Open(s.dir, service.put)
	if err != nil {
		return nil, err
	}
	service.dir = dir
	for _, t := range s.triggers {
		rule := parseTrigger(t)
		if err := dir.MakeBucket(rule.bucket); err != nil {
			return nil, errors.Join(fmt.Errorf("--trigger %s: %w", t, err), dir.Close())
		}
		service.rules = append(service.rules, rule)
	}
	ln, err := function.Listener(ctx, s.addr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w; choose another address with --s3-addr", err), dir.Close())
	}
	service.url = "http://" + reachable(ln.Addr())
	// The function may use it until it has ended, so it does not end with ctx.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	service.stop = stop
	go func() {
		defer close(service.ended)
		if err := function.Serve(serving, ln, http.Handler(dir), time.Second, log); err != nil {
			fmt.Fprintf(c.err, "s3: %v\n", err)
		}
	}()
	return service, nil
}

func (s *s3Service) close() {
	if s == nil {
		return
	}
	s.stop()
	<-s.ended
	_ = s.dir.Close() // the process ends here
}

func (s *s3Service) env() []string {
	if s == nil {
		return nil
	}
	return []string{"AWS_ENDPOINT_URL_S3=" + s.url}
}

func (s *s3Service) triggers(emu *lambdaemu.Emulator) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emu = emu
}

// put is every object that was put: the ones that a rule is about become events, as S3 sends them, asynchronously.
func (s *s3Service) put(bucket string, o s3dir.Object) {
	s.mu.Lock()
	emu := s.emu
	s.mu.Unlock()
	for _, rule := range s.rules {
		if emu == nil || !rule.matches(bucket, o.Key) {
			continue
		}
		payload, err := event.Created(bucket, event.Object(o))
		if err == nil {
			_, err = emu.InvokeAsync(lambdaemu.Call{Payload: payload})
		}
		if err != nil && !errors.Is(err, lambdaemu.ErrClosed) {
			fmt.Fprintf(s.err, "s3: %s/%s: %v\n", bucket, o.Key, err)
		}
		return // one event, however many rules
	}
}

func (s *s3Service) print(w io.Writer) {
	if s == nil {
		return
	}
	fmt.Fprintf(w, "\n  %s/BUCKET/KEY  S3; curl -T FILE puts an object", s.url)
	for _, r := range s.rules {
		fmt.Fprintf(w, "; in %s it invokes the function", r.bucket)
	}
	fmt.Fprintln(w)
}
