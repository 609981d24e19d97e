package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"

	"github.com/scorefn/scorefn/local/ortlib"
)

// libraries is the folder of the source that packages are made with.
const libraries = "lib"

func setupFlags(f *flag.FlagSet, c *call) {
	f.StringVar(&c.dir, "dir", libraries, "`folder` to put the library in, as OS-ARCH/FILE; lib gets those of Linux besides, which packages are made with")
	f.StringVar(&c.goos, "os", runtime.GOOS, "operating system, as Go names it")
	f.StringVar(&c.goarch, "arch", runtime.GOARCH, "architecture, as Go names it")
}

// setup fetches the library unless it is there; ONNXRUNTIME_LIB says that the user brings one.
func setup(ctx context.Context, c *call) error {
	if lib := c.getenv("ONNXRUNTIME_LIB"); lib != "" {
		_, err := fmt.Fprintf(c.err, "setup: ONNXRUNTIME_LIB=%s is used, nothing is fetched\n", lib)
		return err
	}
	_, err := ortlib.Ensure(ctx, ortlib.Options{Dir: c.dir, GOOS: c.goos, GOARCH: c.goarch, Linux: c.dir == libraries, Progress: c.err})
	return err
}
