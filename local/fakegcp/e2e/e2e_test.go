package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// answer is what the bundled model says of its sample.
const answer = "[2]"

func TestAnObjectIsScored(t *testing.T) {
	t.Parallel()
	for name, stored := range map[string]string{
		"plain.json": "plain.json", "folder/with blank ü%.json": "folder/with~20blank~20~C3~BC~25.json",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := one.put(t, name, one.sample(t))
			one.logged(t, `(input/`+regexp.QuoteMeta(name)+` acknowledged)`)
			all := one.results(t, "scores/input/"+stored)
			if len(all) != 1 || all[0].Name != "scores/input/"+stored+"@"+o.Generation+".json" || one.content(t, all[0]) != answer {
				t.Errorf("results %v", all)
			}
		})
	}
}

func TestManyObjectsAtOnce(t *testing.T) {
	t.Parallel()
	const n = 20
	sample := one.sample(t)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { one.put(t, fmt.Sprintf("many-%d.json", i), sample) })
	}
	wait.Wait()
	for i := range n {
		if _, got := one.result(t, fmt.Sprintf("many-%d.json", i)); got != answer {
			t.Errorf("%d: result %s", i, got)
		}
	}
}

func TestARetryStormLeavesOneResult(t *testing.T) {
	t.Parallel()
	o := one.put(t, "storm.json", one.sample(t))
	first, _ := one.result(t, "storm.json")
	data, err := json.Marshal(map[string]string{"bucket": o.Bucket, "name": o.Name, "generation": o.Generation})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, one.function, bytes.NewReader(data))
			if err != nil {
				t.Error(err)
				return
			}
			for name, v := range map[string]string{
				"Ce-Id": "storm", "Ce-Specversion": "1.0", "Ce-Type": "google.cloud.storage.object.v1.finalized",
				"Ce-Source": "//storage.googleapis.com/projects/_/buckets/input", "Content-Type": "application/json",
			} {
				r.Header.Set(name, v)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || !strings.Contains(string(b), `"scored"`) {
				t.Errorf("%s %s", resp.Status, b)
			}
		})
	}
	wait.Wait()
	if last, got := one.result(t, "storm.json"); last != first || got != answer {
		t.Errorf("result %v %s, before %v", last, got, first)
	}
}

func TestANewVersionIsScoredAgain(t *testing.T) {
	t.Parallel()
	one.put(t, "twice.json", one.sample(t))
	one.result(t, "twice.json")
	second := one.put(t, "twice.json", one.sample(t))
	one.logged(t, `(?s)input/twice\.json acknowledged.*input/twice\.json (acknowledged)`)
	all := one.results(t, "scores/input/twice.json")
	if len(all) != 2 || !strings.Contains(all[0].Name+all[1].Name, second.Generation) {
		t.Errorf("results %v", all)
	}
}

func TestAPoisonedObjectIsKeptAndNotRetried(t *testing.T) {
	t.Parallel()
	one.put(t, "poison.json", []byte(`{"data": [[1, 2, 3]]}`))
	one.logged(t, `(input/poison\.json acknowledged)`)
	var letter object
	for _, o := range one.results(t, "dead/") {
		if strings.Contains(one.content(t, o), "poison.json") {
			letter = o
		}
	}
	if letter.Name == "" {
		t.Fatal("no dead letter")
	}
	if got := one.content(t, letter); !strings.Contains(got, "3 values, expected 64") {
		t.Errorf("dead letter %s", got)
	}
	recover503(t, "after-poison.json") // another event has been through a retry meanwhile
	if n := strings.Count(one.log.String(), "gcs: input/poison.json"); n != 1 {
		t.Errorf("%d deliveries", n)
	}
	if all := one.results(t, "scores/input/poison.json"); len(all) != 0 {
		t.Errorf("results %v", all)
	}
}

func TestATransientFailureIsRetried(t *testing.T) {
	t.Parallel()
	recover503(t, "transient.json")
}

// recover503 puts an object that cannot be read until its event has come a second time.
func recover503(t *testing.T, name string) {
	t.Helper()
	one.breakObject(name, true)
	one.put(t, name, one.sample(t))
	one.logged(t, regexp.QuoteMeta("input/"+name)+` (was answered 503, delivery 1 of 4; again in 20ms)`)
	one.breakObject(name, false)
	if _, got := one.result(t, name); got != answer {
		t.Errorf("result %s", got)
	}
}

func TestAFailureThatLastsIsGivenUp(t *testing.T) {
	t.Parallel()
	const name = "lasting.json"
	one.breakObject(name, true)
	one.put(t, name, one.sample(t))
	one.logged(t, `input/lasting\.json was answered 503, delivery (4 of 4: it is given up)`)
	if all := one.results(t, "scores/input/"+name); len(all) != 0 {
		t.Errorf("results %v", all)
	}
}

func TestObjectsThatNoTriggerIsAboutAreLeftAlone(t *testing.T) {
	t.Parallel()
	one.put(t, "picture.png", []byte("no JSON"))
	one.put(t, "after-picture.json", one.sample(t))
	one.result(t, "after-picture.json")
	if strings.Contains(one.log.String(), "input/picture.png") {
		t.Error("it was delivered")
	}
}

func TestThePrintedLinePutsAnObject(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	line, err := one.log.find(t.Context(), `(?m)^(curl -s --data-binary .*)$`)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil {
		t.Fatalf("%s\n%s %v", line, out, err)
	}
	if _, got := one.result(t, "sample.json"); got != answer {
		t.Errorf("result %s", got)
	}
}

// It is alone, and first, because it ends the instances of the others.
func TestEventsSurviveTheEndOfTheirInstances(t *testing.T) {
	sample := one.sample(t)
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		var wait sync.WaitGroup
		for i := range 10 {
			wait.Go(func() { one.put(t, fmt.Sprintf("survive-%d-%d.json", s, i), sample) })
		}
		log := one.log.String()
		for _, m := range regexp.MustCompile(`(instance \d+) \(pid (\d+)\) listens`).FindAllStringSubmatch(log, -1) {
			if strings.Contains(log, m[1]+" ended") { // its id may be another program's
				continue
			}
			pid, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) { // one that has ended
				t.Fatal(err)
			}
		}
		wait.Wait()
		for i := range 10 {
			if _, got := one.result(t, fmt.Sprintf("survive-%d-%d.json", s, i)); got != answer {
				t.Errorf("%d: result %s", i, got)
			}
		}
	}
}
