package azureemu

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// write gives every output binding what the answer has for it.
func (e *Emulator) write(ctx context.Context, f *Function, a *answer, request *request, ts *traps) ([]Output, error) {
	values := a.bind(f, ts)
	var all []Output
	for i := range f.Bindings {
		b := &f.Bindings[i]
		raw, ok := values[b]
		if !ok || b.is("http") {
			continue
		}
		bodies, err := b.written(raw, ts)
		if err != nil {
			return all, err
		}
		target, err := b.target(request.metadata)
		if err != nil {
			return all, err
		}
		for _, body := range bodies {
			out := Output{f.Name, b.Name, b.Type, b.Connection, target, body}
			if err := e.sink(ctx, out); err != nil {
				return all, fmt.Errorf("output %s to %s %s: %w", b.Name, b.Type, target, err)
			}
			all = append(all, out)
		}
	}
	return all, nil
}

// sink is where outputs go.
func (e *Emulator) sink(ctx context.Context, out Output) error {
	stored, err := e.store(ctx, out)
	if err != nil {
		return err
	}
	if !stored && e.cfg.Sink != nil {
		return e.cfg.Sink(ctx, out)
	}
	e.log.info("  %s %s <- %s", out.Type, out.Target, short(string(out.Body)))
	return nil
}

// target is the queue, topic, hub or blob that a binding names, with its expressions resolved
// (learn.microsoft.com/azure/azure-functions/functions-bindings-expressions-patterns).
func (b *Binding) target(m *metadata) (string, error) {
	path := b.QueueName + b.TopicName + b.EventHubName + b.Path
	var missing string
	path = pathToken().ReplaceAllStringFunc(path, func(token string) string {
		name := strings.Trim(token, "{}")
		if text, ok := m.text(name); ok {
			return text
		}
		switch strings.ToLower(name) {
		case "rand-guid":
			return newID()
		case "datetime":
			return time.Now().UTC().Format("2006-01-02T15-04-05Z")
		}
		missing = token
		return token
	})
	if missing != "" {
		return "", fmt.Errorf("binding %s: no value for %s in %q", b.Name, missing, path)
	}
	return path, nil
}
