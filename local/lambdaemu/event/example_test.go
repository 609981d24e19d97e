package event_test

import (
	"fmt"
	"strings"

	"github.com/scorefn/scorefn/local/lambdaemu/event"
)

func Example() {
	source, err := event.Find("sqs")
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := source.Make(event.Options{Bodies: [][]byte{[]byte(`{"data": [[1, 2, 3]]}`)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, `"body"`) || strings.Contains(line, `"eventSource"`) {
			fmt.Print(strings.TrimLeft(line, " "))
		}
	}
	// Output:
	// "body": "{\"data\": [[1, 2, 3]]}",
	// "eventSource": "aws:sqs",
}
