package azureemu

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%([^%\s]+)%`) })

// expand puts app settings in the place of %NAME%; what is not set is removed.
func expand(text string, env []string) string {
	return variable().ReplaceAllStringFunc(text, func(m string) string { return lookup(env, strings.Trim(m, "%")) })
}

// lookup is the last value of name in env, in which later ones beat earlier ones.
func lookup(env []string, name string) string {
	for _, kv := range slices.Backward(env) {
		if have, value, _ := strings.Cut(kv, "="); have == name {
			return value
		}
	}
	return ""
}

// command is what the host starts and where: HttpWorkerDescription.ApplyDefaultsAndValidate and DefaultWorkerProcessFactory.
func (a *App) command(env []string) (argv []string, dir string, err error) {
	base := a.Root
	if a.Host.WorkerDir != "" {
		base = within(a.Root, a.Host.WorkerDir)
	}
	dir = a.Root
	if a.Host.WorkingDir != "" {
		dir = within(a.Root, a.Host.WorkingDir)
	}
	exe := filepath.FromSlash(expand(a.Host.Executable, env))
	if !filepath.IsAbs(exe) {
		joined := filepath.Join(base, exe)
		if _, err := os.Stat(joined); err == nil {
			exe = joined
		} else if exe, err = onPath(exe, lookup(env, "PATH")); err != nil {
			return nil, "", fmt.Errorf("host.json starts %q, which is neither in %s nor on PATH", a.Host.Executable, base)
		}
	}
	// The host joins the arguments with blanks and quotes nothing; .NET takes the line apart again.
	return append([]string{exe}, words(expand(strings.Join(a.Host.Arguments, " "), env))...), dir, nil
}

func within(root, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(root, path)
}

func onPath(name, path string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return "", os.ErrNotExist
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", os.ErrNotExist
}

// words splits at blanks outside of double quotes.
func words(line string) []string {
	var all []string
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range line {
		switch {
		case r == '"':
			quoted, begun = !quoted, true
		case (r == ' ' || r == '\t') && !quoted:
			if begun {
				all = append(all, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		all = append(all, word.String())
	}
	return all
}
