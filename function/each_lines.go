package function

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"

	"github.com/scorefn/scorefn/function/batch"
)

// lines scores JSON lines: every line is a request, every answer a line. A line that cannot be scored because of what it holds
// is answered {"error": "…"}, so that the lines before and behind it are not lost and the answers stand in the order of the
// requests. Any other failure is the item's. Empty lines are skipped. Lines are scored one after the other, or as many at one
// time as share runs where there is a joiner.
func (f *Function) lines(ctx context.Context, r Request, j *batch.Joiner) (Response, error) {
	window, score := 1, f.oneByOne
	if j != nil {
		window, score = linesAtOnce, f.together(j)
	}
	out := Response{ContentType: linesType}
	text := toUTF8(r.Body)
	requests := make([]Request, 0, window)
	for len(text) > 0 {
		requests, text = cutLines(requests[:0], text, &r)
		if ctx.Err() != nil {
			return Response{}, context.Cause(ctx)
		}
		var err error
		if out.Body, err = score(ctx, out.Body, requests); err != nil {
			return Response{}, err
		}
	}
	if len(out.Body) == 0 {
		return Response{}, Errorf(Invalid, "There is no line to score.")
	}
	return out, nil
}

// linesAtOnce is how many lines are given to those who score them at one time: their answers are held until all are there.
const linesAtOnce = 1024

// cutLines makes requests of the next lines of text, as many as there is room for.
func cutLines(to []Request, text []byte, of *Request) (requests []Request, rest []byte) {
	for len(text) > 0 && len(to) < cap(to) {
		var line []byte
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			line, text = text[:end], text[end+1:]
		} else {
			line, text = text, nil
		}
		if line = bytes.Trim(line, " \t\r"); len(line) > 0 {
			to = append(to, Request{Model: of.Model, Version: of.Version, ContentType: jsonType, Body: line})
		}
	}
	return to, text
}

// oneByOne appends the answers of lines to dst.
func (f *Function) oneByOne(ctx context.Context, dst []byte, lines []Request) (_ []byte, err error) {
	for i := range lines {
		if dst, err = f.line(ctx, dst, lines[i]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// together is oneByOne for lines that share runs.
func (f *Function) together(j *batch.Joiner) func(context.Context, []byte, []Request) ([]byte, error) {
	return func(ctx context.Context, dst []byte, lines []Request) ([]byte, error) {
		answers, errs := make([][]byte, len(lines)), make([]error, len(lines))
		call := CallOf(ctx)
		var next atomic.Int64
		work := func(ctx context.Context) {
			for i := int(next.Add(1)) - 1; i < len(lines) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				errs[i] = recovered(func() (err error) {
					answers[i], err = f.line(ofItem(ctx, call), nil, lines[i])
					return err
				})
				if errs[i] != nil {
					next.Store(int64(len(lines))) // the item has failed
				}
			}
		}
		crowd := crowd{size: min(j.Calls(), len(lines)), joiner: j}
		var group sync.WaitGroup
		for _, w := range crowd.workers(ctx) {
			group.Go(func() {
				defer w.caller.Gone()
				work(w.ctx)
			})
		}
		group.Wait()
		for i := range lines {
			if errs[i] != nil {
				return nil, errs[i]
			}
			dst = append(dst, answers[i]...)
		}
		return dst, context.Cause(ctx)
	}
}

// line appends the answer of one line to dst.
func (f *Function) line(ctx context.Context, dst []byte, r Request) ([]byte, error) {
	from := len(dst)
	var answer Response
	var err error
	if len(r.Body) > f.settings.MaxBody {
		err = Errorf(TooLarge, "The line is larger than %d bytes, the limit of this service (SCOREFN_MAX_BODY).", f.settings.MaxBody)
	} else {
		answer, err = f.Append(ctx, dst, r)
	}
	switch {
	case err == nil:
		if dst, err = oneLine(answer.Body, from); err != nil {
			return nil, err
		}
	case itemsFault(AsError(err).Kind):
		dst = append(dst[:from], message("error", AsError(err).Msg)...)
	default:
		return nil, err
	}
	return append(dst, '\n'), nil
}

// itemsFault tells the kinds that are about what a line holds from those that every line would meet.
func itemsFault(k Kind) bool {
	return k == Invalid || k == TooLarge || k == Unsupported || k == NotAcceptable
}

// oneLine makes the JSON from an offset of b on one line: a script may have returned it indented.
func oneLine(b []byte, from int) ([]byte, error) {
	if bytes.IndexByte(b[from:], '\n') < 0 && bytes.IndexByte(b[from:], '\r') < 0 {
		return b, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b[from:]); err != nil {
		return nil, &Error{Kind: Internal, Msg: msgScript, Err: err}
	}
	return append(b[:from], compact.Bytes()...), nil
}
