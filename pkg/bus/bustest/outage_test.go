package bustest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// control is a command that takes "start N" or "kill N" and does that with SIGKILL to broker N of the real cluster, which has
// three, on this machine.
const control = "TRIBUTARY_TEST_KAFKA_CONTROL"

// machines are the brokers of the real cluster. Tests that kill them are not parallel: nobody else shall miss them.
type machines struct {
	*testing.T
	dead map[int32]bool
}

func theMachines(t *testing.T) *machines {
	if os.Getenv(control) == "" || len(Real()) == 0 {
		t.Skipf("%s and %s are not set: brokers in memory cannot be killed", Variable, control)
	}
	m := &machines{T: t, dead: map[int32]bool{}}
	t.Cleanup(func() {
		for id := range m.dead {
			m.start(id)
		}
		m.whole()
	})
	return m
}

func (m *machines) command(what string, id int32) {
	m.Helper()
	words := append(strings.Fields(os.Getenv(control)), what, fmt.Sprint(id))
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		m.Errorf("%s: %v: %s", words, err, out)
	}
}

func (m *machines) kill(id int32)  { m.Helper(); m.command("kill", id); m.dead[id] = true }
func (m *machines) start(id int32) { m.Helper(); m.command("start", id); delete(m.dead, id) }

// whole waits until every partition of the cluster has all its replicas in sync.
func (m *machines) whole() {
	m.Helper()
	admin, err := kgo.NewClient(kgo.SeedBrokers(Real()...))
	if err != nil {
		m.Fatal(err)
	}
	defer admin.Close()
	Eventually(m, "the cluster is not whole", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		res, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, admin)
		if err != nil || len(res.Brokers) < 3 {
			return false
		}
		for _, t := range res.Topics {
			for _, p := range t.Partitions {
				if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
					return false
				}
			}
		}
		return true
	})
}

// leader asks who leads a partition.
func (m *machines) leader(br *Broker, topic string, partition int) int32 {
	m.Helper()
	req, one := kmsg.NewPtrMetadataRequest(), kmsg.NewMetadataRequestTopic()
	name := br.real.Real(topic)
	one.Topic = &name
	req.Topics = append(req.Topics, one)
	res, err := req.RequestWith(m.Context(), br.real.Admin())
	if err != nil {
		m.Fatal(err)
	}
	for _, p := range res.Topics[0].Partitions {
		if int(p.Partition) == partition {
			return p.Leader
		}
	}
	m.Fatalf("%s has no partition %d", topic, partition)
	return -1
}

// stream publishes one record after the other under a key until it is told to stop, and repeats what was not acknowledged, as every
// publisher of ours does.
type stream struct {
	key     string
	acked   atomic.Int64 // records 0 … acked-1 are acknowledged
	refused atomic.Int64 // publishes that were not
}

func (s *stream) run(ctx context.Context, b bus.Producer) {
	for n := int64(0); ctx.Err() == nil; {
		pctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		err := b.Publish(pctx, rec(event.TopicInbound, s.key, fmt.Sprintf("%s-%d", s.key, n)))
		cancel()
		if err != nil {
			s.refused.Add(1)
			continue
		}
		n++
		s.acked.Store(n)
		time.Sleep(10 * time.Millisecond) // a load that leaves brokers on the same machine room to start
	}
}

// streams runs some of them; stop ends them and returns what was acknowledged.
func streams(t *testing.T, b bus.Producer, n int) (all []*stream, stop func() (acked, refused int64)) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range n {
		s := &stream{key: fmt.Sprint("k", i)}
		all = append(all, s)
		wg.Go(func() { s.run(ctx, b) })
	}
	return all, func() (acked, refused int64) {
		cancel()
		wg.Wait()
		for _, s := range all {
			acked += s.acked.Load()
			refused += s.refused.Load()
		}
		return acked, refused
	}
}

// TestP1_P4_TheLeaderDies kills the leader of a partition with -9, twice, while everybody publishes with acks=all and a
// group reads: nothing that was acknowledged is lost, and the first time that a record of a key is seen comes in order.
func TestP1_P4_TheLeaderDies(t *testing.T) {
	m := theMachines(t)
	b := New(t)
	l := &ledger{seen: map[string]int{}, next: map[string]int{}, busy: map[string]int{}}
	Run(t, b, inbound("g", l.handle))
	all, stop := streams(t, b, 12)
	p, err := b.PartitionOf(t.Context(), event.TopicInbound, "k0")
	if err != nil {
		t.Fatal(err)
	}
	moves := func(n int64) {
		t.Helper()
		from := all[0].acked.Load()
		Eventually(t, "publishing does not go on", func() bool { return all[0].acked.Load() >= from+n })
	}
	moves(20)
	for range 2 {
		id := m.leader(b.Broker, event.TopicInbound, p)
		m.kill(id)
		moves(20) // without it
		m.start(id)
		m.whole()
		moves(20)
	}
	acked, refused := stop()
	Eventually(t, "acknowledged records are lost", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, s := range all {
			if int64(l.next[s.key]) < s.acked.Load() {
				return false
			}
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.skipped) > 0 || l.overlap > 0 {
		t.Errorf("%d out of order (%v), %d at the same time as another", len(l.skipped), l.skipped, l.overlap)
	}
	twice := 0
	for _, n := range l.seen {
		twice += n - 1
	}
	t.Logf("2 leaders killed: %d records acknowledged, 0 lost, %d publishes refused and repeated, %d records more than once", acked, refused, twice)
}

// TestP1_OneOfThreeBrokersIsNotEnough kills two of three brokers: a publish is refused, because one replica is no majority; it goes
// on when one of them is back.
func TestP1_OneOfThreeBrokersIsNotEnough(t *testing.T) {
	m := theMachines(t)
	b := New(t)
	p, err := b.PartitionOf(t.Context(), event.TopicInbound, "k")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, b, rec(event.TopicInbound, "k", "before"))
	survivor := m.leader(b.Broker, event.TopicInbound, p) // it has the partition, and may not take a record alone
	for id := range int32(3) {
		if id+1 != survivor {
			m.kill(id + 1)
		}
	}
	for n := range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := b.Publish(ctx, rec(event.TopicInbound, "k", fmt.Sprint("alone-", n)))
		cancel()
		if !fault.Is(err, fault.Unavailable) {
			t.Fatalf("a publish to one broker of three: %v, want a refusal", err)
		}
	}
	for id := range m.dead {
		m.start(id)
		break
	}
	Eventually(t, "publishing does not go on", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		return b.Publish(ctx, rec(event.TopicInbound, "k", "after")) == nil
	})
	var s sink
	Run(t, b, inbound("g", s.handle))
	Eventually(t, "acknowledged records are lost", func() bool { return s.count("before") > 0 && s.count("after") > 0 })
}
