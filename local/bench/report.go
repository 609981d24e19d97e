package bench

// ReportFormat is Report.Format: it changes when a field goes or means something else, and not when one comes.
const ReportFormat = 1

// Report is everything that was measured. Times of cold starts are milliseconds, of warm requests microseconds. Its JSON is
// described in README.md.
type Report struct {
	Format     int      `json:"format"`
	Machine    Machine  `json:"machine"`
	ColdRounds int      `json:"cold_rounds"`
	WarmRounds int      `json:"warm_rounds"`
	Slice      string   `json:"slice"` // of one measurement in a warm round
	Clients    []int    `json:"clients"`
	Took       string   `json:"took"`
	Models     []*Model `json:"models"`
}

// Model is what was measured with one model.
type Model struct {
	Name    string     `json:"name"`
	Bytes   int64      `json:"bytes"`
	Threads int        `json:"threads"`
	Body    int        `json:"request_bytes"`
	Cold    []Cold     `json:"cold,omitempty"` // the C limit first
	Runs    []ModelRun `json:"runs,omitempty"` // the C limit first
	Warm    []Warm     `json:"warm,omitempty"`
	Budgets []Budget   `json:"budgets,omitempty"`
	Skipped []string   `json:"skipped,omitempty"` // what could not take part, and why
}

// Cold is the starts of one program, from the start of the process to the first scored answer.
type Cold struct {
	Name    string    `json:"name"`
	Peer    bool      `json:"peer,omitempty"`
	MS      Spread    `json:"ms"`
	Ratio   Spread    `json:"ratio"` // to the C limit in the same round
	CPU     Spread    `json:"cpu_ms"`
	OfCPU   Spread    `json:"cpu_ratio"`
	Phases  []Phase   `json:"phases,omitempty"`
	Samples []float64 `json:"samples_ms"`
}

// Phase is a part of a cold start, as the median of the rounds.
type Phase struct {
	Name string  `json:"name"`
	MS   float64 `json:"ms"`
}

// ModelRun is one run of the model, tensors in to tensors out, without a server.
type ModelRun struct {
	Name  string  `json:"name"`
	NS    Spread  `json:"ns"`
	Ratio Spread  `json:"ratio"` // to the C limit in the same round
	CPU   Spread  `json:"cpu_ns"`
	OfCPU Spread  `json:"cpu_ratio"`
	RSSMB float64 `json:"rss_mb"`
}

// Warm is requests to one program that has answered before.
type Warm struct {
	Name       string       `json:"name"`
	Peer       bool         `json:"peer,omitempty"`
	P50        float64      `json:"p50_us"` // of all requests of one client
	P90        float64      `json:"p90_us"`
	P99        float64      `json:"p99_us"`
	N          int          `json:"n"`
	Round      Spread       `json:"p50_of_rounds_us"`
	Ratio      Spread       `json:"ratio"`               // to an empty net/http server and the C limit's run, in the same round
	OfInside   Spread       `json:"ratio_to_run_inside"` // to a net/http server that runs the model and does nothing else
	CPU        Spread       `json:"cpu_us"`
	RSSMB      float64      `json:"rss_mb"`
	Throughput []Throughput `json:"throughput"`
	Growth     *Growth      `json:"growth,omitempty"`
}

// Throughput is the requests a second of so many clients.
type Throughput struct {
	Clients   int    `json:"clients"`
	PerSecond Spread `json:"per_second"`
}

// Growth is the memory after many more requests.
type Growth struct {
	Requests int     `json:"requests"`
	Shapes   int     `json:"shapes"`
	RSSMB    float64 `json:"rss_mb"`
	GrownMB  float64 `json:"grown_mb"`
}
