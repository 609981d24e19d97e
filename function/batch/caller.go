package batch

import "context"

// Caller is one of several who are known to make one call after the other, as the workers of an event are. A call waits a
// little for the callers that are on their way, even where the model is idle: the first of them would leave alone otherwise.
// A nil Caller is nobody.
type Caller struct {
	j      *Joiner
	coming bool // guarded by Joiner.mu, and counted in Joiner.coming
}

type callerKey struct{}

// Caller makes a caller, who makes calls with the context that is returned. Between two calls a caller is on the way to the
// next: call [Caller.Gone] when there is none, or not soon.
func (j *Joiner) Caller(ctx context.Context) (context.Context, *Caller) {
	c := &Caller{j: j}
	return context.WithValue(ctx, callerKey{}, c), c
}

// CallerOf is whose calls are made with ctx.
func CallerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

// Coming says that c is about to make a call.
func (c *Caller) Coming() { c.say(true) }

// Gone says that c is not about to make a call.
func (c *Caller) Gone() { c.say(false) }

func (c *Caller) say(coming bool) {
	if c == nil {
		return
	}
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	c.is(coming)
	if !coming {
		c.j.dispatch()
	}
}

// is sets what c does. Joiner.mu is held.
func (c *Caller) is(coming bool) {
	switch {
	case c == nil || c.coming == coming:
		return
	case coming:
		c.j.coming++
	default:
		c.j.coming--
	}
	c.coming = coming
}

// callerOf is the caller with ctx where j made it.
func (j *Joiner) callerOf(ctx context.Context) *Caller {
	if c := CallerOf(ctx); c != nil && c.j == j {
		return c
	}
	return nil
}
