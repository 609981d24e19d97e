package main

import (
	"errors"
	"strings"

	"github.com/scorefn/scorefn/local/gcfemu/event"
)

func googleForms() []string { return event.Forms() }

// googleSources is the sources of Google Cloud.
func googleSources() []eventSource {
	options := func(e *eventCall) event.Options {
		return event.Options{Bodies: e.bodies, Bucket: e.bucket, Objects: e.keys, Generation: e.generation, Form: e.form}
	}
	var all []eventSource
	for _, s := range event.Sources() {
		all = append(all, eventSource{
			name:      s.Name,
			needsBody: func(e *eventCall) bool { return s.NeedsBody(options(e)) },
			make: func(e *eventCall) ([]eventMessage, error) {
				messages, err := s.Make(options(e))
				if err != nil {
					return nil, errors.New(strings.TrimPrefix(err.Error(), "event: ")) // the command says it
				}
				var all []eventMessage
				for _, m := range messages {
					all = append(all, eventMessage{m.Header, m.Body})
				}
				return all, nil
			},
		})
	}
	return all
}
