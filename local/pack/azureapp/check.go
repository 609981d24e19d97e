package azureapp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Plan is where an app is to run, as far as it is a limit ("Azure Functions hosting options", service limits). Zero is no
// limit.
type Plan struct {
	Name       string
	Archs      []string
	MaxTimeout time.Duration // of a function
	MaxSize    int64         // of all files unpacked, in bytes
	GLIBC      string        // of the oldest image that the plan may start
	GridOnly   bool          // blob triggers need Event Grid
}

// oldGLIBC is that of Debian 11, the oldest image that hosts start from.
const oldGLIBC = "2.31"

// Plans is the plans, the one for new apps first. The last is a container image of one's own.
func Plans() []Plan {
	return []Plan{
		{Name: "flex", Archs: []string{"amd64"}, MaxSize: 800 << 20, GLIBC: oldGLIBC, GridOnly: true},
		{Name: "consumption", Archs: []string{"amd64"}, MaxTimeout: 10 * time.Minute, MaxSize: 500 << 20, GLIBC: oldGLIBC},
		{Name: "premium", Archs: []string{"amd64"}, MaxSize: 2 << 30, GLIBC: oldGLIBC},
		{Name: "container", Archs: []string{"amd64", "arm64"}, GLIBC: oldGLIBC},
	}
}

// Report is what was found.
type Report struct {
	Problems []error // each keeps the app from working
	Warnings []string
}

// Err is all problems, nil without one.
func (r *Report) Err() error { return errors.Join(r.Problems...) }

func (r *Report) refuse(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Errorf(format, args...))
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// Check finds what would keep the app from working in a plan.
func (a *App) Check(plan Plan) Report {
	var r Report
	if len(a.Functions) == 0 {
		r.refuse("%s holds no function: each is a folder with a %s", a.Dir, FunctionFile)
	}
	a.Host.check(&r, plan, a.Functions)
	seen, routes := map[string]string{}, map[string]string{}
	for _, f := range a.Functions {
		f.check(&r, plan)
		if other, twice := seen[strings.ToLower(f.Name)]; twice {
			r.refuse("%s and %s are one function to the host: it does not look at the case", other, f.Name)
		}
		seen[strings.ToLower(f.Name)] = f.Name
		if t := f.Trigger(); t.is("httpTrigger") {
			route := f.Route()
			if other, twice := routes[strings.ToLower(route)]; twice {
				r.warn("%s and %s have one route, %s: who is called depends on the methods", other, f.Name, route)
			}
			routes[strings.ToLower(route)] = f.Name
		}
	}
	return r
}

// Route is the part of an HTTP function's path after the prefix.
func (f *Function) Route() string {
	if route := strings.Trim(f.Trigger().Route, "/"); route != "" {
		return route
	}
	return f.Name
}

// known is the triggers whose messages the adapter decodes by type.
var known = []string{
	"httptrigger", "queuetrigger", "blobtrigger", "eventgridtrigger", "eventhubtrigger", "servicebustrigger", "timertrigger",
	"cosmosdbtrigger",
}

func (f *Function) check(r *Report, plan Plan) {
	if !isName(f.Name, "_-") || strings.EqualFold(f.Name, "host") {
		r.refuse(`%s: a function's folder is named by a letter and up to 127 letters, digits, "_" and "-", and not "host"`, f.Name)
	}
	if len(f.beside) > 0 {
		r.refuse("%s: there is more than %s in the folder, which the host takes for the function's script: move %s elsewhere",
			f.Name, FunctionFile, strings.Join(f.beside, ", "))
	}
	f.checkBindings(r)
	t := f.Trigger()
	switch {
	case t.Type == "":
		return
	case !slices.Contains(known, strings.ToLower(t.Type)):
		r.warn("%s: the messages of a %s are not known here: they are decoded as a queue's are", f.Name, t.Type)
	case t.is("blobTrigger") && !t.throughGrid() && plan.GridOnly:
		r.refuse(`%s: the plan %s has blob triggers through Event Grid alone: add "source": "EventGrid" to the binding`, f.Name, plan.Name)
	case t.is("blobTrigger") && !t.throughGrid():
		r.warn(`%s: without "source": "EventGrid" the host searches the container for new blobs, which can take minutes`, f.Name)
	case t.is("httpTrigger") && !f.Forwarded():
		r.warn("%s: a function with bindings besides HTTP gets its requests as JSON: files and pictures come as text, and may be damaged", f.Name)
	}
	if t.is("eventHubTrigger") && t.Cardinality != "one" && t.DataType == "" {
		r.warn(`%s: one event that is not JSON fails the whole batch: add "dataType": "string" to the binding`, f.Name)
	}
	if (t.is("eventHubTrigger") || t.is("cosmosDBTrigger")) && len(f.Retry) == 0 {
		r.warn(`%s: without "retry" in %s the host skips what failed`, f.Name, FunctionFile)
	}
}

func (b *Binding) throughGrid() bool { return strings.EqualFold(b.Source, "EventGrid") }

func (f *Function) checkBindings(r *Report) {
	names, triggers, answers := map[string]bool{}, 0, false
	for i, b := range f.Bindings {
		label := fmt.Sprintf("%s: bindings[%d]", f.Name, i)
		if b.Type == "" {
			r.refuse("%s has no type", label)
		}
		if b.Name != "$return" && !isName(b.Name, "") {
			r.refuse("%s: the name %q is not a letter and up to 127 letters and digits, nor $return", label, b.Name)
		} else if names[strings.ToLower(b.Name)] {
			r.refuse("%s: the name %q is taken by another binding", label, b.Name)
		}
		names[strings.ToLower(b.Name)] = true
		switch strings.ToLower(b.Direction) {
		case "in", "out", "inout":
		default:
			r.refuse("%s: the direction is %q, expected in or out", label, b.Direction)
		}
		if b.isTrigger() {
			triggers++
			if !strings.EqualFold(b.Direction, "in") {
				r.refuse(`%s: a trigger's direction is "in"`, label)
			}
		}
		answers = answers || b.is("http") && strings.EqualFold(b.Direction, "out")
	}
	if triggers != 1 {
		r.refuse("%s: %d triggers, expected one", f.Name, triggers)
	}
	if t := f.Trigger(); t.is("httpTrigger") && !answers {
		r.refuse(`%s: an httpTrigger is answered by a binding {"type": "http", "direction": "out", "name": "res"}, which is missing`, f.Name)
	}
}
