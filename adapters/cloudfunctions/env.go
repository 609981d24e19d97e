package cloudfunctions

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function/settings"
)

// table is everything that the adapter reads of the environment beside the core's settings, and the only place that says so.
var table = []settings.Setting{
	{Name: "SCOREFN_OUTPUT", Doc: "gs://bucket/prefix where the answers to events are stored, one object each"},
	{Name: "SCOREFN_DEAD_LETTER", Doc: "gs://bucket/prefix where events that can never be scored are kept, with the error; otherwise only the log tells of them"},
	{Name: "SCOREFN_EVENTS", Default: "true", Doc: "false: nothing is taken for an event. For a service that the public may call: an event names the object to read"},
	{Name: "SCOREFN_LAZY", Default: "false", Doc: "true: the first request loads the model, instead of the start"},
	{Name: "CLOUD_RUN_TIMEOUT_SECONDS", Doc: "set by Cloud Functions; a request is stopped and answered 504 a little earlier"},
	{Name: "FUNCTION_TARGET", Doc: "set by Cloud Functions; the function whose model is loaded at the start"},
	{Name: "K_SERVICE", Doc: "set by Cloud Run and Cloud Functions; an answer over 32 MB, which they would cut off, is an error"},
	{Name: "GOOGLE_CLOUD_PROJECT", Doc: "project of the traces in the log; the metadata server is asked when it is not set"},
	{Name: "GCE_METADATA_HOST", Default: "metadata.google.internal", Doc: "host of the metadata server, which gives access tokens"},
	{Name: "GOOGLE_APPLICATION_CREDENTIALS", Doc: "file with a service account's key or a user's credentials, instead of the metadata server; off Google Cloud, those of gcloud auth application-default login are found"},
	{Name: "CLOUDSDK_CONFIG", Doc: "folder of gcloud's settings, where it is not in its usual place"},
	{Name: "STORAGE_EMULATOR_HOST", Doc: "host:port of a stand-in for Cloud Storage; it gets no access token"},
}

// Settings is the table of the adapter's own environment, in the order in which it is printed.
func Settings() []settings.Setting { return settings.Grouped("Google Cloud", table) }

// environment is the table, parsed, apart from what the store and the log read when they are first used.
type environment struct {
	output, deadLetter string
	events, lazy       bool
	timeout            time.Duration // 0: none
	target             string
	onGoogle           bool
}

// readEnvironment reads it through getenv, where "" means not set. The error names each bad value; the others are good all
// the same, so that it can be reported.
func readEnvironment(getenv func(string) string) (environment, error) {
	const example = "gs://bucket/prefix"
	r := settings.NewReader(getenv)
	e := environment{
		output:     r.Place("SCOREFN_OUTPUT", example),
		deadLetter: r.Place("SCOREFN_DEAD_LETTER", example),
		events:     r.Flag("SCOREFN_EVENTS", true),
		lazy:       r.Flag("SCOREFN_LAZY", false),
		target:     r.Text("FUNCTION_TARGET"),
		onGoogle:   r.Text("K_SERVICE") != "",
	}
	const longest = 7 * 24 * 60 * 60 // no platform has more
	if text := r.Text("CLOUD_RUN_TIMEOUT_SECONDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > longest {
			r.Refuse("CLOUD_RUN_TIMEOUT_SECONDS", text, "a whole number of seconds, 1 or more")
			n = 0
		}
		e.timeout = time.Duration(n) * time.Second
	}
	return e, r.Err()
}

// onStorage tells of a place that Cloud Storage, the only store unless another is given, does not have. Every event would be
// lost there.
func (e environment) onStorage() error {
	for name, place := range map[string]string{"SCOREFN_OUTPUT": e.output, "SCOREFN_DEAD_LETTER": e.deadLetter} {
		if place != "" && !strings.HasPrefix(place, "gs://") {
			return fmt.Errorf("settings: %s=%q: expected gs://bucket/prefix", name, place)
		}
	}
	return nil
}
