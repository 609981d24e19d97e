// Fakegcp stands in for Cloud Storage and its triggers on this machine: a folder is served as buckets, and each new object goes
// to a function as a CloudEvent, through Pub/Sub as Eventarc does. It is a module of its own, since what it is made of
// (fake-gcs-server, pstest, gRPC) is no business of the product's. "scorefn cloudfunctions --gcs DIR" builds and runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options is the command line.
type options struct {
	data, addr, push string
	triggers         rules
	buckets          []string
	retry            time.Duration
	attempts         int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stdout, "gcs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	f := flag.NewFlagSet("fakegcp", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.data, "data", "", "`folder` whose folders are the buckets")
	f.StringVar(&o.addr, "addr", "127.0.0.1:9081", "`address` of Cloud Storage")
	f.StringVar(&o.push, "push", "", "`URL` of the function that gets the events")
	f.Var(&o.triggers, "trigger", "`BUCKET` whose new objects are events, or BUCKET/PREFIX*SUFFIX; repeatable")
	f.Func("bucket", "`BUCKET` to make when it is missing, repeatable", func(v string) error {
		o.buckets = append(o.buckets, v)
		return plain(v)
	})
	f.DurationVar(&o.retry, "retry", 10*time.Second, "wait before an event comes again, doubled each further time, 10m at most")
	f.IntVar(&o.attempts, "attempts", 5, "deliveries of an event before it is given up, as to a dead-letter topic")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || o.data == "" || o.retry <= 0 || o.attempts < 1 {
		return errors.New("--data DIR is needed, --retry and --attempts are more than 0, and there are no arguments; -h shows the flags")
	}
	if len(o.triggers) > 0 && o.push == "" {
		return errors.New("--trigger needs --push URL, where the events go")
	}
	return serve(ctx, o, out)
}

// serve runs everything until ctx is done.
func serve(ctx context.Context, o options, out io.Writer) (err error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", o.addr, err)
	}
	topics, err := openTopics(ctx)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer func() { err = errors.Join(err, topics.close()) }()
	store, err := openStore(o.data, ln.Addr().String(), append(o.triggers.buckets(), o.buckets...))
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	server := &http.Server{Handler: store, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	b := &bridge{topics: topics, url: o.push, rules: o.triggers, retry: o.retry, attempts: o.attempts, started: time.Now(), out: out, deliveries: map[string]int{}}
	pushing, stop := context.WithCancel(ctx)
	pushed := make(chan error, 1)
	go func() { pushed <- b.run(pushing) }()
	fmt.Fprintf(out, "gcs: listening on http://%s\n", ln.Addr())
	select {
	case err = <-served:
	case err = <-pushed:
		pushed <- nil
	case <-ctx.Done():
	}
	stop()
	err = errors.Join(err, <-pushed)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(end))
}

// rule is a trigger with its filter.
type rule struct{ bucket, prefix, suffix string }

type rules []rule

func (r *rules) String() string { return fmt.Sprint([]rule(*r)) }

// Set reads BUCKET or BUCKET/PREFIX*SUFFIX.
func (r *rules) Set(s string) error {
	bucket, pattern, _ := strings.Cut(s, "/")
	prefix, suffix, _ := strings.Cut(pattern, "*")
	*r = append(*r, rule{bucket, prefix, suffix})
	return plain(bucket)
}

// plain refuses a bucket whose folder would lie elsewhere.
func plain(bucket string) error {
	if bucket == "" || bucket == "." || bucket == ".." || strings.ContainsAny(bucket, `/\\`) {
		return fmt.Errorf("%q names no bucket", bucket)
	}
	return nil
}

func (r rules) match(bucket, name string) bool {
	for _, rule := range r {
		if bucket == rule.bucket && strings.HasPrefix(name, rule.prefix) && strings.HasSuffix(name, rule.suffix) {
			return true
		}
	}
	return false
}

func (r rules) buckets() []string {
	var all []string
	for _, rule := range r {
		all = append(all, rule.bucket)
	}
	return all
}
