package function

import "context"

// Concurrency is how many requests the default model scores at one time: more of them only wait for a place. An adapter that
// takes an event apart asks it how many parts to score side by side. A model that cannot be loaded scores one, whose error
// tells why.
func (f *Function) Concurrency(ctx context.Context) int {
	s, err := f.scorer(ctx, "", "")
	if err != nil {
		return 1
	}
	return cap(s.gate.slots)
}
