package event_test

import (
	"fmt"
	"time"

	"github.com/scorefn/scorefn/local/gcfemu/event"
)

func Example() {
	for _, source := range event.Sources() {
		if source.Name != "scheduler" {
			continue
		}
		messages, err := source.Make(event.Options{
			Bodies: [][]byte{[]byte(`{"data": [[1, 2, 3]]}`)},
			NewID:  func() string { return "1" },
			Now:    func() time.Time { return time.Unix(0, 0) },
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(messages[0].Header.Get("Ce-Type"))
		fmt.Printf("%s\n", messages[0].Body)
	}
	// Output:
	// google.cloud.scheduler.job.v1.executed
	// {"customData":"eyJkYXRhIjogW1sxLCAyLCAzXV19"}
}
