package namespace

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// guest is a client that takes a namespace for a cluster.
type guest struct {
	*Namespace
	bus.Bus
}

func visit(t *testing.T, cluster *kfake.Cluster, prefix string) guest {
	t.Helper()
	n, err := Open(t.Context(), cluster.ListenAddrs(), prefix, net.Listen)
	if err != nil {
		t.Fatal(err)
	}
	b, err := kafka.Open(t.Context(), kafka.Config{Brokers: n.Addrs(), CommitEvery: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return guest{n, b}
}

func (g guest) leave(t *testing.T) {
	t.Helper()
	if err := g.Bus.Close(); err != nil {
		t.Error(err)
	}
	if err := g.Namespace.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// read consumes until n records have come, and returns their ids.
func (g guest) read(t *testing.T, n int) (ids []string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	var mu sync.Mutex
	err := g.Consume(ctx, bus.Subscription{Group: "g", Topics: []string{"topic"}, Handle: func(_ context.Context, m bus.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if ids = append(ids, m.Topic+" "+m.Event.ID); len(ids) == n {
			stop()
		}
		return nil
	}})
	if err != nil {
		t.Error(err)
	}
	return ids
}

func TestTwoNamespacesDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	a, b := visit(t, cluster, "a."), visit(t, cluster, "b.")
	for _, g := range []guest{a, b} {
		if err := g.EnsureTopics(t.Context(), []bus.TopicSpec{{Name: "topic", Partitions: 3, Replicas: 1}}); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			id := fmt.Sprint(g.prefix, i)
			e := event.New(id, event.MessageReceived, "test", "t1", "", event.At(time.Now()), nil)
			if err := g.Publish(t.Context(), event.Record{Topic: "topic", Key: "k", Event: e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, g := range []guest{a, b} {
		var want []string
		for i := range 4 {
			want = append(want, fmt.Sprint("topic ", g.prefix, i))
		}
		if diff := cmp.Diff(want, g.read(t, 4)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", g.prefix, diff)
		}
	}
	a.leave(t)
	left, err := b.Topics(t.Context())
	if diff := cmp.Diff(map[string]Topic{"topic": {3, 1}}, left); diff != "" || err != nil {
		t.Errorf("b after a has left (-want +got):\n%s %v", diff, err)
	}
	if gone, err := (&Namespace{prefix: "a.", admin: b.admin}).Topics(t.Context()); len(gone) > 0 || err != nil {
		t.Errorf("a has left behind %v, %v", gone, err)
	}
	b.leave(t)
}
