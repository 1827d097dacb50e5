package bustest

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tributaryhq/tributary/pkg/event"
)

// A broker that has not heard of a new topic yet lets a group assign none of its partitions; right after that it knows the topic, so
// that no count ever changes. Nobody may be left without a reader for that.
func TestAPartitionThatBelongsToNobodyIsFound(t *testing.T) {
	t.Parallel()
	b := New(t)
	if b.Broker.real != nil {
		t.Skip("only the broker in memory errs on demand")
	}
	var blind, joins atomic.Int64
	b.Broker.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.Broker.KeepControl()
		joins.Add(1)
		return nil, nil, false
	})
	b.Broker.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.Broker.KeepControl()
		req := r.(*kmsg.MetadataRequest)
		// The first that the group client asks, between joining and assigning; all others ask in a newer version, or for all topics.
		if joins.Load() == 0 || len(req.Topics) != 1 || req.Version > 6 || !blind.CompareAndSwap(0, 1) {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.MetadataResponse)
		one := kmsg.NewMetadataResponseTopic()
		one.Topic, one.ErrorCode = req.Topics[0].Topic, kerr.UnknownTopicOrPartition.Code
		res.Topics = append(res.Topics, one)
		return res, nil, true
	})
	publish(t, b, rec(event.TopicInbound, "k", "1"))
	var s sink
	Run(t, b, inbound("g", s.handle))
	s.wait(t, 1)
	if blind.Load() == 0 {
		t.Error("the broker was not asked: the test shows nothing")
	}
}
