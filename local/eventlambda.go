package main

import "github.com/scorefn/scorefn/local/lambdaemu/event"

// lambdaSources is the sources of AWS Lambda, whose events are bodies without headers.
func lambdaSources() []eventSource {
	options := func(e *eventCall) event.Options {
		return event.Options{Bodies: e.bodies, Bucket: e.bucket, Keys: e.keys, Path: e.path}
	}
	var all []eventSource
	for _, s := range event.Sources() {
		all = append(all, eventSource{
			name:      s.Name,
			needsBody: func(e *eventCall) bool { return s.NeedsBody(options(e)) },
			make: func(e *eventCall) ([]eventMessage, error) {
				b, err := s.Make(options(e))
				return []eventMessage{{nil, b}}, err
			},
		})
	}
	return all
}
