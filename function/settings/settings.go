// Package settings is the one table of everything that the environment can set: names, defaults, meaning. It is the only
// place that reads the environment for the core; the README's table and "scorefn doctor" print it. Names that other
// products made standard come first, ours start with SCOREFN_.
package settings

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Settings is the environment, parsed. The zero value is not the default: use [Load] or [FromEnv].
type Settings struct {
	AzureMLModelDir string        // AZUREML_MODEL_DIR: folder or file
	ModelDir        string        // MODEL_DIR: the same, when AZUREML_MODEL_DIR is not set
	ModelFile       string        // MODEL_FILE: path of the model file, absolute or inside the model folder
	ModelName       string        // MODEL_NAME
	ModelVersion    string        // MODEL_VERSION
	Library         string        // ONNXRUNTIME_LIB: path of the ONNX Runtime library, "" to search
	Port            int           // PORT: TCP port of the HTTP servers
	ScoringTimeout  time.Duration // SCORING_TIMEOUT_MS: longest run of one request
	Threads         int           // SCOREFN_THREADS: threads of one run; 0 is automatic
	Concurrency     int           // SCOREFN_CONCURRENCY: runs at one time; 0 is automatic
	Queue           int           // SCOREFN_QUEUE: requests that may wait for a run
	BatchRows       int           // SCOREFN_BATCH: most rows of a run that requests share; 0 is off
	BatchDelay      time.Duration // SCOREFN_BATCH: longest wait for company
	MaxBody         int           // SCOREFN_MAX_BODY: bytes of one request body
	MaxElements     int           // SCOREFN_MAX_ELEMENTS: elements of one request's tensors
	NonFinite       string        // SCOREFN_NONFINITE: null or token
	Lenient         bool          // SCOREFN_LENIENT: numeric inputs take true, false and numbers in quotes
	LogLevel        string        // SCOREFN_LOG_LEVEL: debug, info, warn or error
	AccessLog       bool          // SCOREFN_ACCESS_LOG: one log line a scoring request
	CORSOrigins     string        // AML_CORS_ORIGINS: comma list, or *
	ServiceName     string        // SERVICE_NAME: title of the API documents
	ServiceVersion  string        // SERVICE_VERSION: version of the API documents
	PathPrefix      string        // SERVICE_PATH_PREFIX: in front of the paths in the API documents
	AppRoot         string        // AML_APP_ROOT: folder of the user's own swagger.json files
	Errors          string        // SCOREFN_ERRORS: message or entry-script
	VersionHeader   bool          // SCOREFN_SERVER_VERSION_HEADER: x-ms-server-version is sent
	StrictType      bool          // SCOREFN_STRICT_CONTENT_TYPE: a JSON body must be declared as one
	HealthRoute     string        // AIP_HEALTH_ROUTE: one more route of the health probe (Vertex AI)
	PredictRoute    string        // AIP_PREDICT_ROUTE: one more scoring route (Vertex AI)
	VertexPort      int           // AIP_HTTP_PORT: beats Port (Vertex AI); 0 is not set
	LambdaMemoryMB  int           // AWS_LAMBDA_FUNCTION_MEMORY_SIZE, set by AWS Lambda; 0 elsewhere
}

// Setting is one row of the table.
type Setting struct {
	Group   string // rows of one group stand together
	Name    string // environment variable
	Default string // as it would be written; "" for none
	Doc     string // one sentence fragment for a user
	parse   func(s *Settings, text string) error
}

