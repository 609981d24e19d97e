package azureemu

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// value is an output value once .NET has read it: one of nil, string, []byte, date, int64, float64, bool, and raw JSON for
// objects, arrays and numbers beyond 64 bits.
type value any

type date struct {
	time.Time
	zone string
}

// readValue is Newtonsoft's reading of an output, with GetBindingValue's look at strings: one that is base64 becomes bytes
// unless the binding is binary.
func readValue(raw json.RawMessage, b *Binding, ts *traps) value {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil
	}
	switch raw[0] {
	case 'n':
		return nil
	case 't', 'f':
		return raw[0] == 't'
	case '{', '[':
		return raw
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return raw
		}
		return readString(s, b, ts)
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(string(raw), 64); err == nil && bytes.ContainsAny(raw, ".eE") {
		return f
	}
	return raw
}

func readString(s string, b *Binding, ts *traps) value {
	if t, zone, ok := parseDate(s); ok {
		ts.add("date", "output %q is the text %q: .NET reads it as a date and writes %q; put it into a JSON object", b.Name, s, dateText(t))
		return date{t, zone}
	}
	if b.binary() {
		return s
	}
	bin, ok := decodeBase64(s)
	if !ok {
		return s
	}
	if s != "" && !readable(bin) {
		ts.add("base64", "output %q is the text %q, which is valid base64: the host decodes it to %d bytes, % X…; send a JSON object "+
			"instead, or the base64 of the exact bytes", b.Name, short(s), len(bin), bin[:min(len(bin), 8)])
	}
	return bin
}

// readable tells text from the rubble of a word that was decoded by mistake.
func readable(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' }) < 0
}

// written is what an output value becomes in its binding: a message each, or one blob (FunctionBinding.cs).
func (b *Binding) written(raw json.RawMessage, ts *traps) ([][]byte, error) {
	v := readValue(raw, b, ts)
	if v == nil {
		return nil, nil
	}
	if b.is("blob") {
		body, err := b.blob(v, ts)
		return [][]byte{body}, err
	}
	return b.messages(v, ts)
}

// messages is the collector of queues, Event Hubs, Service Bus and the like: arrays are split, and so are texts of arrays.
func (b *Binding) messages(v value, ts *traps) ([][]byte, error) {
	if s, ok := v.(string); ok {
		if text := strings.TrimSpace(s); text != "" && (text[0] == '[' || text[0] == '{') && json.Valid([]byte(text)) {
			v = json.RawMessage(text)
		}
	}
	raw, ok := v.(json.RawMessage)
	if !ok || len(raw) == 0 || raw[0] != '[' {
		one, err := b.message(v, ts)
		return [][]byte{one}, err
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return nil, err
	}
	ts.add("split", "output %q is a JSON array, or the text of one: the host splits it into %d messages; send an object such as "+
		`{"results": […]}`, b.Name, len(elements))
	all := make([][]byte, 0, len(elements))
	for _, e := range elements {
		one, err := b.element(e)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// element is a message of an array: JToken.ToString().
func (b *Binding) element(raw json.RawMessage) ([]byte, error) {
	v := readValue(raw, &Binding{DataType: "binary"}, new(traps))
	if v == nil {
		return nil, nil
	}
	return b.message(v, new(traps))
}

func (b *Binding) message(v value, ts *traps) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		if b.is("serviceBus") {
			ts.add("system-byte", `output %q is a text that is valid base64: the Service Bus binding writes "System.Byte[]"; send a JSON object`, b.Name)
			return []byte("System.Byte[]"), nil
		}
		return v, nil
	case string:
		return []byte(v), nil
	case json.RawMessage:
		return reformat(v, true)
	default:
		return []byte(scalarText(v)), nil
	}
}

// blob is the writer of a blob: JSON stays compact, and numbers become their bytes in memory.
func (b *Binding) blob(v value, ts *traps) ([]byte, error) {
	raws := func(body []byte) ([]byte, error) {
		ts.add("raw-bytes", "output %q is a bare number or boolean: a blob gets its %d bytes in memory; send an object", b.Name, len(body))
		return body, nil
	}
	switch v := v.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	case date:
		return []byte(dateText(v.Time)), nil
	case bool:
		if v {
			return raws([]byte{1})
		}
		return raws([]byte{0})
	case int64:
		if v >= math.MinInt32 && v <= math.MaxInt32 {
			return raws(binary.LittleEndian.AppendUint32(nil, uint32(v)))
		}
		return raws(binary.LittleEndian.AppendUint64(nil, uint64(v)))
	case float64:
		return raws(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	case json.RawMessage:
		return reformat(v, false)
	}
	return nil, fmt.Errorf("azureemu: a %T for a blob", v)
}

// scalarText is Object.ToString().
func scalarText(v value) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "True"
		}
		return "False"
	case date:
		return dateText(v.Time)
	case float64:
		return strings.TrimSuffix(double(v), ".0")
	}
	return fmt.Sprint(v)
}
