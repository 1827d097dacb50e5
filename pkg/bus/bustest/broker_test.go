package bustest

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestProduceSurvivesAMovingLeader(t *testing.T) {
	t.Parallel()
	b := New(t)
	h := b.Broker.Fail(kmsg.Produce, kerr.NotLeaderForPartition, 3)
	publish(t, b, rec(event.TopicInbound, "k", "1"))
	if h.Hits() != 3 {
		t.Errorf("the broker refused %d times, want 3", h.Hits())
	}
}

func TestConsumerSurvivesCoordinatorErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key kmsg.Key
		err *kerr.Error
	}{
		{kmsg.FindCoordinator, kerr.CoordinatorNotAvailable},
		{kmsg.JoinGroup, kerr.CoordinatorLoadInProgress},
		{kmsg.SyncGroup, kerr.NotCoordinator},
		{kmsg.Heartbeat, kerr.UnknownMemberID},
		{kmsg.OffsetCommit, kerr.CoordinatorLoadInProgress},
		{kmsg.Fetch, kerr.NotLeaderForPartition},
		{kmsg.ListOffsets, kerr.LeaderNotAvailable},
	} {
		t.Run(fmt.Sprintf("%s_%s", c.key.Name(), c.err.Message), func(t *testing.T) {
			t.Parallel()
			b := New(t)
			h := b.Broker.Fail(c.key, c.err, 2)
			var s sink
			Run(t, b, inbound("g", s.handle))
			publish(t, b, rec(event.TopicInbound, "k", "1"))
			s.wait(t, 1)
			Eventually(t, "the fault was never met: the test shows nothing", func() bool { return h.Hits() >= 2 })
			publish(t, b, rec(event.TopicInbound, "k", "2"))
			Eventually(t, "the second record did not come", func() bool { return s.count("2") > 0 })
		})
	}
}

