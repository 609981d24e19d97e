package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/scorefn/scorefn/local/pack"
)

// program is a Go program for a host whose GNU C library may be older than this system's.
type program struct {
	root, from, to string // folder of the module, package in it, file
	tags           string // build tags
	glibc, host    string // the newest version that the host is sure to have; the host, in messages
	tooNew         func(glibc string) error
}

// buildFor builds a program, and makes sure that it starts where it is deployed. A system that is newer than the host makes
// programs that ask for its own C library: there it is linked once more, for an older one, with what that needs in folder tmp.
func (p *packaging) buildFor(ctx context.Context, c *call, b program, tmp string) error {
	if err := p.build(ctx, c, b.root, b.to, b.from, "-tags", b.tags); err != nil {
		return err
	}
	glibc, err := pack.NewestGLIBC(b.to)
	if err != nil || !pack.NewerThan(glibc, b.glibc) {
		return err
	}
	fmt.Fprintf(c.err, "package: it asks for GLIBC %s, %s %s: once more, linked for an older one\n", glibc, b.host, b.glibc)
	flags, err := pack.OldGLIBC(tmp)
	if err != nil {
		return err
	}
	flags = append(flags, "-tags", strings.TrimPrefix(b.tags+","+pack.PureTags, pack.PureTags+",")) // the last of two counts
	if err := p.build(ctx, c, b.root, b.to, b.from, flags...); err != nil {
		return fmt.Errorf("%w\n%w", err, b.tooNew(glibc))
	}
	return nil
}

// starts makes sure that a program is for the architecture that is packed, and starts where the C library is no newer than most.
func (p *packaging) starts(file, most string, tooNew func(found string) error) error {
	arch, err := pack.Arch(file)
	if err != nil {
		return err
	}
	if arch != p.arch {
		return fmt.Errorf("%s is built for %q, not for %s", file, arch, p.arch)
	}
	found, err := pack.NewestGLIBC(file)
	if err == nil && pack.NewerThan(found, most) {
		err = tooNew(found)
	}
	return err
}
