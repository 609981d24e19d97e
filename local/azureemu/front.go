package azureemu

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
)

// Mode is the way by which an HTTP request reaches the handler.
type Mode string

// The modes: section "HTTP-only function" of learn.microsoft.com/azure/azure-functions/functions-custom-handlers.
const (
	Payload   Mode = "payload"   // POST /<function> with Data and Metadata
	Forwarded Mode = "forwarded" // the request itself, its body buffered
	Proxied   Mode = "proxied"   // the request itself, streamed both ways (hosts since 2025)
)

// Mode says how HTTP reaches the function: by the flags of host.json, and as a payload when it has any further binding.
func (a *App) Mode(f *Function) Mode {
	switch {
	case !f.simple():
		return Payload
	case a.Host.Proxy:
		return Proxied
	case a.Host.Forward:
		return Forwarded
	}
	return Payload
}

// Path is a path that reaches the function over HTTP, with the method; "" for a function of events.
func (a *App) Path(f *Function) (method, path string) {
	for _, r := range a.routes() {
		if r.f == f {
			return r.method(), r.example()
		}
	}
	return "", ""
}

// Handler is the host's front: the routes of the HTTP functions, the admin routes, and a list of the functions at the root.
func (e *Emulator) Handler() http.Handler {
	routes := e.app.routes()
	proxy := e.proxy()
	mux := http.NewServeMux()
	e.admin(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			e.app.List(w, "http://"+r.Host)
			return
		case strings.HasPrefix(r.URL.Path, "/admin/"):
			mux.ServeHTTP(w, r)
			return
		}
		for _, route := range routes {
			params, ok := route.match(r.URL.Path)
			if !ok || !route.allows(r.Method) {
				continue
			}
			e.serve(w, r, route.f, params, proxy)
			return
		}
		http.NotFound(w, r)
	})
}

func (e *Emulator) serve(w http.ResponseWriter, r *http.Request, f *Function, params map[string]*string, proxy http.Handler) {
	if r.ContentLength > MaxBody {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if !e.begin() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer e.work.Done()
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	switch e.app.Mode(f) {
	case Proxied:
		e.proxied(w, r, f, proxy)
	case Forwarded:
		e.forwarded(w, r, f)
	case Payload:
		e.payload(w, r, f, params)
	}
}

// keyNote tells of the key that Azure asks for, and the emulator does not (learn.microsoft.com/azure/azure-functions/function-keys-how-to).
func (b *Binding) keyNote() string {
	switch strings.ToLower(b.AuthLevel) {
	case "anonymous":
		return ""
	case "admin":
		return "; Azure asks for the master key"
	}
	return "; Azure asks for a function key"
}

// fail is what a client sees of a failure: nothing.
func fail(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }

// List prints the functions and how each is called.
func (a *App) List(w io.Writer, url string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range a.Functions {
		if method, path := a.Path(f); path != "" {
			fmt.Fprintf(t, "  %s\t%s %s%s\t(%s%s)\n", f.Name, method, url, path, a.Mode(f), f.Trigger.keyNote())
			continue
		}
		fmt.Fprintf(t, "  %s\tPOST %s%s%s\t(%s)\n", f.Name, url, AdminPath, f.Name, f.Trigger.Type)
	}
	_ = t.Flush() // to a terminal, or a caller that left
}
