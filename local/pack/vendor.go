package pack

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Vendor adds the folder vendor/ with the source of every package, C code and headers included, and the licences of their
// modules: what the go command builds with -mod=vendor without network and without a module cache. Unlike "go mod vendor" it
// takes the files of one platform, and source of replaced modules and of the module here itself as it lies on this machine.
func (s *GoSource) Vendor(f *Files) error {
	legal := map[string]string{}
	for i := range s.packages {
		p := &s.packages[i]
		names, err := s.files(p)
		if err != nil {
			return err
		}
		for _, name := range names {
			*f = append(*f, File{Name: path.Join("vendor", p.ImportPath, name), Source: filepath.Join(p.Dir, name)})
		}
		if err := p.legal(legal); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(legal)) {
		*f = append(*f, File{Name: name, Source: legal[name]})
	}
	*f = append(*f, File{Name: "vendor/modules.txt", Text: s.modulesTxt()})
	return nil
}

var legalFile = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice|patents)([.-]|$)`)
})

// legal adds the licences in the package's folder and above, up to the root of its module.
func (p *goPackage) legal(to map[string]string) error {
	dir, name := p.Dir, p.ImportPath
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		for _, e := range entries {
			if e.Type().IsRegular() && legalFile().MatchString(e.Name()) && !strings.HasSuffix(e.Name(), ".go") {
				to[path.Join("vendor", name, e.Name())] = filepath.Join(dir, e.Name())
			}
		}
		if name == p.Module.Path || name == "." {
			return nil
		}
		dir, name = filepath.Dir(dir), path.Dir(name)
	}
}

// module is one module with the packages that are taken from it.
type module struct {
	goModule
	packages []string
}

func (s *GoSource) modules() []module {
	var all []module
	for _, p := range s.packages { // sorted, but those of a module need not be neighbours
		i := slices.IndexFunc(all, func(m module) bool { return m.Path == p.Module.Path })
		if i < 0 {
			i, all = len(all), append(all, module{goModule: *p.Module})
		}
		all[i].packages = append(all[i].packages, p.ImportPath)
	}
	slices.SortFunc(all, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

var majorVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:gopkg\.in/.*\.|.*/)(v[0-9]+)$`) })

// required is the version for go.mod. The module here has none; the go command asks for one that fits its path.
func (m *goModule) required() string {
	if m.Version != "" {
		return m.Version
	}
	if major := majorVersion().FindStringSubmatch(m.Path); major != nil {
		return major[1] + ".0.0"
	}
	return "v0.0.0"
}

// modulesTxt is vendor/modules.txt, which the go command compares with go.mod.
func (s *GoSource) modulesTxt() string {
	var b strings.Builder
	for _, m := range s.modules() {
		fmt.Fprintf(&b, "# %s %s\n## explicit", m.Path, m.required())
		if lang, _ := language(m.GoVersion); lang != "" {
			b.WriteString("; go " + lang) // the language alone: a patch level could be newer than the builder
		}
		b.WriteString("\n" + strings.Join(m.packages, "\n") + "\n")
	}
	return b.String()
}

// GoMod is the go.mod of a module of that path that requires exactly what [GoSource.Vendor] brings.
func (s *GoSource) GoMod(comment, modulePath string) string {
	var direct, indirect []string
	for _, m := range s.modules() {
		named := slices.ContainsFunc(s.packages, func(p goPackage) bool { return !p.DepOnly && p.Module.Path == m.Path })
		line := "\t" + m.Path + " " + m.required()
		if named {
			direct = append(direct, line+"\n")
		} else {
			indirect = append(indirect, line+" // indirect\n")
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "// %s\n\nmodule %s\n\ngo %s\n", comment, modulePath, s.Language)
	for _, lines := range [][]string{direct, indirect} {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\nrequire (\n%s)\n", strings.Join(lines, ""))
		}
	}
	return b.String()
}

// Packages is how many packages there are.
func (s *GoSource) Packages() int { return len(s.packages) }
