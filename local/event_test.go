package main

import "testing"

func TestEventSourcesHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	platform := map[string]string{}
	for _, p := range eventPlatforms() {
		if len(p.sources()) == 0 {
			t.Errorf("%s has no sources", p.name)
		}
		for _, s := range p.sources() {
			if other := platform[s.name]; other != "" {
				t.Errorf("%s is a source of %s and of %s", s.name, other, p.name)
			}
			platform[s.name] = p.name
		}
	}
}
