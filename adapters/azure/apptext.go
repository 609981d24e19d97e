package azure

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// errSpan is a time that is none.
var errSpan = errors.New("expected hh:mm:ss, or -1 for none")

// timeSpan reads [d.]hh:mm[:ss[.fff]], as .NET writes times; -1 is none, which is 0 here.
func timeSpan(text string) (time.Duration, error) {
	if text == "-1" {
		return 0, nil
	}
	parts := strings.Split(text, ":")
	if len(parts) == 2 {
		parts = append(parts, "0")
	}
	if len(parts) != 3 {
		return 0, fmt.Errorf("%q: %w", text, errSpan)
	}
	days, hours, ok := strings.Cut(parts[0], ".")
	if !ok {
		days, hours = "0", parts[0]
	}
	seconds, fraction, ok := strings.Cut(parts[2], ".")
	if !ok {
		fraction = "0"
	}
	var d time.Duration
	for _, p := range []struct {
		text string
		most uint64
		unit time.Duration
	}{
		{days, 10_000, 24 * time.Hour},
		{hours, 23, time.Hour},
		{parts[1], 59, time.Minute},
		{seconds, 59, time.Second},
		{(fraction + "000000000")[:max(9, len(fraction))], 999_999_999, 1},
	} {
		n, err := strconv.ParseUint(p.text, 10, 32)
		if err != nil || n > p.most {
			return 0, fmt.Errorf("%q: %w", text, errSpan)
		}
		d += time.Duration(n) * p.unit
	}
	if d == 0 {
		return 0, fmt.Errorf("%q: %w", text, errSpan)
	}
	return d, nil
}

// isFunctionName tells what the host takes for the name of a function.
func isFunctionName(name string) bool {
	if name == "" || len(name) > 128 || strings.EqualFold(name, "host") {
		return false
	}
	for i, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}
