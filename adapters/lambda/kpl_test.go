package lambda

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function/blob"
)

// kplField appends a field of a message: an integer, or what has a length.
func kplField(dst []byte, number uint64, value any) []byte {
	switch v := value.(type) {
	case uint64:
		return binary.AppendUvarint(binary.AppendUvarint(dst, number<<3), v)
	case []byte:
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, number<<3|2), uint64(len(v)))
		return append(dst, v...)
	}
	panic(fmt.Sprintf("%T", value))
}

// kplRecord is a field of an AggregatedRecord: a Record of the first key.
func kplRecord(data string) []byte {
	return kplField(nil, 3, kplField(kplField(nil, 1, uint64(0)), 3, []byte(data)))
}

// kplWrap makes an aggregated record of a message.
func kplWrap(message []byte) []byte {
	sum := md5.Sum(message)
	return slices.Concat(kplMagic, message, sum[:])
}

func TestUserRecords(t *testing.T) {
	t.Parallel()
	key := kplField(nil, 1, []byte("key"))
	record := func(fields ...any) []byte {
		var m []byte
		for i := 0; i < len(fields); i += 2 {
			m = kplField(m, uint64(fields[i].(int)), fields[i+1])
		}
		return kplField(nil, 3, m)
	}
	one := kplRecord("x")
	huge := binary.AppendUvarint(nil, 3<<3|2)
	huge = binary.AppendUvarint(huge, 1<<63)
	for _, tt := range []struct {
		name    string
		message []byte
		want    []string // nil: an ordinary record
	}{
		{"none", key, []string{}},
		{"nothing at all", nil, []string{}},
		{"one", slices.Concat(key, one), []string{"x"}},
		{"two", slices.Concat(key, one, kplRecord("")), []string{"x", ""}},
		{"keys behind the records", slices.Concat(one, key), []string{"x"}},
		{"a key of its own hash", slices.Concat(key, kplField(nil, 2, []byte("1")), record(1, uint64(0), 2, uint64(0), 3, []byte("x"))), []string{"x"}},
		{"tags and fields of tomorrow", slices.Concat(key, kplField(nil, 9, uint64(1)),
			record(1, uint64(0), 3, []byte("x"), 4, []byte("tag"), 15, uint64(7)), []byte{10<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8}, []byte{11<<3 | 5, 1, 2, 3, 4}), []string{"x"}},
		{"the last of two counts", slices.Concat(key, record(3, []byte("x"), 1, uint64(7), 1, uint64(0), 3, []byte("y"))), []string{"y"}},
		{"no such key", slices.Concat(key, record(1, uint64(1), 3, []byte("x"))), nil},
		{"no such hash key", slices.Concat(key, record(1, uint64(0), 2, uint64(0), 3, []byte("x"))), nil},
		{"the last key there could be", slices.Concat(key, record(1, uint64(1<<64-1), 3, []byte("x"))), nil},
		{"the last hash key there could be", slices.Concat(key, record(1, uint64(0), 2, uint64(1<<64-1), 3, []byte("x"))), nil},
		{"no key", slices.Concat(key, record(3, []byte("x"))), nil},
		{"no data", slices.Concat(key, record(1, uint64(0))), nil},
		{"data that is a number", slices.Concat(key, record(1, uint64(0), 3, uint64(1))), nil},
		{"a key that is text", slices.Concat(key, record(1, []byte("0"), 3, []byte("x"))), nil},
		{"cut off", slices.Concat(key, one[:len(one)-1]), nil},
		{"a length beyond the end", slices.Concat(key, huge), nil},
		{"a number without an end", slices.Concat(key, bytes.Repeat([]byte{0xff}, 12)), nil},
		{"field 0", slices.Concat(key, one, []byte{0, 0}), nil},
		{"a group", slices.Concat(key, one, []byte{1<<3 | 3, 1<<3 | 4}), nil},
		{"fixed and cut off", slices.Concat(key, one, []byte{1<<3 | 1, 0}), nil},
		{"as many as there may be", slices.Concat(key, bytes.Repeat(kplRecord(""), maxUserRecords)), make([]string, maxUserRecords)},
		{"more", slices.Concat(key, bytes.Repeat(kplRecord(""), maxUserRecords+1)), nil},
	} {
		list, ok := userRecords(kplWrap(tt.message))
		if ok != (tt.want != nil) || len(list) != len(tt.want) {
			t.Errorf("%s: got %d records, %t, want %d", tt.name, len(list), ok, len(tt.want))
			continue
		}
		for i, data := range list {
			if string(data) != tt.want[i] {
				t.Errorf("%s: record %d: got %q, want %q", tt.name, i, data, tt.want[i])
			}
		}
	}
}

