package azureemu

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What .NET and Newtonsoft.Json do to values on their way through the host.

// isoDate is what Newtonsoft takes for a date while it reads any JSON string.
var isoDate = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d(:?\d\d)?)?$`)
})

// parseDate reads a string as Newtonsoft does; zoned tells that it had an offset, which is shifted to the host's time, UTC.
func parseDate(s string) (t time.Time, zone string, ok bool) {
	m := isoDate().FindStringSubmatch(s)
	if m == nil {
		return t, "", false
	}
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), m[2], true
		}
	}
	return t, "", false
}

// dateJSON is a date as Newtonsoft writes it again.
func dateJSON(t time.Time, zone string) string {
	if zone != "" && zone != "Z" {
		zone = "+00:00"
	}
	return fraction(t, zone)
}

// dateText is a date as .NET's invariant culture writes it.
func dateText(t time.Time) string { return t.Format("01/02/2006 15:04:05") }

// decodeBase64 is Convert.FromBase64String: white space is skipped, unused bits are not looked at.
func decodeBase64(s string) ([]byte, bool) {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, s)
	b, err := base64.StdEncoding.DecodeString(s)
	return b, err == nil
}

// number is a JSON number as Newtonsoft writes it again.
func number(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		return text // integers of any size stay
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return double(f)
}

// double is Double.ToString("R"), with the ".0" that Newtonsoft adds to whole ones.
func double(f float64) string {
	digits, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	e, err := strconv.Atoi(exp)
	switch {
	case err != nil || math.IsInf(f, 0) || f == 0:
		return "0.0"
	case e >= 15 || e < -4:
		sign := "+"
		if e < 0 {
			sign, e = "-", -e
		}
		return fmt.Sprintf("%sE%s%02d", digits, sign, e)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// reformat writes JSON as Newtonsoft does after it has read it: JToken.ToString() is indented, the rest compact.
func reformat(raw json.RawMessage, indent bool) ([]byte, error) {
	compact, err := jsonText(raw)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for i := 0; i < len(compact); {
		c, end := compact[i], i+1
		switch {
		case c == '"':
			for ; compact[end] != '"'; end++ {
				if compact[end] == '\\' {
					end++
				}
			}
			end++
			isName := end < len(compact) && compact[end] == ':'
			b.Write(restring(compact[i:end], isName))
		case c == '-' || c >= '0' && c <= '9':
			for end < len(compact) && strings.IndexByte("+-.eE0123456789", compact[end]) >= 0 {
				end++
			}
			b.WriteString(number(string(compact[i:end])))
		default:
			b.WriteByte(c)
		}
		i = end
	}
	if !indent {
		return b.Bytes(), nil
	}
	var out bytes.Buffer
	err = json.Indent(&out, b.Bytes(), "", "  ")
	return out.Bytes(), err
}

// restring is a JSON string written again: escaped only where it must be, and as a date if it looks like one.
func restring(literal []byte, isName bool) []byte {
	var s string
	if json.Unmarshal(literal, &s) != nil {
		return literal // cannot be: Compact has checked it
	}
	if t, zone, ok := parseDate(s); ok && !isName {
		s = dateJSON(t, zone)
	}
	text, err := jsonText(s)
	if err != nil {
		return literal
	}
	return text
}
