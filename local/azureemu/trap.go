package azureemu

import (
	"fmt"
	"slices"
	"strings"
)

// Trap is a place where the host does something else than a reader of its documentation expects, and says nothing.
type Trap struct{ Name, Text string }

func (t Trap) String() string { return t.Name + ": " + t.Text }

// traps collects those of one invocation, each once.
type traps []Trap

func (ts *traps) add(name, format string, args ...any) {
	t := Trap{name, fmt.Sprintf(format, args...)}
	if !slices.Contains(*ts, t) {
		*ts = append(*ts, t)
	}
}

// short is a text as part of a message.
func short(text string) string {
	const most = 200
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + fmt.Sprintf("… (%d bytes)", len(text))
	}
	return text
}