var table = []Setting{
	{"model", "AZUREML_MODEL_DIR", "", "model folder or file; beats MODEL_DIR and the bundled model", str(func(s *Settings) *string { return &s.AzureMLModelDir })},
	{"model", "MODEL_DIR", "", "the same, when AZUREML_MODEL_DIR is not set", str(func(s *Settings) *string { return &s.ModelDir })},
	{"model", "MODEL_FILE", "", "path of the model file, absolute or inside the model folder", str(func(s *Settings) *string { return &s.ModelFile })},
	{"model", "MODEL_NAME", "", "which model, where the folder holds several", str(func(s *Settings) *string { return &s.ModelName })},
	{"model", "MODEL_VERSION", "", "which version; the highest by default", str(func(s *Settings) *string { return &s.ModelVersion })},
	{"runs", "ONNXRUNTIME_LIB", "", "path of the ONNX Runtime library, instead of the search", str(func(s *Settings) *string { return &s.Library })},
	{"runs", "SCORING_TIMEOUT_MS", "3600000", "longest run of one request, in milliseconds", millis},
	{"runs", "SCOREFN_THREADS", "0", "threads of one run; 0: 1 for a small model, else the vCPUs that are granted", number(func(s *Settings) *int { return &s.Threads }, 0, 1024)},
	{"runs", "SCOREFN_CONCURRENCY", "0", "runs at one time; 0: vCPUs / threads", number(func(s *Settings) *int { return &s.Concurrency }, 0, 4096)},
	{"runs", "SCOREFN_QUEUE", "64", "requests that may wait for a run; one more is answered 503", number(func(s *Settings) *int { return &s.Queue }, 0, math.MaxInt32)},
	{"runs", "SCOREFN_BATCH", "off", "rows or rows,delay (16 or 16,2ms): waiting requests and items of events share a run of up to that many rows, if the model allows", batching},
	{"runs", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0", "set by AWS Lambda; a vCPU is counted for every 1769 MB", number(func(s *Settings) *int { return &s.LambdaMemoryMB }, 0, math.MaxInt32)},
	{"requests", "SCOREFN_MAX_BODY", "104857600", "largest request body in bytes; a larger one is answered 413", number(func(s *Settings) *int { return &s.MaxBody }, 1, math.MaxInt)},
	{"requests", "SCOREFN_MAX_ELEMENTS", "67108864", "most tensor elements in one request", number(func(s *Settings) *int { return &s.MaxElements }, 1, math.MaxInt)},
	{"requests", "SCOREFN_LENIENT", "false", "true: numeric inputs take true, false and numbers in quotes, as numpy does", boolean(func(s *Settings) *bool { return &s.Lenient })},
	{"requests", "SCOREFN_STRICT_CONTENT_TYPE", "false", "true: JSON that is not declared as application/json is answered 415", boolean(func(s *Settings) *bool { return &s.StrictType })},
	{"answers", "SCOREFN_NONFINITE", "null", "how NaN and infinities are answered: null, or token (NaN, Infinity, -Infinity as Python writes them)", oneOf(func(s *Settings) *string { return &s.NonFinite }, "null", "token")},
	{"answers", "SCOREFN_ERRORS", "message", "entry-script: errors of scoring are answered 200 with their text as a JSON string, as the documented score.py does", oneOf(func(s *Settings) *string { return &s.Errors }, "message", "entry-script")},
	{"answers", "SCOREFN_SERVER_VERSION_HEADER", "true", "false: no header x-ms-server-version", boolean(func(s *Settings) *bool { return &s.VersionHeader })},
	{"HTTP", "PORT", "8080", "port of the HTTP servers", number(func(s *Settings) *int { return &s.Port }, 0, 65535)},
	{"HTTP", "AML_CORS_ORIGINS", "", "origins that browsers may call from, comma separated, or *", str(func(s *Settings) *string { return &s.CORSOrigins })},
	{"HTTP", "AIP_HTTP_PORT", "0", "beats PORT; set by Vertex AI", number(func(s *Settings) *int { return &s.VertexPort }, 0, 65535)},
	{"HTTP", "AIP_HEALTH_ROUTE", "", "one more route of the health probe; set by Vertex AI", str(func(s *Settings) *string { return &s.HealthRoute })},
	{"HTTP", "AIP_PREDICT_ROUTE", "", "one more scoring route; set by Vertex AI", str(func(s *Settings) *string { return &s.PredictRoute })},
	{"API documents", "AML_APP_ROOT", "", "folder whose swagger.json, swagger2.json, swagger3.json, swagger3.1.json replace the made documents; the model's folder by default", str(func(s *Settings) *string { return &s.AppRoot })},
	{"API documents", "SERVICE_NAME", "ML service", "title of the API documents", str(func(s *Settings) *string { return &s.ServiceName })},
	{"API documents", "SERVICE_VERSION", "1.0", "version of the API documents", str(func(s *Settings) *string { return &s.ServiceVersion })},
	{"API documents", "SERVICE_PATH_PREFIX", "", "in front of the paths in the API documents; routes do not move", str(func(s *Settings) *string { return &s.PathPrefix })},
	{"log", "SCOREFN_ACCESS_LOG", "true", "false: no log line for each request", boolean(func(s *Settings) *bool { return &s.AccessLog })},
	{"log", "SCOREFN_LOG_LEVEL", "info", "debug, info, warn or error", oneOf(func(s *Settings) *string { return &s.LogLevel }, "debug", "info", "warn", "error")},
}

// Table is every setting, in the order in which it is printed.
func Table() []Setting { return append([]Setting(nil), table...) }

// Load reads every setting through getenv, where "" means not set. The error names each bad value, what was expected and
// what was found.
func Load(getenv func(string) string) (Settings, error) {
	var s Settings
	var errs []error
	for _, row := range table {
		text := strings.TrimSpace(getenv(row.Name))
		if text == "" {
			text = row.Default
		}
		if err := row.parse(&s, text); err != nil {
			errs = append(errs, fmt.Errorf("%s=%q: %w", row.Name, text, err))
		}
	}
	if s.VertexPort != 0 {
		s.Port = s.VertexPort
	}
	if len(errs) > 0 {
		return Settings{}, fmt.Errorf("settings: %w", errors.Join(errs...))
	}
	return s, nil
}

// FromEnv is the process's own environment, read once.
var FromEnv = sync.OnceValues(func() (Settings, error) { return Load(os.Getenv) })

type key struct{}

// With is ctx with s, which then holds for the model that is loaded under it instead of the process's environment.
func With(ctx context.Context, s Settings) context.Context { return context.WithValue(ctx, key{}, s) }

// From is the settings that ctx was made [With], else [FromEnv].
func From(ctx context.Context) (Settings, error) {
	if s, ok := ctx.Value(key{}).(Settings); ok {
		return s, nil
	}
	return FromEnv()
}

// Lambda grants one vCPU for every 1769 MB of memory (AWS Lambda developer guide, "Configure Lambda function memory").
const lambdaMemoryPerCPU = 1769

// VCPUs is the number of processors that the platform really grants: at least 1. Outside Lambda the Go runtime already
// takes it from the CPU affinity and the cgroup's quota.
func (s Settings) VCPUs() int {
	n := runtime.GOMAXPROCS(0)
	if s.LambdaMemoryMB > 0 {
		n = min(n, (s.LambdaMemoryMB+lambdaMemoryPerCPU/2)/lambdaMemoryPerCPU)
	}
	return max(n, 1)
}

func str(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		*field(s) = text
		return nil
	}
}

