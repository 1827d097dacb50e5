package history

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// coroner has dead nodes leave their groups. A broker of a cluster misses their heartbeats; the one in memory sets no timer for a
// member that died while it waited to join, and that would keep its partitions for ever (see pkg/embedded, ghosts).
type coroner struct {
	mu     sync.Mutex
	groups map[string]bool
}

func newCoroner(t testing.TB, p *platform) *coroner {
	c := &coroner{groups: map[string]bool{}}
	admin, err := kgo.NewClient(kgo.SeedBrokers(p.broker.Addrs()...))
	if err != nil {
		t.Fatalf("admin: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		for wait(ctx, 500*time.Millisecond) == nil {
			c.round(ctx, p, admin)
		}
	}()
	t.Cleanup(func() { stop(); <-over; admin.Close() })
	return c
}

func (c *coroner) know(group string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.groups[group] = true
}

func (c *coroner) round(ctx context.Context, p *platform, admin *kgo.Client) {
	p.mu.Lock()
	long := map[string]bool{}
	for _, n := range p.gone {
		long[n.name] = n.dead.Load() && time.Since(n.died) > 2*session
	}
	p.mu.Unlock()
	c.mu.Lock()
	groups := make([]string, 0, len(c.groups))
	for g := range c.groups {
		groups = append(groups, g)
	}
	c.mu.Unlock()
	for _, group := range groups {
		info := p.broker.GroupInfo(group)
		if info == nil {
			continue
		}
		for _, m := range info.Members {
			if !long[m.ClientID] {
				continue
			}
			req, one := kmsg.NewPtrLeaveGroupRequest(), kmsg.NewLeaveGroupRequestMember()
			one.MemberID = m.MemberID
			req.Group, req.MemberID, req.Members = group, m.MemberID, append(req.Members, one)
			p.log.InfoContext(ctx, "a dead member is taken out", "group", group, "node", m.ClientID)
			_, _ = req.RequestWith(ctx, admin) // the next round tries again
		}
	}
}
