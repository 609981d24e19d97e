// Package azureapp reads the folder of an Azure Functions app with a custom handler, host.json and a function.json in a
// folder for each function, and says what is wrong with it before Azure does, or keeps silent about it.
//
// The rules are those of the Functions host (azure-functions-host, ScriptHost and HttpWorkerOptionsSetup) and of its
// documentation: "host.json reference for Azure Functions 2.x and later" and "Azure Functions custom handlers".
package azureapp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// The names that the host knows.
const (
	HostFile     = "host.json"
	FunctionFile = "function.json"
	Handler      = "handler" // the executable, beside host.json
)

// maxFile bounds a JSON file of an app.
const maxFile = 1 << 20

// App is an app's configuration.
type App struct {
	Dir       string
	Host      Host
	Functions []Function // by name
	Others    []string   // what lies in the folder besides
}

// Function is a folder with a function.json.
type Function struct {
	Name     string
	Bindings []Binding       `json:"bindings"`
	Retry    json.RawMessage `json:"retry"`

	beside []string // what else the folder holds
}

// Binding is what triggers a function, or where an answer goes.
type Binding struct {
	Type        string `json:"type"`
	Direction   string `json:"direction"`
	Name        string `json:"name"`
	Connection  string `json:"connection"`
	Source      string `json:"source"`      // blobTrigger: EventGrid, or else the container is searched again and again
	Cardinality string `json:"cardinality"` // eventHubTrigger, serviceBusTrigger: one or many
	DataType    string `json:"dataType"`
	AuthLevel   string `json:"authLevel"`
	Route       string `json:"route"`

	QueueName        string `json:"queueName"`
	TopicName        string `json:"topicName"`
	SubscriptionName string `json:"subscriptionName"`
	EventHubName     string `json:"eventHubName"`
	Path             string `json:"path"`
}

// Read reads the app in dir. A link is not followed: a deployment has none.
func Read(dir string) (App, error) {
	app := App{Dir: dir}
	if err := decode(filepath.Join(dir, HostFile), &app.Host); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return App{}, fmt.Errorf("azureapp: %s holds no %s: it is not the folder of a function app", dir, HostFile)
		}
		return App{}, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return App{}, fmt.Errorf("azureapp: %w", err)
	}
	for _, e := range entries {
		if e.Name() == HostFile {
			continue
		}
		f, err := readFunction(filepath.Join(dir, e.Name()))
		switch {
		case err == nil:
			app.Functions = append(app.Functions, f)
		case errors.Is(err, fs.ErrNotExist):
			app.Others = append(app.Others, e.Name())
		default:
			return App{}, err
		}
	}
	return app, nil
}

// readFunction reads a function's folder; fs.ErrNotExist when it is none.
func readFunction(dir string) (Function, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return Function{}, fmt.Errorf("azureapp: %w", err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if _, err := os.Stat(filepath.Join(dir, FunctionFile)); err == nil {
			return Function{}, fmt.Errorf("azureapp: %s is a symbolic link: a deployment holds real files only", dir)
		}
		return Function{}, fs.ErrNotExist
	}
	if !info.IsDir() {
		return Function{}, fs.ErrNotExist
	}
	f := Function{}
	if err := decode(filepath.Join(dir, FunctionFile), &f); err != nil {
		return Function{}, err
	}
	f.Name = filepath.Base(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Function{}, fmt.Errorf("azureapp: %w", err)
	}
	for _, e := range entries {
		if e.Name() != FunctionFile {
			f.beside = append(f.beside, e.Name())
		}
	}
	return f, nil
}

// decode reads one JSON value from a regular file.
func decode(file string, to any) error {
	info, err := os.Lstat(file)
	if err != nil {
		return fmt.Errorf("azureapp: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("azureapp: %s is not a regular file: a deployment holds real files only", file)
	}
	if info.Size() > maxFile {
		return fmt.Errorf("azureapp: %s has %d bytes, more than the %d of any configuration", file, info.Size(), maxFile)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("azureapp: %w", err)
	}
	if err := parse(b, to); err != nil {
		return fmt.Errorf("azureapp: %s: %w", file, err)
	}
	return nil
}

// parse reads one JSON value, in which the host's library takes comments and more.
func parse(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(jsonscan.Strict(b)))
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the JSON object")
	}
	return nil
}

// Select leaves the named functions, in order of their names.
func (a *App) Select(names []string) error {
	var chosen []Function
	for _, f := range a.Functions {
		if slices.Contains(names, f.Name) {
			chosen = append(chosen, f)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(chosen, func(f Function) bool { return f.Name == name }) {
			return fmt.Errorf("there is no function %q in %s: there is %s", name, a.Dir, a.names())
		}
	}
	a.Functions = chosen
	return nil
}

func (a *App) names() string {
	if len(a.Functions) == 0 {
		return "none"
	}
	var names []string
	for _, f := range a.Functions {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
