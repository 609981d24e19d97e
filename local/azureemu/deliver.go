package azureemu

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The outcomes of a delivery.
const (
	Succeeded    = "Succeeded"
	Poisoned     = "Poison"       // a queue message or a blob was tried as often as it is
	DeadLettered = "DeadLettered" // a Service Bus message
	Refused      = "Refused"      // Event Grid was answered 500, and delivers again later
	Skipped      = "Skipped"      // the others: nobody tries again
)

// busDeliveries is MaxDeliveryCount of a new Service Bus queue.
const busDeliveries = 10

// Delivery is what became of an event with all its tries.
type Delivery struct {
	Result
	Outcome string
	Tries   int // invocations
}

// Deliver hands an event to a function as its trigger does: again after a failure, as often and as late as the trigger says,
// and then to where the failed ones go. Outputs are written to the sink. The error is [ErrClosed], ctx's, why the host
// stopped, or one of the event.
func (e *Emulator) Deliver(ctx context.Context, f *Function, event Event) (*Delivery, error) {
	d := &Delivery{Outcome: Skipped}
	most, pause := 1, time.Duration(0)
	switch {
	case f.Trigger.is("queueTrigger"):
		d.Outcome, most, pause = Poisoned, e.app.Host.Queue.MaxDequeueCount, e.app.Host.Queue.VisibilityTimeout
	case f.Trigger.is("blobTrigger"):
		d.Outcome, most, pause = Poisoned, e.app.Host.BlobTries, e.app.Host.Queue.VisibilityTimeout
	case f.Trigger.is("serviceBusTrigger"):
		d.Outcome, most = DeadLettered, busDeliveries
	case f.Trigger.is("eventGridTrigger"):
		d.Outcome = Refused
	}
	for n := 1; n <= most; n++ {
		redelivered(event, n)
		r, tries, err := e.try(ctx, f, event)
		if err != nil {
			return nil, err
		}
		d.Result, d.Tries = *r, d.Tries+tries
		if r.Err == nil {
			d.Outcome = Succeeded
			return d, nil
		}
		if n < most {
			if err := e.sleep(ctx, pause); err != nil {
				return nil, err
			}
		}
	}
	return d, e.failedForGood(ctx, f, event, d)
}

// redelivered counts a delivery in the event.
func redelivered(event Event, n int) {
	switch v := event.(type) {
	case *QueueMessage:
		v.DequeueCount = n
	case BusMessages:
		for i := range v {
			v[i].DeliveryCount = n
		}
	}
}

// failedForGood says where an event went, and puts it there.
func (e *Emulator) failedForGood(ctx context.Context, f *Function, event Event, d *Delivery) error {
	switch d.Outcome {
	case Poisoned:
		out, err := poison(f, event)
		if err != nil {
			return err
		}
		e.log.error("%s failed %d times: it is poison and goes to the queue %s", f.Name, d.Tries, out.Target)
		d.Outputs = append(d.Outputs, out)
		return e.sink(ctx, out)
	case DeadLettered:
		e.log.error("%s failed %d times: the message goes to the dead letters of %s", f.Name, d.Tries, f.Trigger.QueueName+f.Trigger.TopicName)
	case Refused:
		e.log.error("%s failed: the host answers 500, and Event Grid delivers all events of the delivery again", f.Name)
	default:
		e.log.error("%s failed: the event is skipped, nobody tries again%s", f.Name, withoutRetry(f))
	}
	return nil
}

func withoutRetry(f *Function) string {
	if f.Retry != nil {
		return ""
	}
	return `; a "retry" in function.json would`
}

// blobPoison is the queue of blobs that failed.
const blobPoison = "webjobs-blobtrigger-poison"

// poison is the message that a failed event becomes.
func poison(f *Function, event Event) (Output, error) {
	out := Output{Function: f.Name, Type: "queue", Connection: f.Trigger.Connection}
	switch v := event.(type) {
	case *QueueMessage:
		out.Target, out.Body = f.Trigger.QueueName+"-poison", v.Body
	case *Blob:
		text, err := jsonText(map[string]string{
			"Type": "BlobTrigger", "FunctionId": "Host.Functions." + f.Name, "BlobType": "BlockBlob",
			"ContainerName": v.Container, "BlobName": v.Name, "ETag": v.ETag,
		})
		if err != nil {
			return out, err
		}
		out.Target, out.Body = blobPoison, text
	default:
		return out, fmt.Errorf("azureemu: a %T cannot be poison", event)
	}
	return out, nil
}

// try is one delivery: one invocation, or several under a retry policy of the function.
func (e *Emulator) try(ctx context.Context, f *Function, event Event) (*Result, int, error) {
	var retry *retryContext
	if f.Retry != nil {
		retry = &retryContext{MaxRetryCount: f.Retry.MaxRetryCount}
	}
	for tries := 1; ; tries++ {
		r, err := e.invoke(ctx, f, event, retry)
		if err != nil {
			return nil, tries, err
		}
		if r.Err == nil || retry == nil || retry.MaxRetryCount >= 0 && retry.RetryCount >= retry.MaxRetryCount {
			return r, tries, nil
		}
		retry = &retryContext{RetryCount: retry.RetryCount + 1, MaxRetryCount: retry.MaxRetryCount}
		if err := e.sleep(ctx, f.Retry.delay(retry.RetryCount)); err != nil {
			return nil, tries, err
		}
	}
}

// invoke is one invocation of an event. Its failure is in the result; the error ends the tries.
func (e *Emulator) invoke(ctx context.Context, f *Function, event Event, retry *retryContext) (*Result, error) {
	if !e.begin() {
		return nil, ErrClosed
	}
	defer e.work.Done()
	r := &Result{Function: f.Name, ID: newID()}
	request, ts, err := payload(f, event, retry, time.Now(), newID())
	if err != nil {
		return nil, err
	}
	begin := e.start(f, r.ID)
	a, err := e.call(ctx, f, r.ID, request, &ts)
	if err == nil {
		r.Logs, r.Return = a.logs, a.ret
		r.Outputs, err = e.write(ctx, f, a, request, &ts)
	}
	r.Err, r.Traps = err, ts
	e.end(f, r.ID, begin, ts, r.Logs, err)
	if err != nil && (errors.Is(err, ErrClosed) || ctx.Err() != nil || e.Err() != nil) {
		return nil, err
	}
	return r, nil
}

// wait is d within Config.RetryMost.
func (e *Emulator) wait(d time.Duration) time.Duration {
	if e.cfg.RetryMost > 0 {
		return min(d, e.cfg.RetryMost)
	}
	return d
}

// sleep waits before another try.
func (e *Emulator) sleep(ctx context.Context, d time.Duration) error {
	if d = e.wait(d); d <= 0 {
		return ctx.Err()
	}
	e.log.info("next try in %s", d)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-e.stop:
		return ErrClosed
	case <-e.done:
		return errors.Join(e.Err(), ErrClosed)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
