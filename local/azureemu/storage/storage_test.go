package storage_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/scorefn/scorefn/local/azureemu/storage"
)

func TestConnectionStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, blobs, queues, err string }{
		{"development", "UseDevelopmentStorage=true", "http://127.0.0.1:10000/devstoreaccount1", "http://127.0.0.1:10001/devstoreaccount1", ""},
		{"URL", "http://127.0.0.1:5000", "http://127.0.0.1:5000/devstoreaccount1", "http://127.0.0.1:5001/devstoreaccount1", ""},
		{"account", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net", "https://a.blob.core.windows.net", "https://a.queue.core.windows.net", ""},
		{"endpoints", "AccountName=a;AccountKey=a2V5;BlobEndpoint=http://h:1/a/;QueueEndpoint=http://h:2/a", "http://h:1/a", "http://h:2/a", ""},
		{"URL without a port", "http://127.0.0.1", "", "", "expected http://HOST:PORT"},
		{"no key", "AccountName=a;EndpointSuffix=x", "", "", "AccountKey is missing"},
		{"nonsense", "nonsense", "", "", "expected a connection string"},
		{"endpoint", "UseDevelopmentStorage=false;BlobEndpoint=::;QueueEndpoint=http://h", "", "", "is no URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := storage.Open(tt.text)
			switch {
			case tt.err != "":
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v", err)
				}
			case err != nil || a.Blobs != tt.blobs || a.Queues != tt.queues:
				t.Errorf("%+v %v", a, err)
			default:
				again, err := storage.Open(a.ConnectionString())
				if err != nil || again.Blobs != a.Blobs || again.Queues != a.Queues || again.Name != a.Name {
					t.Errorf("again %+v %v", again, err)
				}
			}
		})
	}
}

func azurite(t *testing.T) *storage.Account {
	t.Helper()
	text := os.Getenv("AZURITE")
	if text == "" {
		t.Skip("AZURITE is not set: \"make e2e-azure\"")
	}
	a, err := storage.Open(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAzuriteQueues(t *testing.T) {
	t.Parallel()
	a, ctx := azurite(t), t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const queue = "storage-test"
	if err := a.Put(ctx, queue, "x"); !storage.IsNotFound(err) || !strings.Contains(err.Error(), "QueueNotFound") {
		t.Errorf("a queue that is not there: %v", err)
	}
	check(a.CreateQueue(ctx, queue))
	check(a.CreateQueue(ctx, queue))
	check(a.Put(ctx, queue, `<a> & "b"`))
	take := func(count int) *storage.Message {
		t.Helper()
		all, err := a.Take(ctx, queue, 32, time.Hour)
		check(err)
		if len(all) != 1 || all[0].Text != `<a> & "b"` || all[0].DequeueCount != count || all[0].NextVisible.IsZero() {
			t.Fatalf("%+v", all)
		}
		return &all[0]
	}
	check(a.Release(ctx, queue, take(1), 0))
	m := take(2)
	if all, err := a.Take(ctx, queue, 1, time.Hour); err != nil || len(all) != 0 {
		t.Errorf("a hidden message: %+v %v", all, err)
	}
	check(a.Delete(ctx, queue, m))
	if err := a.Delete(ctx, queue, m); !storage.IsNotFound(err) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestAzuriteBlobs(t *testing.T) {
	t.Parallel()
	a, ctx := azurite(t), t.Context()
	const container, name = "storage-test", "in/ä b+c%20?#.json"
	if _, err := a.List(ctx, container, ""); !storage.IsNotFound(err) {
		t.Errorf("a container that is not there: %v", err)
	}
	for range 2 {
		if err := a.CreateContainer(ctx, container); err != nil {
			t.Fatal(err)
		}
	}
	for name, body := range map[string]string{name: "{}", "out/x": ""} {
		if err := a.PutBlob(ctx, container, name, "application/json", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := a.GetBlob(ctx, container, name)
	if err != nil || string(b.Body) != "{}" || b.ContentType != "application/json" || b.ETag == "" || b.Modified.IsZero() {
		t.Errorf("%+v %v", b, err)
	}
	all, err := a.List(ctx, container, "in/")
	if err != nil || len(all) != 1 || all[0].Name != name || all[0].ETag == "" {
		t.Errorf("%+v %v", all, err)
	}
	if _, err := a.GetBlob(ctx, container, "none"); !storage.IsNotFound(err) {
		t.Errorf("a blob that is not there: %v", err)
	}
}
