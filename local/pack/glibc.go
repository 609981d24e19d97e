package pack

import (
	_ "embed" // the shim
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed glibc/shim.c
var shim string

// wrapped is the functions of the shim: every WRAP, and the start.
const wrapped = `\n(?:WRAP\([^,]+, (\w+),|int __wrap_(\w+)\()`

// PureTags are the build tags with which Go itself looks up names of hosts and users, instead of the C library.
const PureTags = "netgo,osusergo"

// OldGLIBC is the flags of "go build" that link a cgo program for an older GNU C library than the one of this system: on
// x86-64 one of 2014, on arm64 the first that there was. They need a file, which is written to dir.
//
// It builds with [PureTags]: the C library's resolver has moved, too.
func OldGLIBC(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	file, err := filepath.Abs(filepath.Join(dir, "shim.c"))
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if strings.ContainsAny(file, `'"`) {
		return nil, fmt.Errorf("pack: %s: the linker's flags cannot hold a quote: build in a folder without one", file)
	}
	if err := os.WriteFile(file, []byte(shim), 0o644); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	// -no-pie is what Go finds out by itself otherwise: its trial does not link with --wrap.
	link := []string{"-no-pie"}
	for _, f := range regexp.MustCompile(wrapped).FindAllStringSubmatch(shim, -1) {
		link = append(link, "-Wl,--wrap="+f[1]+f[2])
	}
	link = append(link, "'"+file+"'", "-Wl,--no-as-needed", "-l:libpthread.so.0", "-l:libdl.so.2")
	// The build id would be another in another folder.
	return []string{"-tags", PureTags, "-ldflags", `-s -w -buildid= "-extldflags=` + strings.Join(link, " ") + `"`}, nil
}
