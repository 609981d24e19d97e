package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/azureemu/storage"
)

// testAzurite is queues and blobs end to end, with the storage of ".ci/e2e-azure".
func (r azureRig) testAzurite(t *testing.T) {
	t.Helper()
	text := os.Getenv("AZURITE")
	if text == "" {
		t.Skip("AZURITE is not set: \"make e2e-azure\"")
	}
	account, err := storage.Open(text)
	if err != nil {
		t.Fatal(err)
	}
	sample, err := os.ReadFile("../model/digits/1/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	z := &azuriteTest{t, account, sample}
	for _, container := range []string{"incoming", "scored", "answers"} {
		z.check(account.CreateContainer(t.Context(), container))
	}
	z.check(account.PutBlob(t.Context(), "incoming", "early.json", "application/json", sample)) // before anybody looks
	_, _, log := r.serve(t, "--azurite", text)
	log.find(t, `queue takes the messages of the queue (score-in)`)
	t.Run("queue", z.queue)
	t.Run("blob", z.blob)
	t.Run("nothing twice", func(t *testing.T) { z.twice(t, r) })
	t.Run("Event Grid", func(t *testing.T) { z.eventGrid(t, r, text) })
}

type azuriteTest struct {
	t      *testing.T
	a      *storage.Account
	sample []byte
}

func (z *azuriteTest) check(err error) {
	z.t.Helper()
	if err != nil {
		z.t.Fatal(err)
	}
}

// take waits for n messages of a queue and returns their texts, sorted. Nothing tells when there is a message: it asks again.
func (z *azuriteTest) take(t *testing.T, queue string, n int) []string {
	t.Helper()
	var texts []string
	for len(texts) < n {
		all, err := z.a.Take(t.Context(), queue, 32, time.Hour)
		if err != nil && !storage.IsNotFound(err) {
			t.Fatal(err)
		}
		for _, m := range all {
			b, err := base64.StdEncoding.DecodeString(m.Text)
			if err != nil {
				b = []byte(m.Text)
			}
			texts = append(texts, string(b))
		}
		time.Sleep(20 * time.Millisecond)
	}
	slices.Sort(texts)
	return texts
}

func result(t *testing.T, text string) string {
	t.Helper()
	var f struct{ Result json.RawMessage }
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.Join(strings.Fields(string(f.Result)), "")
}

// queue sends good messages around two that are poison: one that cannot be scored, one that is not base64.
func (z *azuriteTest) queue(t *testing.T) {
	const good = 20
	messages := []string{base64.StdEncoding.EncodeToString([]byte(`{"data":[[1]]}`)), "not base64!"}
	for range good {
		messages = append(messages, base64.StdEncoding.EncodeToString(z.sample))
	}
	for _, m := range messages {
		z.check(z.a.Put(t.Context(), "score-in", m))
	}
	for _, text := range z.take(t, "score-out", good) {
		if got := result(t, text); got != "[2]" {
			t.Errorf("%s", text)
		}
	}
	if got := z.take(t, "score-in-poison", 2); !slices.Equal(got, []string{"not base64!", `{"data":[[1]]}`}) {
		t.Errorf("poison %q", got)
	}
	if left, err := z.a.Take(t.Context(), "score-in", 32, time.Second); err != nil || len(left) != 0 {
		t.Errorf("left %+v %v", left, err)
	}
}

func (z *azuriteTest) wait(t *testing.T, container, name string) []byte {
	t.Helper()
	for {
		b, err := z.a.GetBlob(t.Context(), container, name)
		if err == nil {
			return b.Body
		}
		if !storage.IsNotFound(err) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (z *azuriteTest) blob(t *testing.T) {
	z.check(z.a.PutBlob(t.Context(), "incoming", "a b/c+ä.json", "application/json", z.sample))
	z.check(z.a.PutBlob(t.Context(), "incoming", "bad.json", "application/json", []byte("nonsense")))
	for _, name := range []string{"early.json", "a b/c+ä.json"} {
		if got := result(t, string(z.wait(t, "scored", name))); got != "[2]" {
			t.Errorf("%s: %s", name, got)
		}
	}
	var poison struct{ FunctionID, BlobName, ContainerName string }
	text := z.take(t, "webjobs-blobtrigger-poison", 1)[0]
	if err := json.Unmarshal([]byte(text), &poison); err != nil || poison.BlobName != "bad.json" || poison.ContainerName != "incoming" {
		t.Errorf("%s %v", text, err)
	}
	if _, err := z.a.GetBlob(t.Context(), "scored", "bad.json"); !storage.IsNotFound(err) {
		t.Errorf("bad.json was scored: %v", err)
	}
}

// twice starts another host: blobs that have a receipt are not scored again.
func (z *azuriteTest) twice(t *testing.T, r azureRig) {
	t.Helper()
	for receipts := 0; receipts < 3; time.Sleep(20 * time.Millisecond) { // they are written last
		all, err := z.a.List(t.Context(), "azure-webjobs-hosts", "blobreceipts/scorefn/Host.Functions.blob/")
		z.check(err)
		receipts = len(all)
	}
	_, _, log := r.serve(t, "--azurite", os.Getenv("AZURITE"))
	z.check(z.a.PutBlob(t.Context(), "incoming", "late.json", "application/json", z.sample))
	log.find(t, `blob takes the blobs (incoming)`)
	z.wait(t, "scored", "late.json")
	if got := strings.Count(log.String(), "Executing 'Functions.blob'"); got > 1 { // 0: the other host was first
		t.Errorf("%d blobs were scored", got)
	}
}

// eventGrid names a blob by its URL, and stores the answer in another.
func (z *azuriteTest) eventGrid(t *testing.T, r azureRig, connection string) {
	t.Helper()
	z.check(z.a.PutBlob(t.Context(), "incoming", "grid.json", "application/json", z.sample))
	event := fmt.Sprintf(`{"id":"1","eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/incoming/blobs/grid.json",
		"eventTime":"2026-11-22T20:35:39Z","dataVersion":"","data":{"api":"PutBlob","contentType":"application/json","contentLength":%d,"url":%q}}`,
		len(z.sample), z.a.BlobURL("incoming", "grid.json"))
	args := []string{"--invoke", "eventgrid", "--data", "-", "--azurite", connection, "--env", "SCOREFN_OUTPUT=" + z.a.Blobs + "/answers/r"}
	for range 2 { // delivered twice: the answer is there already, and stays
		if code, _, log := r.invoke(t, event, args...); code != 0 {
			t.Fatalf("exit %d\n%s", code, log)
		}
	}
	all, err := z.a.List(t.Context(), "answers", "r")
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v %v", all, err)
	}
	if got := z.wait(t, "answers", all[0].Name); string(got) != "[2]" {
		t.Errorf("%s: %s", all[0].Name, got)
	}
}
