package azureemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// Bounds of what is read from the app's folder.
const (
	maxFile      = 1 << 20
	maxFunctions = 1000
)

// App is the folder that is deployed: host.json and a folder with a function.json for every function.
type App struct {
	Root      string // absolute
	Host      Host
	Functions []*Function // by name
	Settings  []string    // K=V, "Values" of local.settings.json, which Core Tools reads and a deployment does not
}

// Function is one function.json.
type Function struct {
	Name     string // of its folder
	Bindings []Binding
	Retry    *RetryPolicy
	Trigger  *Binding // one of Bindings
}

// Binding is one element of bindings
// (learn.microsoft.com/azure/azure-functions/functions-triggers-bindings). Which fields there are depends on the type.
type Binding struct {
	Type, Direction, Name, DataType, Cardinality, Connection string

	Route   *string // httpTrigger
	Methods []string
	// AuthLevel is which key a request needs in Azure; nobody asks for it here.
	AuthLevel string

	QueueName, TopicName, EventHubName, Path string

	UseMonitor *bool // timerTrigger
}

// RetryPolicy is retry of a function.json.
type RetryPolicy struct {
	Strategy                                        string
	MaxRetryCount                                   int
	DelayInterval, MinimumInterval, MaximumInterval timespan
}

// delay is the wait before retry n, which counts from 1. The host adds jitter to exponential ones.
func (r *RetryPolicy) delay(n int) time.Duration {
	if r.Strategy == "exponentialBackoff" {
		return min(time.Duration(r.MinimumInterval)<<min(n-1, 30), time.Duration(r.MaximumInterval))
	}
	return time.Duration(r.DelayInterval)
}

func (b *Binding) is(kind string) bool { return strings.EqualFold(b.Type, kind) }
func (b *Binding) binary() bool        { return strings.EqualFold(b.DataType, "binary") }
func (b *Binding) many() bool          { return strings.EqualFold(b.Cardinality, "many") }
func (b *Binding) out() bool           { return strings.EqualFold(b.Direction, "out") }

// output finds an output binding by its name; nil when there is none.
func (f *Function) output(name string) *Binding {
	for i := range f.Bindings {
		if b := &f.Bindings[i]; b.out() && strings.EqualFold(b.Name, name) {
			return b
		}
	}
	return nil
}

// isHTTP tells an httpTrigger.
func (f *Function) isHTTP() bool { return f.Trigger.is("httpTrigger") }

// simple tells whether the host may forward or proxy: one httpTrigger in, one http out, and nothing else.
func (f *Function) simple() bool {
	return f.isHTTP() && len(f.Bindings) == 2 && slices.ContainsFunc(f.Bindings, func(b Binding) bool { return b.out() && b.is("http") })
}

// functionName is the host's rule for the name of a folder.
var functionName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_\-]{0,127}$`) })

// LoadApp reads an app's folder. Env, K=V, holds the app settings: some of them override host.json.
func LoadApp(root string, env []string) (*App, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	a := &App{Root: root}
	text, err := readFile(filepath.Join(root, "host.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no host.json in %s: name the folder of your app", root)
	}
	if err != nil {
		return nil, err
	}
	if a.Settings, err = localSettings(root); err != nil {
		return nil, err
	}
	if a.Host, err = parseHost(text, append(slices.Clone(a.Settings), env...)); err != nil {
		return nil, err
	}
	files, err := fs.Glob(os.DirFS(root), "*/function.json") // the root's own name is no pattern
	if err != nil {
		return nil, err
	}
	if len(files) > maxFunctions {
		return nil, fmt.Errorf("%s has %d functions, at most %d are read", root, len(files), maxFunctions)
	}
	for _, file := range files {
		file = filepath.Join(root, file)
		f, err := loadFunction(file)
		if errors.Is(err, errDisabled) {
			continue
		}
		if err != nil {
			return nil, err
		}
		a.Functions = append(a.Functions, f)
	}
	if len(a.Functions) == 0 {
		return nil, fmt.Errorf("there is no function in %s: each is a folder with a function.json", root)
	}
	return a, nil
}

var errDisabled = errors.New("the function is disabled")

func loadFunction(file string) (*Function, error) {
	f := &Function{Name: filepath.Base(filepath.Dir(file))}
	if !functionName().MatchString(f.Name) || strings.EqualFold(f.Name, "host") {
		return nil, fmt.Errorf("%s: %q is no name of a function: a letter, then letters, digits, _ and -, not \"host\"", file, f.Name)
	}
	text, err := readFile(file)
	if err != nil {
		return nil, err
	}
	var disabled any // true, or the name of a setting
	if err := json.Unmarshal(text, &struct {
		Bindings *[]Binding
		Retry    **RetryPolicy
		Disabled *any
	}{&f.Bindings, &f.Retry, &disabled}); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if disabled == true {
		return nil, errDisabled
	}
	seen := map[string]bool{}
	for i := range f.Bindings {
		b := &f.Bindings[i]
		name := strings.ToLower(b.Name)
		if b.Name == "" || seen[name] {
			return nil, fmt.Errorf("%s: every binding needs a name of its own, %q is not one", file, b.Name)
		}
		seen[name] = true
		if strings.HasSuffix(strings.ToLower(b.Type), "trigger") {
			if f.Trigger != nil {
				return nil, fmt.Errorf("%s: a function has one trigger, this one has two", file)
			}
			f.Trigger = b
		}
	}
	if f.Trigger == nil {
		return nil, fmt.Errorf("%s: no binding is a trigger", file)
	}
	if _, known := triggers[strings.ToLower(f.Trigger.Type)]; !known && !f.isHTTP() {
		return nil, fmt.Errorf("%s: %s is not emulated", file, f.Trigger.Type)
	}
	return f, nil
}

// expand resolves %NAME% in what bindings name. A function with a name that is not set is left out, as by the host, which
// tells the error and runs the others.
func (a *App) expand(env []string) (errs []error) {
	a.Functions = slices.DeleteFunc(a.Functions, func(f *Function) bool {
		for i := range f.Bindings {
			b := &f.Bindings[i]
			for _, text := range []*string{&b.QueueName, &b.TopicName, &b.EventHubName, &b.Path} {
				for _, name := range variable().FindAllString(*text, -1) {
					if lookup(env, strings.Trim(name, "%")) == "" {
						errs = append(errs, fmt.Errorf("the function %s does not run: %s of its binding %s is no app setting; set it with "+
							"--env or in local.settings.json", f.Name, name, b.Name))
						return true
					}
				}
				*text = expand(*text, env)
			}
		}
		return false
	})
	return errs
}

// Function finds a function by its name, in any case, as the host does.
func (a *App) Function(name string) (*Function, error) {
	names := make([]string, 0, len(a.Functions))
	for _, f := range a.Functions {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return nil, fmt.Errorf("there is no function %q; there are %s", name, strings.Join(names, ", "))
}

// localSettings reads the app settings of a development folder.
func localSettings(root string) ([]string, error) {
	text, err := readFile(filepath.Join(root, "local.settings.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var f struct{ Values map[string]string }
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("local.settings.json: %w", err)
	}
	env := make([]string, 0, len(f.Values))
	for name, value := range f.Values {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env, nil
}

// readFile reads a file of JSON, in which the host's library takes comments and more.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s: more than %d bytes", name, maxFile)
	}
	return jsonscan.Strict(b), err
}
