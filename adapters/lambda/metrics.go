package lambda

import (
	"io"
	"strconv"
	"sync"
	"time"
)

// metrics writes one line an invocation in CloudWatch's embedded metric format (CloudWatch user guide, "Specification:
// Embedded metric format"), which becomes metrics in the namespace scorefn without a call to any service.
type metrics struct {
	function string

	mu  sync.Mutex // concurrent invocations must not share a line
	out io.Writer
}

// emit reports v, which took d.
func (m *metrics) emit(v *invocation, now time.Time, d time.Duration) {
	b := make([]byte, 0, 512)
	b = append(b, `{"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, now.UnixMilli(), 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":"scorefn","Dimensions":[["FunctionName","Source"]],"Metrics":[`+
		`{"Name":"Latency","Unit":"Milliseconds"},{"Name":"BatchSize","Unit":"Count"},{"Name":"Failures","Unit":"Count"}`...)
	if v.cold {
		b = append(b, `,{"Name":"ColdStart","Unit":"Count"}`...)
	}
	b = append(b, `]}]},"FunctionName":`...)
	b = appendString(b, m.function)
	b = append(appendString(append(b, `,"Source":`...), v.event.kind.String()), `,"Latency":`...)
	b = strconv.AppendFloat(b, float64(d.Microseconds())/1e3, 'f', -1, 64)
	b = strconv.AppendInt(append(b, `,"BatchSize":`...), int64(v.records), 10)
	b = strconv.AppendInt(append(b, `,"Failures":`...), int64(v.failures), 10)
	if v.cold {
		b = append(b, `,"ColdStart":1`...)
	}
	b = append(b, "}\n"...)
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.out.Write(b) // a log that cannot be written has nobody to be told
}