func number(field func(*Settings) *int, low, high int) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return fmt.Errorf("expected a whole number from %d to %d", low, high)
		}
		*field(s) = n
		return nil
	}
}

func millis(s *Settings, text string) error {
	const longest = int64(math.MaxInt64 / time.Millisecond)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > longest {
		return errors.New("expected a whole number of milliseconds, 1 or more")
	}
	s.ScoringTimeout = time.Duration(n) * time.Millisecond
	return nil
}

const (
	maxBatchRows  = 1024
	maxBatchDelay = time.Second
)

func batching(s *Settings, text string) error {
	if strings.EqualFold(text, "off") {
		return nil
	}
	rows, delay, hasDelay := strings.Cut(text, ",")
	n, err := strconv.Atoi(strings.TrimSpace(rows))
	if err == nil && hasDelay {
		s.BatchDelay, err = time.ParseDuration(strings.TrimSpace(delay))
	}
	if err != nil || n < 2 || n > maxBatchRows || s.BatchDelay < 0 || s.BatchDelay > maxBatchDelay {
		return fmt.Errorf("expected off, or rows from 2 to %d, or rows and a delay up to %v such as 16,2ms", maxBatchRows, maxBatchDelay)
	}
	s.BatchRows = n
	return nil
}

func oneOf(field func(*Settings) *string, words ...string) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		for _, w := range words {
			if strings.EqualFold(text, w) {
				*field(s) = w
				return nil
			}
		}
		return errors.New("expected " + strings.Join(words, " or "))
	}
}

func boolean(field func(*Settings) *bool) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return errors.New("expected true or false")
		}
		*field(s) = b
		return nil
	}
}
