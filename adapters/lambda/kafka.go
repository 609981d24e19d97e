package lambda

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/scorefn/scorefn/function/jsonscan"
)

// decodeKafka reads records of Amazon MSK and self-managed Apache Kafka (Lambda developer guide, "Using Lambda with Amazon
// MSK"): by topic and partition, each of which keeps its order. A value is base64 of a request; a record without one marks a
// deleted key and has nothing to score.
func decodeKafka(e *event) (batch, error) {
	b := batch{ordered: true}
	all := e.members[mTopicRecords]
	err := jsonscan.Object(all, func(name []byte, from, to int) error {
		partition := string(name)
		var lane []record
		err := elements(all[from:to], func(r raw) error {
			v, err := members(r, "offset", "value")
			if err != nil {
				return err
			}
			offset, err := strconv.ParseInt(string(v[0]), 10, 64)
			if err != nil {
				return fmt.Errorf("the offset %.20q is not a number", v[0])
			}
			id := kafkaID(partition, offset)
			if v[1].absent() {
				lane = append(lane, record{id: id})
				return nil
			}
			value, err := v[1].appendBase64(nil)
			lane = append(lane, one(id, value, err))
			return nil
		})
		b.lanes = append(b.lanes, lane)
		return err
	})
	return b, err
}

// kafkaID names a record: topic-partition, a slash, which no topic has, and the offset.
func kafkaID(partition string, offset int64) string {
	return partition + "/" + strconv.FormatInt(offset, 10)
}

// answerKafka names the first failed record of each partition, {"itemIdentifier":{"partition":"topic-0","offset":100}}
// (Lambda developer guide, "Configuring error handling controls for Kafka event sources"): a string there would have the
// whole batch tried again. It needs a mapping in provisioned mode; others want SCOREFN_PARTIAL_BATCH=false.
func answerKafka(h *handler, _ *event, out []outcome) ([]byte, error) {
	return h.failures(out, func(dst []byte, o outcome) []byte {
		slash := strings.LastIndexByte(o.id, '/')
		dst = appendString(append(dst, `{"partition":`...), o.id[:slash])
		return append(append(append(dst, `,"offset":`...), o.id[slash+1:]...), '}')
	}, true)
}
