package batch

import "context"

// announcement is one call that is expected. Gone is guarded by Joiner.mu.
type announcement struct {
	j    *Joiner
	gone bool
}

type announcementKey struct{}

// Announce says that a call is on its way, so that calls which are there already wait for it: the items of an event are
// known before they are decoded. The call is made with the context that is returned. Done takes the announcement back, and
// does nothing once the call has arrived: it must be called, for a call may never come.
func (j *Joiner) Announce(ctx context.Context) (with context.Context, done func()) {
	if !j.On() {
		return ctx, func() {}
	}
	a := &announcement{j: j}
	j.mu.Lock()
	j.coming++
	j.mu.Unlock()
	return context.WithValue(ctx, announcementKey{}, a), func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.strike(a)
		j.dispatch()
	}
}

// arrived takes note of the call that ctx announced. Joiner.mu is held.
func (j *Joiner) arrived(ctx context.Context) {
	if a, ok := ctx.Value(announcementKey{}).(*announcement); ok && a.j == j {
		j.strike(a)
	}
}

func (j *Joiner) strike(a *announcement) {
	if !a.gone {
		a.gone = true
		j.coming--
	}
}
