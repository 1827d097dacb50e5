package bustest

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tributaryhq/tributary/pkg/bus/namespace"
)

// Variable names the brokers (host:port, separated by commas) of a Kafka cluster that tests use instead of one in memory. It must
// allow sessions of one second (group.min.session.timeout.ms).
const Variable = "TRIBUTARY_TEST_KAFKA_BROKERS"

// Real lists the brokers that Variable names; none: tests use the one in memory.
func Real() []string {
	return strings.FieldsFunc(os.Getenv(Variable), func(r rune) bool { return r == ',' })
}

// newReal makes a part of the real cluster look like one of the test's own.
func newReal(t testing.TB, brokers []string) *Broker {
	t.Helper()
	w := &wire{conns: map[net.Conn]struct{}{}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	n, err := namespace.Open(ctx, brokers, fmt.Sprintf("t%x.", time.Now().UnixNano()), w.listen)
	if err != nil {
		t.Fatalf("broker: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Errorf("broker: %v", err)
		}
	})
	return &Broker{addrs: n.Addrs(), wire: w, real: n, t: t}
}

// Fault adds a fault to the broker in memory; a real one has no such thing, so the test is skipped.
func (b *Broker) Fault(f kfake.Fault) *kfake.FaultHandle {
	if b.real != nil {
		b.t.Skip("only the broker in memory errs on demand")
	}
	return b.Cluster.Fault(f)
}

// DeleteRecords trims a partition: offset becomes its first.
func (b *Broker) DeleteRecords(topic string, partition int32, offset int64) error {
	if b.real == nil {
		return b.Cluster.DeleteRecords(topic, partition, offset)
	}
	req, rt, rp := kmsg.NewPtrDeleteRecordsRequest(), kmsg.NewDeleteRecordsRequestTopic(), kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Partition, rp.Offset = partition, offset
	rt.Topic, rt.Partitions = b.real.Real(topic), append(rt.Partitions, rp)
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 10_000
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	res, err := req.RequestWith(ctx, b.real.Admin())
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
}

// TopicConfig reads a setting of a topic.
func (b *Broker) TopicConfig(t testing.TB, topic, key string) string {
	t.Helper()
	admin, err := kgo.NewClient(kgo.SeedBrokers(b.addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	req, one := kmsg.NewPtrDescribeConfigsRequest(), kmsg.NewDescribeConfigsRequestResource()
	one.ResourceType, one.ResourceName, one.ConfigNames = kmsg.ConfigResourceTypeTopic, topic, []string{key}
	req.Resources = append(req.Resources, one)
	res, err := req.RequestWith(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range res.Resources[0].Configs {
		if c.Name == key && c.Value != nil {
			return *c.Value
		}
	}
	t.Fatalf("topic %s says nothing about %s", topic, key)
	return ""
}
