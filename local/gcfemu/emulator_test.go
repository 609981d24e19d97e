package gcfemu_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/gcfemu"
)

func TestEnvironmentIsThePlatforms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target string
		want   []string
	}{
		"function": {"Score", []string{
			"CLOUD_RUN_TIMEOUT_SECONDS=60", "FUNCTION_SIGNATURE_TYPE=http", "FUNCTION_TARGET=Score", "HOME=", "K_CONFIGURATION=digits",
			"K_REVISION=digits-00001-loc", "K_SERVICE=digits", "LOG_EXECUTION_ID=true", "MODEL_NAME=a=b", "PATH=", "PORT=", asFake + "=good",
		}},
		"container": {"", []string{
			"CLOUD_RUN_TIMEOUT_SECONDS=60", "HOME=", "K_CONFIGURATION=digits",
			"K_REVISION=digits-00001-loc", "K_SERVICE=digits", "MODEL_NAME=a=b", "PATH=", "PORT=", asFake + "=good",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _, _ := emulate(t, func(c2 *gcfemu.Config) {
				c2.Name, c2.Target = "digits", c.target
				c2.Env = append(c2.Env, "MODEL_NAME=no", "MODEL_NAME=a=b")
			})
			_, answer := ask(t, url+"/env", "")
			var got []string
			if err := json.Unmarshal([]byte(answer), &got); err != nil {
				t.Fatal(err)
			}
			for i, kv := range got {
				if name, _, _ := strings.Cut(kv, "="); name == "PORT" || name == "PATH" || name == "HOME" {
					got[i] = name + "="
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestOneRequestAnInstanceUnlessConcurrencyAllowsMore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		concurrency, instances int
		answers                []string
		log                    string
	}{
		"one each":        {1, 3, []string{"1", "1", "1"}, "instance 3 (pid "},
		"three in one":    {3, 3, []string{"1", "2", "3"}, "instance 1 (pid "},
		"never more than": {3, 1, []string{"1", "2", "3"}, "instance 1 (pid "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, e, out := emulate(t, func(cfg *gcfemu.Config) { cfg.Concurrency, cfg.MaxInstances = c.concurrency, c.instances })
			if err := e.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			path, arrived, open := gate(t)
			answers := all(t, 3, url+path)
			inside(t, 3, arrived, answers) // at the same time
			open()
			var got []string
			for range 3 {
				got = append(got, <-answers)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.answers) || !strings.Contains(out.String(), c.log) {
				t.Errorf("answers %q\n%s", got, out)
			}
			if c.concurrency == 3 && strings.Contains(out.String(), "instance 2") {
				t.Errorf("a second instance:\n%s", out)
			}
		})
	}
}

func TestRequestsBeyondTheInstancesWait(t *testing.T) {
	t.Parallel()
	url, _, out := emulate(t, func(cfg *gcfemu.Config) { cfg.MaxInstances = 1 })
	path, arrived, open := gate(t)
	answers := all(t, 5, url+path)
	inside(t, 1, arrived, answers)
	open()
	for range 5 {
		if got := <-answers; got != "1" {
			t.Errorf("answer %q: more than one request in the instance", got)
		}
	}
	if strings.Contains(out.String(), "instance 2 ") {
		t.Errorf("a second instance:\n%s", out)
	}
}

func TestARequestThatFindsNoRoomIsAnswered429(t *testing.T) {
	t.Parallel()
	url, _, out := emulate(t, func(cfg *gcfemu.Config) { cfg.MaxInstances, cfg.Timing.Pending = 1, 10*time.Millisecond })
	path, arrived, open := gate(t)
	answers := all(t, 1, url+path) // waits longer than that: an instance starts
	inside(t, 1, arrived, answers)
	if status, answer := ask(t, url+"/pid", ""); status != 429 || answer != "Rate exceeded." {
		t.Errorf("%d %s", status, answer)
	}
	open()
	if got := <-answers; got != "1" {
		t.Errorf("answer %q", got)
	}
	out.wait(t, "raise --concurrency or --max-instances")
}

func TestARevisionThatDoesNotListenFails(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"exit": "it ended with exit status 9 before it listened",
		"deaf": "within 50ms: listen before",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			url, e, out := emulate(t, func(cfg *gcfemu.Config) {
				cfg.Env = []string{asFake + "=" + kind, "AZUREML_MODEL_DIR=there"}
				cfg.Timing.Shutdown = time.Millisecond
				if kind == "deaf" {
					cfg.Timing.Startup = 50 * time.Millisecond
				}
			})
			err := e.Start(t.Context())
			if _, ok := errors.AsType[*gcfemu.StartError](err); !ok || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v", err)
			}
			if kind == "exit" && !strings.Contains(out.String(), "no model in there\n") {
				t.Errorf("log %s", out)
			}
			if status, answer := ask(t, url, ""); status != 503 || answer != "Service Unavailable" {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
}

func TestAnInstanceThatEndsIsReplaced(t *testing.T) {
	t.Parallel()
	url, _, out := emulate(t, nil)
	_, first := ask(t, url+"/pid", "")
	if status, answer := ask(t, url+"/exit", ""); status != 503 || answer != "Service Unavailable" {
		t.Errorf("%d %s", status, answer)
	}
	out.wait(t, "out of luck\n")
	out.wait(t, "warning: instance 1 ended")
	status, second := ask(t, url+"/pid", "")
	if status != 200 || second == first {
		t.Errorf("%d, pid %s after %s", status, second, first)
	}
}

func TestAServerOnLoopbackAloneIsWarnedOf(t *testing.T) {
	t.Parallel()
	_, e, out := emulate(t, func(cfg *gcfemu.Config) { cfg.Env = []string{asFake + "=loopback"} })
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	out.wait(t, "warning: instance 1 listens on 127.0.0.1 alone")
}

func TestCloseLetsRequestsEnd(t *testing.T) {
	t.Parallel()
	url, e, out := emulate(t, nil)
	path, arrived, open := gate(t)
	answers := all(t, 1, url+path)
	inside(t, 1, arrived, answers)
	closed := make(chan error, 1)
	go func() { closed <- e.Close() }()
	out.wait(t, "draining\n")
	open()
	if got := <-answers; got != "1" {
		t.Errorf("answer %q", got)
	}
	if err := <-closed; err != nil || strings.Contains(out.String(), "warning") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := e.Start(t.Context()); !errors.Is(err, gcfemu.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestCloseKillsWhatIgnoresSIGTERM(t *testing.T) {
	t.Parallel()
	_, e, out := emulate(t, func(cfg *gcfemu.Config) {
		cfg.Env, cfg.Timing.Shutdown = []string{asFake + "=stubborn"}, 10*time.Millisecond
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil || !strings.Contains(out.String(), "did not end within 10ms of SIGTERM and was killed") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWhatTheConfigurationRefuses(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]gcfemu.Config{
		"no command":                          {},
		"K_SERVICE is the platform's own":     {Env: []string{"K_SERVICE=x"}},
		"CLOUD_RUN_X is the platform's own":   {Env: []string{"CLOUD_RUN_X=x"}},
		"at most 1h0m0s":                      {Timeout: 2 * time.Hour},
		"concurrency is 1 to 1000, not 1001":  {Concurrency: 1001},
		"must be more than 0":                 {MaxInstances: -1},
		"needs time to start":                 {Timing: gcfemu.Timing{Startup: -1}},
		"Functions Framework does not speak ": {Target: "Score", HTTP2: true},
	} {
		if want != "no command" {
			cfg.Command = []string{"f"}
		}
		if _, err := gcfemu.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
