package bustest

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
)

// kafka-go spins while two requests share a connection of its older client (Conn.waitResponse), with which it keeps a group: with many
// groups on a busy machine that took all processors, members were put out of their groups, and these formed again and again.
func TestHeartbeatsShareTheirConnectionWithNoOtherRequest(t *testing.T) {
	t.Parallel()
	b := New(t)
	var mu sync.Mutex
	asked := map[*eavesdropped]map[kmsg.Key]int{}
	k := b.Broker.Open(t, func(c *kafka.Config) {
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			one := &eavesdropped{Conn: conn}
			one.heard = func(key kmsg.Key) {
				mu.Lock()
				defer mu.Unlock()
				if asked[one] == nil {
					asked[one] = map[kmsg.Key]int{}
				}
				asked[one][key]++
				if key == kmsg.SyncGroup {
					clear(asked[one]) // what the leader of a group asks before it assigns the partitions is alone on the connection
				}
			}
			return one, nil
		}
	})
	publish(t, b, rec(event.TopicInbound, "k", "1"))
	var s sink
	Run(t, k, inbound("g", s.handle))
	s.wait(t, 1)
	count := func(key kmsg.Key) (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, keys := range asked {
			n += keys[key]
		}
		return n
	}
	beats := count(kmsg.Heartbeat)
	Eventually(t, "the group is not kept, or nothing is committed", func() bool {
		return count(kmsg.OffsetCommit) > 0 && count(kmsg.Heartbeat) > beats+5
	})
	mu.Lock()
	defer mu.Unlock()
	for _, keys := range asked {
		if keys[kmsg.Heartbeat] == 0 {
			continue
		}
		for _, key := range []kmsg.Key{kmsg.OffsetCommit, kmsg.Metadata, kmsg.Fetch, kmsg.ListOffsets} {
			if keys[key] > 0 {
				t.Errorf("%d requests %s beside the heartbeats", keys[key], key.Name())
			}
		}
	}
}

// eavesdropped tells which requests are written: kafka-go writes each at once.
type eavesdropped struct {
	net.Conn
	heard func(kmsg.Key)
}

func (c *eavesdropped) Write(b []byte) (int, error) {
	if len(b) >= 6 { // its length, then its key
		c.heard(kmsg.Key(binary.BigEndian.Uint16(b[4:])))
	}
	return c.Conn.Write(b)
}
