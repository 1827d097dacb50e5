package history

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/routing/decide"
)

// rooms sees every version of every agent's document that was committed: what routing promises about capacity is a property of
// one write (P9).
type rooms struct {
	mu       sync.Mutex
	versions map[string]map[int64]decide.Agent
}

func (r *rooms) look(ops []store.Op, errs []error) {
	for i, op := range ops {
		if op.Collection != directory.Agents.Name || errs[i] != nil || op.Kind == store.Delete || op.NewRev == nil {
			continue
		}
		var a decide.Agent
		if json.Unmarshal(op.JSON, &a) != nil {
			continue
		}
		r.mu.Lock()
		if r.versions == nil {
			r.versions = map[string]map[int64]decide.Agent{}
		}
		if r.versions[op.ID] == nil {
			r.versions[op.ID] = map[int64]decide.Agent{}
		}
		r.versions[op.ID][*op.NewRev] = a
		r.mu.Unlock()
	}
}

// wrong lists the writes that offered a conversation to an agent at or over the limit, or without the decision in the same
// write; offers tells how many there were.
func (r *rooms) wrong() (out []string, offers int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, versions := range r.versions {
		revs := make([]int64, 0, len(versions))
		for rev := range versions {
			revs = append(revs, rev)
		}
		slices.Sort(revs)
		var before decide.Agent
		for _, rev := range revs {
			now := versions[rev]
			for _, h := range now.Holds {
				if h.Kind != decide.Offered || slices.ContainsFunc(before.Holds, func(b decide.Hold) bool {
					return b.ConversationID == h.ConversationID && b.Epoch == h.Epoch
				}) {
					continue
				}
				offers++
				if len(now.Holds) > now.Limit {
					out = append(out, fmt.Sprintf("P9: agent %s was offered %s as number %d of %d", id, h.ConversationID, len(now.Holds), now.Limit))
				}
				if !slices.ContainsFunc(now.Pending, func(f store.Fact) bool {
					return f.Topic == event.TopicAssignments && f.Event.Subject == h.ConversationID
				}) {
					out = append(out, fmt.Sprintf("P9: the hold of %s for %s and its decision are not one write", id, h.ConversationID))
				}
			}
			before = now
		}
	}
	return out, offers
}
