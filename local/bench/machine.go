package bench

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	core "github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/onnx"
)

// Machine is where and with what was measured.
type Machine struct {
	Date        string `json:"date"`
	Scorefn     string `json:"scorefn"`
	Go          string `json:"go"`
	ONNXRuntime string `json:"onnxruntime"`
	OS          string `json:"os"`
	CPU         string `json:"cpu"`
	CPUs        int    `json:"cpus"`
	Load        string `json:"load"` // average of the last minute when the run began
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, scorefn %s, Go %s, ONNX Runtime %s, %s, %d x %s", m.Date, m.Scorefn, m.Go, m.ONNXRuntime, m.OS, m.CPUs, m.CPU)
}

func describeMachine(now time.Time) Machine {
	return Machine{
		Date:    now.UTC().Format("2006-01-02 15:04 UTC"),
		Scorefn: core.Version, Go: strings.TrimPrefix(runtime.Version(), "go"), ONNXRuntime: onnx.LibraryVersion(),
		OS:  strings.TrimSpace(runtime.GOOS + "/" + runtime.GOARCH + " " + read("/proc/sys/kernel/osrelease")),
		CPU: processor(read("/proc/cpuinfo")), CPUs: runtime.GOMAXPROCS(0), Load: strings.SplitN(read("/proc/loadavg"), " ", 2)[0],
	}
}

// read is a file of /proc, "" where there is none.
func read(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(b))
}

// processor is the name of the first processor in /proc/cpuinfo; not every architecture gives one.
func processor(info string) string {
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
