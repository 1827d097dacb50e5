package embedded

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
)

// TestP12_P13_WhoDiesWhileJoiningHoldsNobodyUp: a member is killed between asking to join and being answered. Whether the broker
// makes it the leader or gives it partitions, the others read everything soon.
func TestP12_P13_WhoDiesWhileJoiningHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	br := start(t, "")
	b, err := kafka.Open(t.Context(), kafka.Config{Brokers: br.Addrs(), Group: kafka.Group{Heartbeat: time.Second, JoinBackoff: 100 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.EnsureTopics(t.Context(), []bus.TopicSpec{{Name: "in", Partitions: 8, Replicas: 1}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	got := map[string]bool{}
	seen := func() int { mu.Lock(); defer mu.Unlock(); return len(got) }
	var consumer sync.WaitGroup
	consumer.Go(func() {
		_ = b.Consume(ctx, bus.Subscription{Group: "g", Topics: []string{"in"}, Handle: func(_ context.Context, m bus.Message) error {
			mu.Lock()
			defer mu.Unlock()
			got[m.Event.ID] = true
			return nil
		}})
	})
	defer consumer.Wait()
	defer cancel()
	publish := func(round int) {
		for i := range 64 {
			e := event.New(fmt.Sprintf("evt_%d_%d", round, i), "t", "test", "t1", "s", event.At(time.Now()), map[string]int{"n": i})
			if err := b.Publish(t.Context(), event.Record{Topic: "in", Key: fmt.Sprint(i), Event: e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		for until := time.Now().Add(25 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(until) {
				g := br.cluster.GroupInfo("g")
				t.Fatalf("did not happen: %s (%d read; the group is %s in generation %d with %d members)", what, seen(), g.State, g.Epoch, len(g.Members))
			}
		}
	}
	publish(0)
	await("all is read", func() bool { return seen() == 64 })
	for i := range 2 { // who leads is chance
		haunt(t, br, await)
		publish(i + 1)
	}
	await("the others read on", func() bool { return seen() == 3*64 })
	await("the ghosts are gone", func() bool { return len(br.cluster.GroupInfo("g").Members) == 1 })
}

// haunt joins the group as a second member, and is gone before the first has noticed.
func haunt(t *testing.T, br *Broker, await func(string, func() bool)) {
	t.Helper()
	await("the group is stable", func() bool { return br.cluster.GroupInfo("g").State == "Stable" })
	before := len(br.cluster.GroupInfo("g").Members)
	cl, err := kgo.NewClient(kgo.SeedBrokers(br.Addrs()...), kgo.MaxVersions(kversion.V0_10_1()))
	if err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = "g", "consumer", 30_000, 60_000
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Topics = []string{"in"}
	for _, name := range []string{"range", "roundrobin"} {
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = name, meta.AppendTo(nil)
		req.Protocols = append(req.Protocols, p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	go func() { _, _ = req.RequestWith(ctx, cl); close(asked) }()
	await("it waits to join", func() bool { return len(br.cluster.GroupInfo("g").Members) > before })
	cancel()
	cl.Close()
	<-asked
}
