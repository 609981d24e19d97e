package function

import (
	"bytes"
	"context"
	"encoding/json"
)

// lines scores JSON lines, one after the other: every line is a request, every answer a line. A line that cannot be scored
// because of what it holds is answered {"error": "…"}, so that the lines before and behind it are not lost and the answers
// stand in the order of the requests. Any other failure is the item's. Empty lines are skipped.
func (f *Function) lines(ctx context.Context, r Request) (Response, error) {
	out := Response{ContentType: linesType}
	text := toUTF8(r.Body)
	for len(text) > 0 {
		var line []byte
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			line, text = text[:end], text[end+1:]
		} else {
			line, text = text, nil
		}
		if line = bytes.Trim(line, " \t\r"); len(line) == 0 {
			continue
		}
		if ctx.Err() != nil {
			return Response{}, context.Cause(ctx)
		}
		from := len(out.Body)
		answer, err := f.line(ctx, out.Body, Request{Model: r.Model, Version: r.Version, ContentType: jsonType, Body: line})
		if err != nil {
			e := AsError(err)
			if !itemsFault(e.Kind) {
				return Response{}, err
			}
			out.Body = append(out.Body[:from], message("error", e.Msg)...)
		} else if out.Body, err = oneLine(answer, from); err != nil {
			return Response{}, err
		}
		out.Body = append(out.Body, '\n')
	}
	if len(out.Body) == 0 {
		return Response{}, Errorf(Invalid, "There is no line to score.")
	}
	return out, nil
}

func (f *Function) line(ctx context.Context, dst []byte, r Request) ([]byte, error) {
	if len(r.Body) > f.settings.MaxBody {
		return nil, Errorf(TooLarge, "The line is larger than %d bytes, the limit of this service (SCOREFN_MAX_BODY).", f.settings.MaxBody)
	}
	answer, err := f.Append(ctx, dst, r)
	return answer.Body, err
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
