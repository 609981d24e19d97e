package jsonscan

// MaxDepth is the deepest nesting that [Skip] can follow: its stack is one bit a level.
const MaxDepth = 64

// Skip checks the one value that starts at b[i], whitespace before it included, and gives the offset after it. Arrays and
// objects deeper than maxDepth, at most [MaxDepth], are an error. What follows the value is not looked at.
func Skip(b []byte, i, maxDepth int) (end int, err error) {
	maxDepth = min(maxDepth, MaxDepth)
	var objects uint64 // bit d tells that level d is an object
	depth := 0
	for {
		// One value, or the bracket that opens one.
		i = Space(b, i)
		if i >= len(b) {
			return 0, ends(b, depth, "expected a value")
		}
		switch c := b[i]; c {
		case '{', '[':
			if depth >= maxDepth {
				return 0, fail(i, "nested too deep")
			}
			bit := uint64(1) << depth
			objects &^= bit
			if c == '{' {
				objects |= bit
			}
			depth++
			i = Space(b, i+1)
			if i < len(b) && b[i] == c+2 { // the closing bracket is two after the opening one, both times
				break
			}
			if c == '{' {
				if i, err = memberName(b, i); err != nil {
					return 0, err
				}
			}
			continue
		default:
			if i, err = scalar(b, i); err != nil {
				return 0, err
			}
			if depth == 0 {
				return i, nil
			}
		}
		// What follows a value: closing brackets, then perhaps a comma.
		for {
			i = Space(b, i)
			if i >= len(b) {
				return 0, ends(b, depth, "")
			}
			object := objects>>(depth-1)&1 == 1
			if b[i] == ',' {
				i++
				if object {
					if i, err = memberName(b, Space(b, i)); err != nil {
						return 0, err
					}
				}
				break
			}
			if object && b[i] != '}' {
				return 0, fail(i, "expected ',' or '}'")
			}
			if !object && b[i] != ']' {
				return 0, fail(i, "expected ',' or ']'")
			}
			i++
			if depth--; depth == 0 {
				return i, nil
			}
		}
	}
}

// scalar is the offset after the string, number or literal at b[i].
func scalar(b []byte, i int) (int, error) {
	switch c := b[i]; {
	case c == '"':
		end, _, err := String(b, i)
		return end, err
	case c == '-' || c-'0' <= 9:
		return Number(b, i)
	case Has(b, i, "true") || Has(b, i, "null"):
		return i + 4, nil
	case Has(b, i, "false"):
		return i + 5, nil
	}
	return 0, fail(i, "expected a value")
}

// memberName checks a member's name and the ':' after it and gives the offset after that.
func memberName(b []byte, i int) (int, error) {
	if i >= len(b) || b[i] != '"' {
		return 0, noName(b, i)
	}
	i, _, err := String(b, i)
	if err != nil {
		return 0, err
	}
	if i = Space(b, i); i >= len(b) || b[i] != ':' {
		return 0, fail(i, "expected ':' after a member name")
	}
	return i + 1, nil
}

func noName(b []byte, i int) error {
	if i >= len(b) {
		return fail(len(b), "the text ends inside an object")
	}
	return fail(i, "expected a member name in double quotes")
}

func ends(b []byte, depth int, outside string) error {
	if depth == 0 {
		return fail(len(b), outside)
	}
	return fail(len(b), "the text ends inside an array or object")
}
