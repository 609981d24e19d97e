package lambdaemu

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// report is the last line of a call's log.
type report struct {
	id               string
	init             time.Duration // of the process that this call started
	memoryMB, usedMB int
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// text is the line as CloudWatch shows it. The init phase is billed as well, since 1 August 2025.
func (r report) text(took time.Duration, fail *functionFail) string {
	fields := []string{
		"REPORT RequestId: " + r.id,
		fmt.Sprintf("Duration: %.2f ms", millis(took)),
		fmt.Sprintf("Billed Duration: %.0f ms", math.Ceil(millis(took+r.init))),
		fmt.Sprintf("Memory Size: %d MB", r.memoryMB),
	}
	if r.usedMB > 0 { // unknown on some systems
		fields = append(fields, fmt.Sprintf("Max Memory Used: %d MB", r.usedMB))
	}
	if r.init > 0 {
		fields = append(fields, fmt.Sprintf("Init Duration: %.2f ms", millis(r.init)))
	}
	switch {
	case fail == nil:
	case fail.timeout:
		fields = append(fields, "Status: timeout")
	default:
		fields = append(fields, "Status: error", "Error Type: "+fail.kind)
	}
	return strings.Join(fields, "\t")
}

// line is a line of the platform's in a call's log.
func (e *Emulator) line(inv *invocation, format string, a ...any) {
	b := fmt.Appendf(nil, format, a...)
	e.out.Line(b)
	inv.log.line(b)
}

// ending writes the lines after a call, after everything that the process wrote during it.
func (e *Emulator) ending(box *sandbox, inv *invocation, rep *report, fail *functionFail, took time.Duration, alive bool) {
	if box != nil {
		if alive {
			box.process.Sync()
		}
		box.process.Attach(nil)
	}
	e.line(inv, "END RequestId: %s", inv.id)
	e.line(inv, "%s", rep.text(took, fail))
	if rep.usedMB > rep.memoryMB {
		e.line(inv, "%s used %d MB of %d MB: AWS would have ended the process (Runtime.OutOfMemory)", inv.id, rep.usedMB, rep.memoryMB)
	}
}
