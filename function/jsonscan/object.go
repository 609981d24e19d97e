package jsonscan

import "bytes"

// Object walks the members of the JSON object that is the whole of b, whitespace around it apart. For each one it calls member
// with the unescaped name, valid until member returns and not to be changed, and with the extent of the value b[start:end],
// which has no whitespace at its ends. An error of member ends the walk and is returned as it is. Duplicate names are member's
// business.
//
// The value is NOT checked: finding where it ends costs a few hundredths of reading it. Whoever decodes b[start:end] must refuse
// what is not exactly one value ([Skip] finds out). When every extent is one value and Object returns nil, b is valid JSON.
func Object(b []byte, member func(name []byte, start, end int) error) error {
	i := Space(b, 0)
	if i >= len(b) {
		return fail(len(b), "expected an object, the text is empty")
	}
	if b[i] != '{' {
		return fail(i, "expected an object")
	}
	if i = Space(b, i+1); i < len(b) && b[i] == '}' {
		return tail(b, i+1)
	}
	var scratch []byte
	for {
		if i >= len(b) || b[i] != '"' {
			return noName(b, i)
		}
		end, escaped, err := String(b, i)
		if err != nil {
			return err
		}
		name := b[i+1 : end-1]
		if escaped {
			if scratch, _, err = Unquote(b, i, scratch[:0]); err != nil {
				return err
			}
			name = scratch
		}
		if i = Space(b, end); i >= len(b) || b[i] != ':' {
			return fail(i, "expected ':' after a member name")
		}
		start := Space(b, i+1)
		end, last, err := extent(b, start)
		if err != nil {
			return err
		}
		if err := member(name, start, end); err != nil {
			return err
		}
		if last {
			return nil
		}
		if i = Space(b, end); i >= len(b) {
			return fail(len(b), "the text ends inside an object")
		}
		switch b[i] {
		case '}':
			return tail(b, i+1)
		case ',':
			i = Space(b, i+1)
		default:
			return fail(i, "expected ',' or '}'")
		}
	}
}

func tail(b []byte, i int) error {
	if i = Space(b, i); i < len(b) {
		return fail(i, "unexpected text after the object")
	}
	return nil
}

// extent finds the end of the member's value at b[start]. last tells that nothing but the object's closing brace follows it.
func extent(b []byte, start int) (end int, last bool, err error) {
	if start >= len(b) {
		return 0, false, fail(len(b), "the text ends where a value is expected")
	}
	switch c := b[start]; c {
	case '"':
		end = stringEnd(b, start)
		if end < 0 {
			return 0, false, fail(len(b), "the text ends inside a string")
		}
		return end, false, nil
	case '[', '{':
		return nested(b, start)
	case ',', '}', ']', ':':
		return 0, false, fail(start, "expected a value")
	}
	for end = start; end < len(b) && b[end] != ',' && b[end] != '}' && b[end] != '"'; {
		end++
	}
	return trimEnd(b, start, end), false, nil
}

// nested finds the end of the array or object at b[start]. It jumps from string to string and counts, in the text between
// them, only the brackets of the value's own sort: in valid JSON they balance for the first time at its end. A member follows
// the value or nothing does. If one does then a quote follows, and the text between the value and that quote is a comma: so the
// balance need only be looked at where a string begins. If no quote follows then the value reaches to the last brace.
func nested(b []byte, start int) (end int, last bool, err error) {
	open := b[start]
	depth := 0
	for i := start; ; {
		k := bytes.IndexByte(b[i:], '"')
		if k < 0 {
			return lastValue(b, start)
		}
		depth += balance(b[i:i+k], open)
		i += k
		if depth <= 0 {
			end = trimEnd(b, start, i)
			if depth == 0 && b[end-1] == ',' {
				if end = trimEnd(b, start, end-1); b[end-1] == open+2 {
					return end, false, nil
				}
			}
			return firstBalance(b, start)
		}
		if i = stringEnd(b, i); i < 0 {
			return 0, false, fail(len(b), "the text ends inside a string")
		}
	}
}

func balance(run []byte, open byte) (depth int) {
	if len(run) > 32 {
		return bytes.Count(run, []byte{open}) - bytes.Count(run, []byte{open + 2})
	}
	for _, c := range run {
		switch c {
		case open:
			depth++
		case open + 2:
			depth--
		}
	}
	return depth
}

// firstBalance finds, byte by byte, where the brackets of the value at b[start] balance: the text is wrong, and the end that it
// gives makes the message precise.
func firstBalance(b []byte, start int) (end int, last bool, err error) {
	depth := 0
	for i := start; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = stringEnd(b, i); i < 0 {
				return 0, false, fail(len(b), "the text ends inside a string")
			}
			i--
		case b[start]:
			depth++
		case b[start] + 2:
			if depth--; depth == 0 {
				return i + 1, false, nil
			}
		}
	}
	return 0, false, fail(len(b), "the text ends inside an array or object")
}

// lastValue is the extent of a value that no member can follow.
func lastValue(b []byte, start int) (end int, last bool, err error) {
	end = trimEnd(b, start, len(b))
	if b[end-1] != '}' {
		if k := bytes.LastIndexByte(b[start:end], '}'); k >= 0 {
			return 0, false, fail(Space(b, start+k+1), "unexpected text after the object")
		}
		return 0, false, fail(len(b), "the text ends inside an object")
	}
	if end = trimEnd(b, start, end-1); b[end-1] == ',' {
		return 0, false, fail(Space(b, end), "expected a member name in double quotes")
	}
	return end, true, nil
}

// stringEnd is the offset after the string at b[i], -1 when it does not end. Nothing else about it is checked.
func stringEnd(b []byte, i int) int {
	for start := i + 1; ; {
		k := bytes.IndexByte(b[start:], '"')
		if k < 0 {
			return -1
		}
		quote := start + k
		slash := quote
		for slash > start && b[slash-1] == '\\' { // runs of backslashes do not overlap: linear over all quotes
			slash--
		}
		start = quote + 1
		if (quote-slash)%2 == 0 {
			return start
		}
	}
}