func TestWhatIsNotAggregatedIsAnOrdinaryRecord(t *testing.T) {
	t.Parallel()
	whole := kplWrap(slices.Concat(kplField(nil, 1, []byte("key")), kplRecord("x")))
	for i := range whole {
		broken := bytes.Clone(whole)
		broken[i] ^= 1
		if _, ok := userRecords(broken); ok {
			t.Errorf("byte %d is another: taken for an aggregated record", i)
		}
		if _, ok := userRecords(whole[:i]); ok {
			t.Errorf("%d bytes of it: taken for an aggregated record", i)
		}
	}
}

// The answers of user records are stored under names of their own, which do not change when the record comes again.
func TestUserRecordsHaveIDsOfTheirOwn(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	h := newTest(t, map[string]string{"SCOREFN_OUTPUT": "s3://scores/out"}, WithStore(store))
	for range 2 {
		if _, err := invoke(t, h, fixture(t, "kinesis-kpl")); err != nil {
			t.Fatal(err)
		}
	}
	const shard = "s3://scores/out/shardId-000000000006~3A4959033827149025660855969253836157109592157598913658889"
	for name, want := range map[string]string{"1~3A0": "2", "1~3A1": "4", "1~3A2": "6", "2": "8", "3~3A0": "10", "3~3A1": "", "4~3A0": ""} {
		_, body, err := blob.Read(t.Context(), store, shard+name+".json", 100)
		if want == "" && errors.Is(err, blob.ErrNotFound) {
			continue // of what failed, and of what waits behind it
		}
		if err != nil || string(body) != want {
			t.Errorf("%s: got %q %v, want %q", name, body, err, want)
		}
	}
}

// Whatever a record holds is scored: as it is, or in parts that it is made of.
func FuzzUserRecords(f *testing.F) {
	var event struct {
		Records []struct{ Kinesis struct{ Data []byte } }
	}
	if err := json.Unmarshal(fixture(f, "kinesis-kpl"), &event); err != nil || len(event.Records) == 0 {
		f.Fatal(err)
	}
	for _, r := range event.Records {
		f.Add(bytes.TrimPrefix(r.Kinesis.Data, kplMagic)[:max(len(r.Kinesis.Data)-len(kplMagic)-md5.Size, 0)])
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		record := kplWrap(message)
		list, ok := userRecords(record)
		if !ok && list != nil {
			t.Errorf("an ordinary record has %d parts", len(list))
		}
		total := 0
		for _, data := range list {
			total += len(data)
			if cap(data) != len(data) || !bytes.Contains(message, data) {
				t.Errorf("%q is no part of the record", data)
			}
		}
		if total > len(message) || len(list) > maxUserRecords {
			t.Errorf("%d records of %d bytes out of %d bytes", len(list), total, len(message))
		}
		items := requests("shard:1", record, nil)
		if ok && len(items) != len(list) || !ok && (len(items) != 1 || items[0].ID != "shard:1") {
			t.Errorf("got %d items, %t", len(items), ok)
		}
		for i, it := range items {
			if ok && !strings.HasSuffix(it.ID, fmt.Sprintf(":%d", i)) {
				t.Errorf("item %d is %q", i, it.ID)
			}
		}
	})
}
