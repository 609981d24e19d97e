package batch

import "github.com/scorefn/scorefn/function/tensor"

// What the tests of package batch_test need of the inside.

// Patience is patience.
const Patience = patience

// Layout is layout with its parts.
type Layout struct{ l layout }

// NewLayout is newLayout.
func NewLayout(inputs, outputs []tensor.Spec) (Layout, error) {
	l, err := newLayout(inputs, outputs)
	return Layout{l}, err
}

// Join is join.
func (l Layout) Join(calls [][]tensor.Value, into *tensor.Batch) { l.l.join(calls, into) }

// Alike is alike.
func (l Layout) Alike(a, b []tensor.Value) bool { return l.l.alike(a, b) }

// Rows is rows.
func (l Layout) Rows(in []tensor.Value) (int, bool) { return l.l.rows(in) }

// Split is split.
func Split(out []tensor.Value, from, n, rows int, into *tensor.Batch) {
	split(out, from, n, rows, into)
}

// Coming is how many callers are on their way.
func (j *Joiner) Coming() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.coming
}
