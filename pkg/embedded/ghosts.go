package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A member that dies while it waits to join is counted as joined when the others have come, and then the broker in the process
// sets no session timer for it, because it could not be answered (kfake, group.reply). It would keep its partitions for ever,
// read by nobody, or hold up the others as a leader that never says who reads what. A broker of a cluster would miss its
// heartbeats; ours is told by [Broker.exorcise].
const (
	ghostsEvery = time.Second
	ghostAfter  = 5 * time.Second // of a generation in which a member has said nothing: the first thing it does is to speak
)

// roll knows who has spoken in which generation of a group, and who was given one.
type roll struct {
	mu     sync.Mutex
	spoken map[string]map[string]int32 // the latest generation, by group and member
	given  map[string]*call
	joins  chan struct{} // a member joins: those that wait for the next generation are looked at before it is given
}

// call is the generation of a group that was last seen.
type call struct {
	generation int32
	since      time.Time
	members    map[string]bool // who was given it
	there      map[string]bool // who was seen while it lasted, those included that wait for the next one
}

func newRoll() *roll {
	return &roll{spoken: map[string]map[string]int32{}, given: map[string]*call{}, joins: make(chan struct{}, 1)}
}

// listen observes what members say; it answers nothing.
func (r *roll) listen(c *kfake.Cluster) {
	c.ControlKey(kmsg.JoinGroup.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		select {
		case r.joins <- struct{}{}:
		default:
		}
		return nil, nil, false
	})
	for _, key := range []int16{kmsg.SyncGroup.Int16(), kmsg.Heartbeat.Int16(), kmsg.OffsetCommit.Int16()} {
		c.ControlKey(key, func(req kmsg.Request) (kmsg.Response, error, bool) {
			switch q := req.(type) {
			case *kmsg.SyncGroupRequest:
				r.hear(q.Group, q.MemberID, q.Generation)
			case *kmsg.HeartbeatRequest:
				r.hear(q.Group, q.MemberID, q.Generation)
			case *kmsg.OffsetCommitRequest:
				r.hear(q.Group, q.MemberID, q.Generation)
			}
			return nil, nil, false
		})
	}
}

func (r *roll) hear(group, member string, generation int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spoken[group] == nil {
		r.spoken[group] = map[string]int32{}
	}
	r.spoken[group][member] = max(r.spoken[group][member], generation)
}

// ghosts returns the members that were given the group's generation some time ago and have said nothing in it.
func (r *roll) ghosts(g *kfake.GroupInfo, now time.Time) (silent []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	there := map[string]bool{}
	for _, m := range g.Members {
		there[m.MemberID] = true
	}
	for m := range r.spoken[g.Group] { // those that have left
		if !there[m] {
			delete(r.spoken[g.Group], m)
		}
	}
	c := r.given[g.Group]
	switch {
	case len(there) == 0:
		delete(r.given, g.Group)
		return nil
	case c == nil:
		c = &call{generation: g.Epoch, since: now, members: map[string]bool{}}
	case c.generation != g.Epoch: // whoever stayed is in it
		c = &call{generation: g.Epoch, since: now, members: c.there}
	}
	c.there, r.given[g.Group] = there, c
	for m := range there {
		if g.State != "PreparingRebalance" { // else it may just have come, for the next generation
			c.members[m] = true
		}
		if c.members[m] && r.spoken[g.Group][m] < g.Epoch && now.Sub(c.since) > ghostAfter {
			silent = append(silent, m)
		}
	}
	return silent
}

// exorcise has ghosts leave their groups.
func (b *Broker) exorcise(ctx context.Context) error {
	groups, err := b.groups(ctx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		for _, m := range b.roll.ghosts(g, time.Now()) {
			b.log.WarnContext(ctx, "a member of a group died while it joined: it is taken out", "group", g.Group, "member", m)
			err = errors.Join(err, b.leave(ctx, g.Group, m))
		}
	}
	return err
}

func (b *Broker) leave(ctx context.Context, group, member string) error {
	req := kmsg.NewPtrLeaveGroupRequest()
	one := kmsg.NewLeaveGroupRequestMember()
	one.MemberID = member
	req.Group, req.MemberID, req.Members = group, member, append(req.Members, one)
	res, err := req.RequestWith(ctx, b.admin)
	if err == nil {
		err = kerr.ErrorForCode(res.ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("member %s of group %s: %w", member, group, err)
	}
	return nil
}
