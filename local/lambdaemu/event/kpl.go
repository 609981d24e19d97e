package event

import (
	"crypto/md5" // the checksum of the format
	"encoding/binary"
	"slices"
)

// kinesisKPL is kinesis as the Amazon Kinesis Producer Library fills it: one record of the stream, in which every body is a
// user record (amazon-kinesis-producer, "KPL Aggregated Record Format"). The library packs nothing that is alone; this does.
func kinesisKPL(m *maker) (any, error) {
	message := appendLengthed(nil, 1, []byte("1")) // partition_key_table
	for _, body := range m.Bodies {
		record := binary.AppendUvarint([]byte{1 << 3}, 0) // partition_key_index
		message = appendLengthed(message, 3, appendLengthed(record, 3, body))
	}
	sum := md5.Sum(message)
	packed := &maker{Options: m.Options, now: m.now}
	packed.Bodies = [][]byte{slices.Concat([]byte{0xF3, 0x89, 0x9A, 0xC2}, message, sum[:])}
	return kinesis(packed)
}

// appendLengthed appends a field of Protocol Buffers that has a length: text, bytes or a message.
func appendLengthed(dst []byte, number byte, value []byte) []byte {
	dst = binary.AppendUvarint(append(dst, number<<3|2), uint64(len(value)))
	return append(dst, value...)
}
