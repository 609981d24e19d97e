package azureemu

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// dateTime is a .NET DateTime, whose text has no zone; time.Time stands for a DateTimeOffset, whose text has one.
type dateTime time.Time

// MarshalJSON is its text inside arrays and objects, where the fraction stays.
func (d dateTime) MarshalJSON() ([]byte, error) {
	return []byte(`"` + fraction(time.Time(d).UTC(), "") + `"`), nil
}

// fraction is a time with up to seven digits after the second, as .NET's round trip format trimmed by Newtonsoft.
func fraction(t time.Time, zone string) string { return t.Format("2006-01-02T15:04:05.9999999" + zone) }

// encodeValue is the host's one rule for every value of Data and Metadata (GetHttpScriptInvocationContextValue): bytes are
// base64, times are their text in whole seconds, objects stay, and all others become their JSON text in a JSON string.
func encodeValue(v any) (json.RawMessage, error) {
	switch v := v.(type) {
	case []byte:
		return jsonText(base64.StdEncoding.EncodeToString(v))
	case dateTime:
		return jsonText(time.Time(v).UTC().Format("2006-01-02T15:04:05"))
	case time.Time:
		return jsonText(v.Format("2006-01-02T15:04:05-07:00"))
	}
	text, err := jsonText(v)
	if err != nil || bytes.HasPrefix(text, []byte("{")) {
		return text, err
	}
	return jsonText(string(text))
}

// jsonText is v as JSON on one line, with nothing escaped that needs not be.
func jsonText(v any) (json.RawMessage, error) {
	if raw, ok := v.(json.RawMessage); ok {
		var b bytes.Buffer
		err := json.Compact(&b, raw)
		return b.Bytes(), err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// metadata is the binding data of one invocation. Names are equal in any case; the first spelling stays.
type metadata struct {
	values   map[string]json.RawMessage
	spelling map[string]string
	hidden   map[string]string // for binding expressions alone, by name in lower case
	err      error
	replaced []string // what the payload's own properties overwrote
}

func newMetadata() *metadata {
	return &metadata{values: map[string]json.RawMessage{}, spelling: map[string]string{}, hidden: map[string]string{}}
}

// set adds a value; null ones and names that end in "trigger" are left out.
func (m *metadata) set(name string, v any) {
	if v == nil || strings.HasSuffix(strings.ToLower(name), "trigger") {
		return
	}
	value, err := encodeValue(v)
	if err != nil {
		m.err = err
		return
	}
	m.put(name, value)
}

func (m *metadata) put(name string, value json.RawMessage) (replaced bool) {
	lower := strings.ToLower(name)
	have, replaced := m.spelling[lower]
	if !replaced {
		have = name
		m.spelling[lower] = name
	}
	m.values[have] = value
	return replaced
}

// spill copies the properties of a payload that is a JSON object, all but arrays, over what is there already
// (BindingDataProvider and WorkerFunctionInvoker).
func (m *metadata) spill(payload string) {
	var object map[string]json.RawMessage
	if !strings.HasPrefix(strings.TrimSpace(payload), "{") || json.Unmarshal([]byte(payload), &object) != nil {
		return
	}
	for name, value := range object {
		switch {
		case bytes.HasPrefix(value, []byte("[")), string(value) == "null", strings.HasSuffix(strings.ToLower(name), "trigger"):
			continue
		}
		encoded, err := encodeValue(value)
		if err != nil {
			m.err = err
			return
		}
		if m.put(name, encoded) {
			m.replaced = append(m.replaced, name)
		}
	}
}

// sys is what every invocation's Metadata has.
func (m *metadata) sys(function string, now time.Time, guid string) {
	m.set("sys", map[string]string{
		"MethodName": function, "UtcNow": fraction(now.UTC(), "Z"), "RandGuid": guid,
	})
}

// text is the value that a binding expression such as {name} or {data.url} stands for; false when there is none.
func (m *metadata) text(path string) (string, bool) {
	name, rest, nested := strings.Cut(path, ".")
	value, ok := m.values[m.spelling[strings.ToLower(name)]]
	for ok && nested {
		var object map[string]json.RawMessage
		if json.Unmarshal(value, &object) != nil {
			return "", false
		}
		name, rest, nested = strings.Cut(rest, ".")
		value, ok = object[name]
	}
	if !ok {
		text, ok := m.hidden[strings.ToLower(path)]
		return text, ok
	}
	for range 2 { // a JSON string, which may hold the JSON text of one
		var inner string
		if json.Unmarshal(value, &inner) != nil {
			break
		}
		value = json.RawMessage(inner)
	}
	return string(value), true
}
