package cloudfunctions

import (
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/settings/settingstest"
)

func TestReadmeHasTheSettings(t *testing.T) {
	t.Parallel()
	settingstest.Listed(t, "README.md", Settings())
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	env := func(pairs ...string) func(string) string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return func(name string) string { return m[name] }
	}
	e, err := readEnvironment(env())
	if err != nil || e != (environment{events: true}) {
		t.Errorf("nothing set: got %+v, %v", e, err)
	}
	e, err = readEnvironment(env("SCOREFN_OUTPUT", " gs://b/p ", "SCOREFN_EVENTS", "FALSE", "CLOUD_RUN_TIMEOUT_SECONDS", "540", "K_SERVICE", "s", "SCOREFN_LAZY", "1"))
	if err != nil || e != (environment{output: "gs://b/p", timeout: 9 * time.Minute, onGoogle: true, lazy: true}) {
		t.Errorf("all set: got %+v, %v", e, err)
	}
	elsewhere := WithEnv(env("SCOREFN_OUTPUT", "s3://bucket/prefix"))
	if _, err := newHandler(newFunction(t, nil), []Option{elsewhere}); err == nil || !strings.Contains(err.Error(), "expected gs://") {
		t.Errorf("another store's URL: got %v", err)
	}
	if _, err := newHandler(newFunction(t, nil), []Option{elsewhere, WithStore(blob.Mem())}); err != nil {
		t.Errorf("with that store: got %v", err)
	}
	for name, values := range map[string][]string{
		"SCOREFN_OUTPUT":            {"bucket", "gs://", "gs:///", "://b"},
		"SCOREFN_DEAD_LETTER":       {"/dead"},
		"SCOREFN_EVENTS":            {"on"},
		"SCOREFN_LAZY":              {"maybe"},
		"CLOUD_RUN_TIMEOUT_SECONDS": {"0", "-1", "1.5", "60s", "9999999"},
	} {
		for _, v := range values {
			if _, err := readEnvironment(env(name, v)); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%s: got %v", name, v, err)
			}
		}
	}
}
