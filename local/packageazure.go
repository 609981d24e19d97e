package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scorefn/scorefn/local/pack"
	"github.com/scorefn/scorefn/local/pack/azureapp"
)

// azureFlags is what "scorefn package azure" knows besides.
type azureFlags struct {
	app, plan, functions, handler string
}

func (a *azureFlags) flags(f *flag.FlagSet) {
	f.StringVar(&a.plan, "plan", "flex", "azure: the hosting `plan` to check for: "+azurePlanNames())
	f.StringVar(&a.functions, "functions", "", "azure: which functions of the app, `NAME,NAME` or all (default: http; of your own --app all)")
	f.StringVar(&a.app, "app", "", "azure: `folder` with host.json and the functions (default: the bundled one, adapters/azure/app)")
	f.StringVar(&a.handler, "handler", "", "azure: `file` that was built already, or the folder of a Go program to build (default: the one in the source here)")
}

// azureApp is where the bundled app lies in the source.
var azureApp = filepath.Join("adapters", "azure", "app")

func azurePlanNames() string {
	var names []string
	for _, p := range azureapp.Plans() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// azure makes a zip for Azure Functions: host.json, a folder for each function, handler, lib/, model/.
func (p *packaging) azure(ctx context.Context, c *call) error {
	plan, err := p.azurePlan()
	if err != nil {
		return &exit{exitUsage, err}
	}
	app, err := p.azureApp()
	if err != nil {
		return err
	}
	if err := warned(c, app.Check(plan)); err != nil {
		return err
	}
	files := pack.Files{{Name: azureapp.HostFile, Source: filepath.Join(app.Dir, azureapp.HostFile)}}
	for _, f := range app.Functions {
		name := f.Name + "/" + azureapp.FunctionFile
		files = append(files, pack.File{Name: name, Source: filepath.Join(app.Dir, filepath.FromSlash(name))})
	}
	tmp, err := os.MkdirTemp("", "scorefn-package-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }() // of this call alone; what stays is the system's to clear
	err = p.addHandler(ctx, c, plan, tmp, &files)
	if err == nil {
		err = p.addModel(ctx, c, &files)
	}
	if err == nil {
		err = p.addLibrary(ctx, c, &files)
	}
	if err != nil {
		return err
	}
	size, err := files.Size()
	if err != nil {
		return err
	}
	if err := fits(size, plan); err != nil {
		return err
	}
	out := cmp.Or(p.out, filepath.Join("dist", "azure-"+p.arch+".zip"))
	if err := writePackage(c, files, out, size); err != nil {
		return err
	}
	d := azureDeploy{w: c.out, app: app, plan: plan, out: out, sample: "REQUEST.json"}
	if p.model == "" {
		d.sample = "model/digits/1/sample.json"
	}
	d.print()
	return nil
}

// localSettings is what Core Tools keep beside host.json on a developer's machine, and do not deploy.
const localSettings = "local.settings.json"

func fits(size int64, plan azureapp.Plan) error {
	if plan.MaxSize == 0 || size <= plan.MaxSize {
		return nil
	}
	return fmt.Errorf("%d MB unpacked, an app of the plan %s has room for %d: take a smaller model or a larger plan, "+
		"or mount a file share with the model and name it in AZUREML_MODEL_DIR", size>>20, plan.Name, plan.MaxSize>>20)
}

// writePackage writes a zip, or a folder when out ends in a slash.
func writePackage(c *call, files pack.Files, out string, size int64) error {
	if strings.HasSuffix(out, "/") {
		stray, err := files.Stray(out, localSettings)
		if err == nil && stray != "" {
			err = fmt.Errorf("%s is not of this package, and would be deployed with it: remove it, or choose another folder than %s", stray, out)
		}
		if err != nil {
			return err
		}
		if err := files.Dir(out); err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.out, "%s  %d files, %.1f MB\n\n", out, len(files), float64(size)/1e6)
		return err
	}
	if err := files.Zip(out); err != nil {
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s  %d files, %.1f MB packed, %.1f MB unpacked\n\n", out, len(files), float64(info.Size())/1e6, float64(size)/1e6)
	return err
}

func (p *packaging) azurePlan() (azureapp.Plan, error) {
	for _, plan := range azureapp.Plans() {
		if plan.Name != p.az.plan {
			continue
		}
		if slices.Contains(plan.Archs, p.arch) {
			return plan, nil
		}
		if p.arch == "arm64" {
			return plan, fmt.Errorf("--arch arm64: the plan %s runs on amd64 alone; --plan container is for an image of your own, which may run on arm64", plan.Name)
		}
		return plan, fmt.Errorf("--arch %s: the plan %s has %s", p.arch, plan.Name, strings.Join(plan.Archs, " and "))
	}
	return azureapp.Plan{}, fmt.Errorf("--plan %s: expected one of %s", p.az.plan, azurePlanNames())
}

var errNoSource = errors.New("the bundled app and its program are in scorefn's source: run this there, or give --app and --handler")

// azureApp reads the app and leaves the functions that were asked for.
func (p *packaging) azureApp() (azureapp.App, error) {
	dir, names := p.az.app, p.az.functions
	if dir == "" {
		root, err := sourceRoot()
		if err != nil {
			return azureapp.App{}, fmt.Errorf("%w: %w", errNoSource, err)
		}
		dir, names = filepath.Join(root, azureApp), cmp.Or(names, "http")
	}
	app, err := azureapp.Read(dir)
	if err != nil && p.az.app == "" {
		err = fmt.Errorf("%w: %w", errNoSource, err)
	}
	if err != nil {
		return app, err
	}
	if names == "" || names == "all" {
		return app, nil
	}
	var list []string
	for name := range strings.SplitSeq(names, ",") {
		list = append(list, strings.TrimSpace(name))
	}
	if err := app.Select(list); err != nil {
		return app, &exit{exitUsage, fmt.Errorf("--functions: %w", err)}
	}
	return app, nil
}

// warned prints what may go wrong, and returns what must.
func warned(c *call, r azureapp.Report) error {
	for _, text := range r.Warnings {
		fmt.Fprintf(c.err, "package: warning: %s\n", text)
	}
	if len(r.Problems) == 0 {
		return nil
	}
	return fmt.Errorf("the app would not work:\n%w", r.Err())
}

// addHandler builds the program in the folder tmp, and makes sure that it starts where it is deployed.
func (p *packaging) addHandler(ctx context.Context, c *call, plan azureapp.Plan, tmp string, files *pack.Files) error {
	program := p.az.handler
	if info, err := os.Stat(program); program == "" || err == nil && info.IsDir() {
		if program, err = p.buildHandler(ctx, c, plan, tmp); err != nil {
			return err
		}
	}
	if err := p.starts(program, plan.GLIBC, func(found string) error { return tooNew(program, found, plan) }); err != nil {
		return err
	}
	*files = append(*files, pack.File{Name: azureapp.Handler, Source: program, Exec: true})
	return nil
}

func tooNew(program, glibc string, plan azureapp.Plan) error {
	return fmt.Errorf("%s needs GLIBC %s, but a host of Azure Functions may have no more than %s: let this command build it, or build it in a container of Debian 11",
		program, glibc, plan.GLIBC)
}

// buildHandler builds the program in the folder tmp; where that needs a newer C library than hosts have, it is linked for an older one.
func (p *packaging) buildHandler(ctx context.Context, c *call, plan azureapp.Plan, tmp string) (string, error) {
	root, from := p.az.handler, "."
	if root == "" {
		var err error
		if root, err = sourceRoot(); err != nil {
			return "", fmt.Errorf("%w: %w", errNoSource, err)
		}
		from = "./adapters/azure/handler"
	}
	to := filepath.Join(tmp, azureapp.Handler)
	return to, p.buildFor(ctx, c, program{
		root: root, from: from, to: to, tags: pack.PureTags, glibc: plan.GLIBC, host: "a host may have",
		tooNew: func(glibc string) error { return tooNew(to, glibc, plan) },
	}, tmp)
}
