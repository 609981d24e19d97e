package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/scorefn/scorefn/local/process"
)

// gcsFlags are the flags of the stand-in for Cloud Storage. It is a program of its own, local/fakegcp, whose modules are not
// the product's.
type gcsFlags struct {
	dir, addr string
	triggers  []string
	retry     time.Duration
	attempts  int
}

func (g *gcsFlags) flags(f *flag.FlagSet) {
	f.StringVar(&g.dir, "gcs", "", "`folder` to serve as Cloud Storage, buckets are its folders; the function gets STORAGE_EMULATOR_HOST. Needs a clone")
	f.StringVar(&g.addr, "gcs-addr", "127.0.0.1:9081", "`address` of that storage")
	f.Func("trigger", "`BUCKET` whose new objects go to the function as events, or BUCKET/PREFIX*SUFFIX; repeatable; needs --gcs. A function that writes there is called for its own answers too", func(v string) error {
		g.triggers = append(g.triggers, strings.TrimPrefix(v, "gs://"))
		return nil
	})
	f.DurationVar(&g.retry, "retry", time.Second, "wait before an event that was not acknowledged comes again, twice that each further time; Google: 10s to 10m, for 24 hours")
	f.IntVar(&g.attempts, "attempts", 5, "deliveries of one event; then it is dropped with a line in the log, as into a dead-letter topic")
}

func (g *gcsFlags) check() error {
	switch {
	case g.dir == "" && len(g.triggers) > 0:
		return errors.New("--trigger needs --gcs DIR")
	case g.retry <= 0 || g.attempts <= 0:
		return errors.New("--retry and --attempts must be more than 0")
	}
	return nil
}

// gcsService is the stand-in while it runs; nil without --gcs.
type gcsService struct {
	process  *process.Process
	url      string
	triggers []string
}

// open builds the stand-in and starts it; its events go to the function at url. The buckets that the function's environment
// names are made, which Google does not do.
func (g *gcsFlags) open(ctx context.Context, c *call, url string, env []string) (*gcsService, error) {
	if g.dir == "" {
		return nil, nil
	}
	root, err := sourceRoot()
	if err != nil {
		return nil, errors.New("--gcs needs a clone of scorefn: the stand-in for Cloud Storage is built from local/fakegcp")
	}
	from := filepath.Join(root, "local", "fakegcp")
	if _, err := os.Stat(from); err != nil {
		return nil, fmt.Errorf("--gcs needs a clone of scorefn, and %s has no local/fakegcp", root)
	}
	program := filepath.Join(root, "bin", "fakegcp")
	if err := goBuild(ctx, c, from, "the stand-in for Cloud Storage", program, nil, "."); err != nil {
		return nil, err
	}
	args := []string{
		program, "--data", g.dir, "--addr", g.addr, "--push", url,
		"--retry", g.retry.String(), "--attempts", fmt.Sprint(g.attempts),
	}
	for _, t := range g.triggers {
		args = append(args, "--trigger", t)
	}
	for _, out := range gcsOutputs(env) {
		args = append(args, "--bucket", out.bucket)
		if trigger := g.loop(out); trigger != "" {
			fmt.Fprintf(c.err, "warning: %s writes where new objects call the function (--trigger %s): it is called for each of its own answers too, and passes them over, but Google bills the calls; use another bucket\n",
				out.name, trigger)
		}
	}
	ready := &readyLine{w: c.err, ready: make(chan string, 1)}
	p, err := process.Start(process.Spec{Command: args, Dir: ".", Env: os.Environ(), Output: process.NewOutput(ready)})
	if err != nil {
		return nil, err
	}
	select {
	case url := <-ready.ready:
		return &gcsService{p, url, g.triggers}, nil
	case <-p.Ended():
		return nil, errors.New("the stand-in for Cloud Storage did not start: its own line says why; choose another address with --gcs-addr")
	case <-ctx.Done():
		p.Stop(time.Second)
		return nil, ctx.Err()
	}
}

// gcsOutput is a place of Cloud Storage that the function writes to.
type gcsOutput struct{ name, bucket, prefix string }

// gcsOutputs is what the environment names, where the last one of a name counts.
func gcsOutputs(env []string) []gcsOutput {
	values := map[string]string{}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		values[name] = value
	}
	var all []gcsOutput
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if rest, ok := strings.CutPrefix(values[name], "gs://"); ok && strings.HasPrefix(name, "SCOREFN_") {
			bucket, prefix, _ := strings.Cut(rest, "/")
			all = append(all, gcsOutput{name, bucket, strings.TrimSuffix(prefix, "/")})
		}
	}
	return all
}

// loop is the trigger that what is written there may set off; the names of answers end in .json.
func (g *gcsFlags) loop(out gcsOutput) string {
	for _, t := range g.triggers {
		bucket, pattern, _ := strings.Cut(t, "/")
		prefix, suffix, _ := strings.Cut(pattern, "*")
		written := out.prefix + "/"
		meets := out.prefix == "" || strings.HasPrefix(written, prefix) || strings.HasPrefix(prefix, written)
		if bucket == out.bucket && meets && strings.HasSuffix(".json", suffix) {
			return t
		}
	}
	return ""
}

// gcsReady is how the stand-in says where it listens.
const gcsReady = "gcs: listening on "

// readyLine waits for that line, and passes the others on.
type readyLine struct {
	w     io.Writer
	ready chan string
}

func (r *readyLine) Write(line []byte) (int, error) {
	if url, ok := bytes.CutPrefix(line, []byte(gcsReady)); ok {
		select {
		case r.ready <- string(bytes.TrimSpace(url)):
		default:
		}
		return len(line), nil
	}
	return r.w.Write(line)
}

func (s *gcsService) close() {
	if s != nil {
		s.process.Stop(5 * time.Second)
	}
}

// env is what the clients of Cloud Storage look for: host and port.
func (s *gcsService) env() []string {
	if s == nil {
		return nil
	}
	return []string{"STORAGE_EMULATOR_HOST=" + strings.TrimPrefix(s.url, "http://")}
}

func (s *gcsService) print(w io.Writer) {
	if s == nil {
		return
	}
	what := "Cloud Storage; SCOREFN_OUTPUT=gs://BUCKET/PREFIX keeps the answers there"
	if len(s.triggers) > 0 {
		what += "; new objects in " + strings.Join(s.triggers, ", ") + " go to the function"
	}
	fmt.Fprintf(w, "  %s/\t%s\n", s.url, what)
}

// curl is a command line that puts an object which triggers the function; "" without a trigger.
func (s *gcsService) curl(file string) string {
	if s == nil || len(s.triggers) == 0 || file == "" {
		return ""
	}
	bucket, pattern, _ := strings.Cut(s.triggers[0], "/")
	prefix, suffix, filtered := strings.Cut(pattern, "*")
	name := prefix + "sample" + suffix
	if !filtered {
		name += ".json"
	}
	query := url.Values{"uploadType": {"media"}, "name": {name}}
	return "curl -s --data-binary " + quote("@"+file) + " " + quote(s.url+"/upload/storage/v1/b/"+bucket+"/o?"+query.Encode())
}
