package lambda

import (
	"bytes"
	"crypto/md5" // the checksum of the format, of nothing secret
	"encoding/binary"
)

// The Amazon Kinesis Producer Library packs many user records into one record of the stream (amazon-kinesis-producer,
// "KPL Aggregated Record Format"): four bytes that mark it, a message of Protocol Buffers, version 2, and the message's MD5.
//
//	message AggregatedRecord {
//	  repeated string partition_key_table = 1;
//	  repeated string explicit_hash_key_table = 2;
//	  repeated Record records = 3;
//	}
//	message Record {
//	  required uint64 partition_key_index = 1;
//	  optional uint64 explicit_hash_key_index = 2;
//	  required bytes data = 3;
//	  repeated Tag tags = 4;
//	}
var kplMagic = []byte{0xF3, 0x89, 0x9A, 0xC2}

// maxUserRecords is how many user records one record may hold: a record has a megabyte, and a request some bytes.
const maxUserRecords = 1 << 16

// userRecords is the data of the user records in an aggregated record, parts of its memory. Whatever is not one to the last
// byte is an ordinary record: ok is false.
func userRecords(record []byte) (list [][]byte, ok bool) {
	end := len(record) - md5.Size
	if end < len(kplMagic) || !bytes.HasPrefix(record, kplMagic) {
		return nil, false
	}
	message := record[len(kplMagic):end]
	if md5.Sum(message) != [md5.Size]byte(record[end:]) {
		return nil, false
	}
	var keys, hashKeys, key, hashKey uint64 // how many of each there are, and have to be
	ok = fields(message, func(number, _ uint64, data []byte) bool {
		switch {
		case number == 1 && data != nil:
			keys++
		case number == 2 && data != nil:
			hashKeys++
		case number == 3 && data != nil:
			r, valid := userRecord(data)
			if !valid || len(list) == maxUserRecords {
				return false
			}
			key, hashKey = max(key, r.keys), max(hashKey, r.hashKeys)
			list = append(list, r.data)
		}
		return true
	})
	if !ok || key > keys || hashKey > hashKeys {
		return nil, false
	}
	return list, true
}

// oneUserRecord is a Record: its data, and how many entries of the key tables it needs.
type oneUserRecord struct {
	data           []byte
	keys, hashKeys uint64
}

func userRecord(message []byte) (r oneUserRecord, ok bool) {
	ok = fields(message, func(number, value uint64, data []byte) bool {
		switch {
		case number == 1 && data == nil:
			r.keys = value + 1
			return r.keys > 0
		case number == 2 && data == nil:
			r.hashKeys = value + 1
			return r.hashKeys > 0
		case number == 3 && data != nil:
			r.data = data
		}
		return true
	})
	return r, ok && r.keys > 0 && r.data != nil
}

// fields calls do with each field of a message (Protocol Buffers, "Encoding"): a varint's value, or the bytes of what has a
// length, which are not nil. What else a message may have is skipped. It is false when the message is none, or do said so.
func fields(message []byte, do func(number, value uint64, data []byte) bool) bool {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return false
		}
		message = message[n:]
		var value, size uint64
		switch tag & 7 {
		case 0, 2:
			if value, n = binary.Uvarint(message); n <= 0 {
				return false
			}
			message = message[n:]
			if tag&7 == 2 {
				size = value
			}
		case 1:
			size = 8
		case 5:
			size = 4
		default: // groups: nobody has written them for a long time
			return false
		}
		if size > uint64(len(message)) {
			return false
		}
		data := message[:size:size]
		message = message[size:]
		switch tag & 7 {
		case 0:
			data = nil
		case 1, 5:
			continue
		}
		if !do(tag>>3, value, data) {
			return false
		}
	}
	return true
}
