package azureapp

import (
	"slices"
	"strings"
)

// maxName is the longest name of a function or of a binding.
const maxName = 128

// isName tells whether the host takes a name: a letter, and then letters, digits and what is in more
// (Utility.FunctionNameValidationRegex, BindingMetadata). By hand, because a regular expression that counts to 127 is
// compiled for half a millisecond.
func isName(s, more string) bool {
	for i, c := range s {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || (c < '0' || c > '9') && !strings.ContainsRune(more, c)) {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// Trigger is the binding that calls the function.
func (f *Function) Trigger() Binding {
	for _, b := range f.Bindings {
		if b.isTrigger() {
			return b
		}
	}
	return Binding{}
}

func (b *Binding) isTrigger() bool { return strings.HasSuffix(strings.ToLower(b.Type), "trigger") }

// is compares a type as the host does.
func (b *Binding) is(kind string) bool { return strings.EqualFold(b.Type, kind) }

// Forwarded tells whether the host can forward the function's requests as they came: one input that is HTTP, and one
// output that is. Any other is sent as JSON, to a path of its name.
func (f *Function) Forwarded() bool {
	var in, out []Binding
	for _, b := range f.Bindings {
		if strings.EqualFold(b.Direction, "out") {
			out = append(out, b)
		} else {
			in = append(in, b)
		}
	}
	return len(in) == 1 && len(out) == 1 && in[0].is("httpTrigger") && out[0].is("http")
}

// Connections is the app settings that hold the function's connections, without repetition.
func (f *Function) Connections() []string {
	var names []string
	for _, b := range f.Bindings {
		name := b.Connection
		if name == "" && b.usesStorage() {
			name = hostStorage
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// hostStorage is the setting of the storage account that the host itself works with.
const hostStorage = "AzureWebJobsStorage"

func (b *Binding) usesStorage() bool {
	return slices.Contains([]string{"queue", "queuetrigger", "blob", "blobtrigger", "table", "timertrigger"}, strings.ToLower(b.Type))
}
