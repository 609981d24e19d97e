package tensor

import "strconv"

// Error is a mistake in the values that a caller sent: a client's fault, found before the model runs where it can be.
type Error struct {
	Path   string // where: data[1][2], data.image[0], "" when the whole value is meant
	Offset int    // byte offset in the text that was decoded; -1 when there is no text
	Msg    string // what is wrong, what was expected and what was found
}

// Error is "data[1]: 2 values, expected 3 (input \"image\" float32[N,3]) (at byte 17)".
func (e *Error) Error() string {
	s := e.Msg
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	if e.Offset >= 0 {
		s += " (at byte " + strconv.Itoa(e.Offset) + ")"
	}
	return s
}
