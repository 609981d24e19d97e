package azureemu

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/scorefn/scorefn/local/azureemu/storage"
)

// The pauses between two looks at a queue or container that had nothing new; the host goes up to a minute.
const (
	firstLook = 100 * time.Millisecond
	mostLook  = time.Second
)

// Pump takes messages and blobs from Config.Storage, hands them to the functions they trigger, and returns when ctx has ended
// and everything in flight has. Queues and containers that are not there are made, as the host does.
func (e *Emulator) Pump(ctx context.Context) error {
	a := e.cfg.Storage
	if a == nil {
		return errors.New("azureemu: there is no storage to take messages from")
	}
	var loops []func(context.Context)
	for _, f := range e.app.Functions {
		switch {
		case f.Trigger.is("queueTrigger"):
			queue := f.Trigger.QueueName
			if err := a.CreateQueue(ctx, queue); err != nil {
				return err
			}
			e.log.info("%s takes the messages of the queue %s", f.Name, queue)
			loops = append(loops, func(ctx context.Context) { e.pumpQueue(ctx, f, queue) })
		case f.Trigger.is("blobTrigger"):
			w, err := e.watchBlobs(ctx, f)
			if err != nil {
				return err
			}
			e.log.info("%s takes the blobs %s", f.Name, w.pattern)
			loops = append(loops, w.run)
		}
	}
	if len(loops) == 0 {
		return errors.New("no function of the app has a trigger of queues or blobs: there is nothing to take from the storage")
	}
	var work sync.WaitGroup
	for _, loop := range loops {
		work.Go(func() { loop(ctx) })
	}
	work.Wait()
	return nil
}

// pause waits before the next look, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// pumpQueue takes a batch whenever no more than newBatchThreshold messages are being worked on (QueueListener).
func (e *Emulator) pumpQueue(ctx context.Context, f *Function, queue string) {
	opts := e.app.Host.Queue
	var work sync.WaitGroup
	defer work.Wait()
	running := make(chan struct{}, opts.BatchSize+opts.NewBatchThreshold)
	freed := make(chan struct{}, 1)
	for look := firstLook; ctx.Err() == nil; {
		if len(running) > opts.NewBatchThreshold {
			select {
			case <-freed:
			case <-ctx.Done():
			}
			continue
		}
		messages, err := e.cfg.Storage.Take(ctx, queue, opts.BatchSize, hidden)
		if err != nil && ctx.Err() == nil {
			e.log.error("queue %s: %v", queue, err)
		}
		for i := range messages {
			running <- struct{}{}
			work.Go(func() {
				if err := e.message(ctx, f, queue, &messages[i]); err != nil && ctx.Err() == nil {
					e.log.error("queue %s: %v", queue, err)
				}
				<-running
				select {
				case freed <- struct{}{}:
				default:
				}
			})
		}
		if len(messages) > 0 {
			look = firstLook
			continue
		}
		pause(ctx, look)
		look = min(2*look, mostLook)
	}
}

// message is one delivery of a message (QueueProcessor): it is deleted, comes back, or is moved to the poison queue.
func (e *Emulator) message(ctx context.Context, f *Function, queue string, m *storage.Message) error {
	a, opts := e.cfg.Storage, e.app.Host.Queue
	body := []byte(m.Text)
	if !opts.Plain {
		decoded, err := base64.StdEncoding.DecodeString(m.Text)
		if err != nil {
			e.log.traps(f.Name, traps{{"message-encoding", "a message of the queue " + queue + " is not base64: it goes straight to poison; its sender must " +
				`encode it, or host.json say extensions.queues.messageEncoding "none"`}})
			return e.poison(ctx, f, queue, m)
		}
		body = decoded
	}
	if m.DequeueCount > opts.MaxDequeueCount {
		return e.poison(ctx, f, queue, m)
	}
	r, _, err := e.try(ctx, f, &QueueMessage{
		ID: m.ID, PopReceipt: m.PopReceipt, Body: body, DequeueCount: m.DequeueCount,
		Inserted: m.Inserted.Time, Expires: m.Expires.Time, NextVisible: m.NextVisible.Time,
	})
	switch {
	case err != nil: // the emulator ends; the message comes back when it is visible again
		return err
	case r.Err == nil:
		return a.Delete(ctx, queue, m)
	case m.DequeueCount >= opts.MaxDequeueCount:
		return e.poison(ctx, f, queue, m)
	}
	return a.Release(ctx, queue, m, e.wait(opts.VisibilityTimeout))
}

// poison moves a message as it is.
func (e *Emulator) poison(ctx context.Context, f *Function, queue string, m *storage.Message) error {
	to := queue + "-poison"
	e.log.error("%s: message %s was tried %d times: it is poison and goes to the queue %s", f.Name, m.ID, m.DequeueCount, to)
	a := e.cfg.Storage
	if err := a.CreateQueue(ctx, to); err != nil {
		return err
	}
	if err := a.Put(ctx, to, m.Text); err != nil {
		return err
	}
	return a.Delete(ctx, queue, m)
}

// store writes an output to the storage; false for bindings that are of something else.
func (e *Emulator) store(ctx context.Context, out Output) (bool, error) {
	a := e.cfg.Storage
	if a == nil {
		return false, nil
	}
	switch strings.ToLower(out.Type) {
	case "queue":
		text := string(out.Body)
		if !e.app.Host.Queue.Plain {
			text = base64.StdEncoding.EncodeToString(out.Body)
		}
		if err := a.CreateQueue(ctx, out.Target); err != nil {
			return true, err
		}
		return true, a.Put(ctx, out.Target, text)
	case "blob":
		container, name, _ := strings.Cut(out.Target, "/")
		if err := a.CreateContainer(ctx, container); err != nil {
			return true, err
		}
		return true, a.PutBlob(ctx, container, name, "application/octet-stream", out.Body)
	}
	return false, nil
}