func TestBrokerAwayAndBack(t *testing.T) {
	t.Parallel()
	b := New(t)
	// A member that could not say goodbye is missed for the length of its session.
	b.Bus = b.Broker.Open(t, func(c *kafka.Config) { c.Group.Session = time.Second })
	var s sink
	sub := inbound("g", s.handle)
	sub.Drain = 300 * time.Millisecond
	Run(t, b, sub)
	publish(t, b, rec(event.TopicInbound, "k", "1"))
	s.wait(t, 1)
	b.Broker.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := b.Publish(ctx, rec(event.TopicInbound, "k", "2")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("publish without a broker: %v", err)
	}
	if err := b.Ping(ctx); !fault.Is(err, fault.Unavailable) {
		t.Errorf("ping without a broker: %v", err)
	}
	b.Broker.Heal()
	Eventually(t, "the producer does not come back", func() bool {
		return b.Publish(t.Context(), rec(event.TopicInbound, "k", "3")) == nil
	})
	Eventually(t, "the consumer does not come back", func() bool { return s.count("3") > 0 })
	if err := b.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

// A broker that is dead behind a proxy takes connections and answers nothing.
func TestABrokerThatNeverAnswersIsPassedOver(t *testing.T) {
	t.Parallel()
	b := New(t)
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() })
	go func() {
		for {
			c, err := mute.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	publish(t, b, rec(event.TopicInbound, "k", "there"))
	k := b.Broker.Open(t, func(c *kafka.Config) { c.Brokers = append([]string{mute.Addr().String()}, c.Brokers...) })
	var s sink
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.Consume(ctx, inbound("g", s.handle)) }()
	s.wait(t, 1)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A probe or a caller may come while the process ends. It is refused, and leaves no connection behind that nobody closes.
func TestWhatComesAfterTheEndIsRefused(t *testing.T) {
	t.Parallel()
	b := New(t)
	k := b.Broker.Open(t)
	publish(t, k, rec(event.TopicInbound, "k", "1"))
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	for what, ask := range map[string]func() error{
		"publish": func() error { return k.Publish(t.Context(), rec(event.TopicInbound, "k", "2")) },
		"ping":    func() error { return k.Ping(t.Context()) },
		"ends":    func() error { _, err := k.Ends(t.Context(), event.TopicInbound); return err },
		"read":    func() error { _, err := k.ReadFrom(t.Context(), event.TopicInbound, 0, bus.Oldest, 1); return err },
	} {
		if err := ask(); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOpenWithoutABroker(t *testing.T) {
	t.Parallel()
	k, err := kafka.Open(t.Context(), kafka.Config{Brokers: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = k.Close() }()
	if err := k.Publish(t.Context(), rec(event.TopicInbound, "k", "1")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("publish: %v", err)
	}
	for _, c := range []kafka.Config{{}, {Brokers: []string{"nowhere"}}, {Brokers: []string{"a:1"}, SASL: kafka.SASL{Mechanism: "MD5"}}, {Brokers: []string{"a:1"}, Compression: "rar"}} {
		if _, err := kafka.Open(t.Context(), c); !fault.Is(err, fault.Invalid) {
			t.Errorf("config %+v: %v", c, err)
		}
	}
}

func TestWhatWaitsForTheBrokerIsBounded(t *testing.T) {
	t.Parallel()
	b := New(t)
	k := b.Broker.Open(t, func(c *kafka.Config) { c.MaxBuffered = 3000 })
	publish(t, k, rec(event.TopicInbound, "k", "0"))
	h := b.Broker.Fail(kmsg.Produce, kerr.NotEnoughReplicas, -1)
	Eventually(t, "records of which nobody waits any more always find room", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := k.Publish(ctx, rec(event.TopicInbound, "k", "1"))
		return err != nil && strings.Contains(err.Error(), "broker_busy")
	})
	h.Remove()
	Eventually(t, "the room is not given back", func() bool { return k.Publish(t.Context(), rec(event.TopicInbound, "k", "x")) == nil })
}

func TestRecordTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	b := New(t)
	r := rec(event.TopicInbound, "k", "1")
	r.Event.Data = []byte(`"` + strings.Repeat("x", 512<<10) + `"`)
	if err := b.Publish(t.Context(), r); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "524288") {
		t.Errorf("publish: %v", err)
	}
	r.Event.Data = []byte(`"` + strings.Repeat("x", 511<<10) + `"`)
	publish(t, b, r)
}

func TestPartitionAdded(t *testing.T) {
	t.Parallel()
	b := New(t)
	const topic = "grows"
	if err := b.EnsureTopics(t.Context(), []bus.TopicSpec{{Name: topic, Partitions: 1, Replicas: 1}}); err != nil {
		t.Fatal(err)
	}
	var s, f sink
	sub := inbound("g", s.handle)
	sub.Topics = []string{topic}
	Run(t, b, sub)
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	go func() { followed <- b.Follow(ctx, topic, bus.Beginning, f.handle, nil) }()
	publish(t, b, rec(topic, "k", "before"))
	s.wait(t, 1)
	grow(t, b.Broker, topic, 3)
	Eventually(t, "the producer does not see the new partitions", func() bool {
		ends, err := b.Ends(t.Context(), topic)
		return err == nil && len(ends) == 3
	})
	for n := range 30 {
		publish(t, b, rec(topic, fmt.Sprint("k", n), fmt.Sprint(n)))
	}
	s.wait(t, 31)
	f.wait(t, 31)
	cancel()
	if err := <-followed; err != nil {
		t.Error(err)
	}
}

func grow(t *testing.T, br *Broker, topic string, n int32) {
	t.Helper()
	admin, err := kgo.NewClient(kgo.SeedBrokers(br.Addrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	req := kmsg.NewPtrCreatePartitionsRequest()
	rt := kmsg.NewCreatePartitionsRequestTopic()
	rt.Topic, rt.Count = topic, n
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(t.Context(), admin)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("grow %s: %v", topic, err)
	}
}
