package settings

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Grouped is an adapter's own table of settings, in the order in which it is printed, under the platform's name.
func Grouped(platform string, table []Setting) []Setting {
	out := append([]Setting(nil), table...)
	for i := range out {
		out[i].Group = platform
	}
	return out
}

// Reader reads the settings of an adapter and collects what is wrong with them, as [Load] does for those of the core. A bad
// value is read as one that is not set.
type Reader struct {
	getenv func(string) string
	errs   []error
}

// NewReader reads through getenv, where "" means not set.
func NewReader(getenv func(string) string) *Reader { return &Reader{getenv: getenv} }

// Text is a setting without the white space around it.
func (r *Reader) Text(name string) string { return strings.TrimSpace(r.getenv(name)) }

// Flag is true or false, or missing where it is not set.
func (r *Reader) Flag(name string, missing bool) bool {
	text := r.Text(name)
	if text == "" {
		return missing
	}
	v, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		r.Refuse(name, text, "true or false")
		return missing
	}
	return v
}

// Word is one of some words, in lower case; the first one where it is not set.
func (r *Reader) Word(name string, words ...string) string {
	text := strings.ToLower(r.Text(name))
	for _, w := range words {
		if text == w {
			return w
		}
	}
	if text != "" {
		r.Refuse(name, text, strings.Join(words, " or "))
	}
	return words[0]
}

// Place is the URL of a folder of objects, scheme://bucket with or without a path; "" where it is not set.
func (r *Reader) Place(name, example string) string {
	text := r.Text(name)
	scheme, rest, ok := strings.Cut(text, "://")
	if text != "" && (!ok || scheme == "" || strings.Trim(rest, "/") == "") {
		r.Refuse(name, text, example)
	}
	return text
}

// Refuse notes a bad value.
func (r *Reader) Refuse(name, value, expected string) {
	r.errs = append(r.errs, fmt.Errorf("%s=%q: expected %s", name, value, expected))
}

// Err names every bad value, what was expected and what was found; nil where all are good.
func (r *Reader) Err() error {
	if len(r.errs) == 0 {
		return nil
	}
	return fmt.Errorf("settings: %w", errors.Join(r.errs...))
}
