package cloudfunctions

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scorefn/scorefn/function/functiontest"
)

// forms are the ways in which one body comes as an event with an id.
var forms = map[string]func(g *fakeGCS, id string, body []byte) sent{
	"binary": func(_ *fakeGCS, id string, body []byte) sent {
		return sent{header: ce("com.example.request", "ce-id", id), body: string(body)}
	},
	"structured": func(_ *fakeGCS, id string, body []byte) sent {
		return sent{header: inOne, body: goldenEvent(id, body)}
	},
	"batched": func(_ *fakeGCS, id string, body []byte) sent {
		return sent{header: inABatch, body: "[" + goldenEvent(id, body) + "]"}
	},
	"Pub/Sub by Eventarc": func(_ *fakeGCS, id string, body []byte) sent {
		return sent{header: ce(typeMessage, "ce-id", id), body: pushed(id, string(body), "")}
	},
	"Pub/Sub push": func(_ *fakeGCS, id string, body []byte) sent {
		return sent{header: pubsubPush, body: pushed(id, string(body), "")}
	},
	"Pub/Sub push to a topic's path": func(_ *fakeGCS, id string, body []byte) sent {
		return sent{path: "/projects/p/topics/t", header: pubsubPush, body: pushed(id, string(body), "")}
	},
	"Pub/Sub push without an envelope": func(_ *fakeGCS, id string, body []byte) sent {
		return sent{header: map[string]string{pushMessageID: id, pushSubscription: "projects/p/subscriptions/unwrapped"}, body: string(body)}
	},
	"Cloud Scheduler": func(_ *fakeGCS, id string, body []byte) sent {
		return sent{header: ce(typeScheduler, "ce-id", id), body: `{"customData":"` + base64.StdEncoding.EncodeToString(body) + `"}`}
	},
	"Cloud Storage": func(g *fakeGCS, id string, body []byte) sent {
		generation := g.put("in/"+id+".json", "application/json", string(body))
		g.put("in/"+id+".json", "application/json", "another generation")
		return sent{header: ce(typeFinalized, "ce-id", id), body: fmt.Sprintf(`{"bucket":"in","name":"%s.json","generation":"%d"}`, id, generation)}
	},
	"Cloud Storage by Pub/Sub": func(g *fakeGCS, id string, body []byte) sent {
		generation := g.put("in/"+id+".json", "application/json", string(body))
		return sent{header: pubsubPush, body: pushed(id, `{}`, fmt.Sprintf(
			`"eventType":"OBJECT_FINALIZE","bucketId":"in","objectId":"%s.json","objectGeneration":"%d","payloadFormat":"JSON_API_V1"`, id, generation))}
	},
}

func goldenEvent(id string, body []byte) string {
	data := `"data":` + string(body)
	if !json.Valid(body) {
		data = `"data_base64":"` + base64.StdEncoding.EncodeToString(body) + `"`
	}
	return `{"specversion":"1.0","id":"` + id + `","source":"//source.example/golden","type":"com.example.request",` + data + `}`
}

// Every way into the process has the core's answer: requests read it, the answers to events are looked up in the bucket.
func TestGoldenVectors(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, kind string) {
		t.Helper()
		g, url := newFakeGCS(t)
		p := start(t, kind, "STORAGE_EMULATOR_HOST="+strings.TrimPrefix(url, "http://"), "SCOREFN_OUTPUT=gs://out/results")
		for _, path := range []string{"", "/score", "/models/digits/versions/1/score"} {
			t.Run("HTTP "+path, func(t *testing.T) {
				t.Parallel()
				functiontest.Run(t, functiontest.Post(p.url+path))
			})
		}
		var ids atomic.Int64
		for name, form := range forms {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				functiontest.Run(t, func(t *testing.T, body []byte) (int, []byte) {
					t.Helper()
					id := fmt.Sprintf("golden-%d", ids.Add(1))
					status, answer, _ := call(t, p.url, form(g, id, body))
					a := accounts(t, answer)
					if status != 200 || len(a) != 1 || (a[0].Stored == "") != (a[0].Status == dropped) {
						t.Fatalf("got %d %s", status, answer)
					}
					if a[0].Status == dropped {
						return 400, functiontest.Message(a[0].Error)
					}
					return 200, []byte(g.object(strings.TrimPrefix(a[0].Stored, "gs://")))
				})
			})
		}
	})
}
