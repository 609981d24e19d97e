package pack

import (
	"debug/elf"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// NewestGLIBC is the newest version of the GNU C library that a program or library for Linux asks for, "2.34"; "" when it
// asks for none.
func NewestGLIBC(file string) (version string, err error) {
	f, err := elf.Open(file)
	if err != nil {
		return "", fmt.Errorf("pack: %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	needs, err := f.DynamicVersionNeeds()
	if errors.Is(err, elf.ErrNoSymbols) || err != nil && len(needs) == 0 && f.Type == elf.ET_EXEC {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("pack: %s: %w", file, err)
	}
	for _, n := range needs {
		for _, d := range n.Needs {
			if v, ok := strings.CutPrefix(d.Dep, "GLIBC_"); ok && NewerThan(v, version) {
				version = v
			}
		}
	}
	return version, nil
}

// NewerThan compares versions such as 2.34; "" is older than all, and a text that is none is.
func NewerThan(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		if p, q := part(x, i), part(y, i); p != q {
			return p > q
		}
	}
	return false
}

func part(v []string, i int) int {
	if i >= len(v) {
		return 0
	}
	n, err := strconv.Atoi(v[i])
	if err != nil {
		return -1
	}
	return n
}

// Arch is the architecture that a file for Linux is built for, as Go names it; "" when it is another.
func Arch(file string) (string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return "", fmt.Errorf("pack: %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	switch f.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	default:
		return "", nil
	}
}
