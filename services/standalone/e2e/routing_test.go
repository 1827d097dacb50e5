package e2e

import (
	"slices"
	"testing"
)

// desk is a queue with one agent of its own, on a channel that has no queue unless a test gives it one.
type desk struct {
	*test
	user, agent, queue string
	peers              int
}

func newDesk(t *test) *desk {
	d := &desk{test: t}
	var user struct {
		ID      string `json:"id"`
		AgentID string `json:"agent_id"`
	}
	t.do("POST", "/v1/users", "ana", map[string]string{"name": "Ana", "email": "ana@example.com", "role": "agent"}, &user)
	d.user, d.agent = user.ID, user.AgentID
	d.queue = d.newQueue("Support", map[string]any{"agent_ids": []string{d.agent}})
	return d
}

func (d *desk) newQueue(name string, more map[string]any) string {
	in := map[string]any{"name": name}
	for k, v := range more {
		in[k] = v
	}
	var q struct {
		ID string `json:"id"`
	}
	d.do("POST", "/v1/queues", "queue "+name, in, &q)
	return q.ID
}

func (d *desk) presence(state string) {
	d.do("PUT", "/v1/agents/"+d.agent+"/presence", "", map[string]any{"state": state, "lease_seconds": 900}, nil)
}

func (d *desk) limit(n int) {
	d.do("PATCH", "/v1/agents/"+d.agent, "", map[string]any{"limit": n}, nil)
}

func (d *desk) channelQueue(id any) {
	d.do("PATCH", "/v1/channels/"+d.channel, "", map[string]any{"queue_id": id}, nil)
}

// write lets a new customer write, and waits until the conversation shows what the test expects first.
func (d *desk) write(what string, ok func(c *conversation) bool) *conversation {
	d.Helper()
	d.peers++
	peer := "49151000000" + string(rune('a'+d.peers))
	d.test.post(peer, "wamid."+peer, "is anybody there?")
	return d.until(what, peer, ok)
}

func (d *desk) until(what, peer string, ok func(c *conversation) bool) (c *conversation) {
	d.Helper()
	d.eventually(what, func() bool { c = d.find(peer); return c != nil && ok(c) })
	return c
}

func (d *desk) act(c *conversation, what string, in any) {
	d.do("POST", "/v1/conversations/"+c.ID+"/"+what, what+c.ID, in, nil)
}

// waiting is how many conversations routing knows that wait in the queue.
func (d *desk) waiting() int {
	var status struct {
		Waiting int `json:"waiting"`
	}
	d.do("GET", "/v1/queues/"+d.queue+"/status", "", nil, &status)
	return status.Waiting
}

func (c *conversation) heldBy(agent string) bool { return c.Assignee != nil && c.Assignee.ID == agent }

func (c *conversation) waitsIn(queue string) bool {
	return c.Assignee == nil && c.QueueID != nil && *c.QueueID == queue
}

func (c *conversation) loose() bool { return c.Assignee == nil && c.QueueID == nil }

func TestRoutingGivesItToAnAgentWhoIsThere(t *testing.T) {
	each(t, func(t *test) {
		d := newDesk(t)
		d.channelQueue(d.queue)
		c := d.write("it waits in the channel's queue", func(c *conversation) bool { return c.waitsIn(d.queue) })
		var listed page[conversation]
		t.do("GET", "/v1/conversations?queue_id="+d.queue, "", nil, &listed)
		if !slices.ContainsFunc(listed.Data, func(x conversation) bool { return x.ID == c.ID }) {
			t.Error("the queue does not list what waits in it")
		}
		d.presence("idle")
		d.until("the agent has it", c.Peer, func(c *conversation) bool { return c.heldBy(d.agent) })
		var why page[struct {
			Outcome string `json:"outcome"`
		}]
		t.eventually("the decision is explained", func() bool {
			return t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/routing", "", nil, &why) == nil && len(why.Data) > 0
		})
	})
}

// TestP9_NothingWaitsBesideAnAgentWhoMayTakeIt makes each change that lets an agent take what waits, while it waits.
func TestP9_NothingWaitsBesideAnAgentWhoMayTakeIt(t *testing.T) {
	each(t, func(t *test) {
		d := newDesk(t)
		d.limit(100)
		d.presence("idle")
		mine := func(c *conversation) bool { return c.heldBy(d.agent) }

		c := d.write("without a queue it waits", func(c *conversation) bool { return c.loose() })
		d.channelQueue(d.queue)
		d.until("the channel got a queue", c.Peer, mine)

		d.act(c, "assign", map[string]any{"agent_id": nil, "queue_id": nil})
		d.until("put back, it is in the channel's queue", c.Peer, mine)

		skilled := d.newQueue("Skilled", map[string]any{"skills": []string{"french"}})
		d.do("PATCH", "/v1/agents/"+d.agent, "", map[string]any{"skills": []string{"dutch"}}, nil)
		d.act(c, "transfer", map[string]any{"queue_id": skilled})
		d.until("it waits for a skill", c.Peer, func(c *conversation) bool { return c.waitsIn(skilled) })
		d.do("PATCH", "/v1/queues/"+skilled, "", map[string]any{"skills": []string{"dutch"}}, nil)
		d.until("the queue's skills changed", c.Peer, mine)

		lost := d.newQueue("Lost", nil)
		d.act(c, "transfer", map[string]any{"queue_id": lost})
		d.until("it waits where no agent is", c.Peer, func(c *conversation) bool { return c.waitsIn(lost) })
		d.do("DELETE", "/v1/queues/"+lost, "", nil, nil)
		d.until("the queue was deleted", c.Peer, mine)

		d.do("PATCH", "/v1/users/"+d.user, "", map[string]any{"disabled": true}, nil)
		c = d.write("a disabled user gets nothing", func(c *conversation) bool { return c.waitsIn(d.queue) })
		d.do("PATCH", "/v1/users/"+d.user, "", map[string]any{"disabled": false}, nil)
		d.until("the user is enabled again", c.Peer, mine)

		d.limit(1)
		c = d.write("there is no room", func(c *conversation) bool { return c.waitsIn(d.queue) })
		d.limit(100)
		d.until("the limit was raised", c.Peer, mine)
	})
}

func TestWhatSleepsTakesNoPlaceAndUrgentWorkGoesFirst(t *testing.T) {
	each(t, func(t *test) {
		d := newDesk(t)
		d.channelQueue(d.queue)
		d.limit(1)
		d.presence("idle")
		waits := func(c *conversation) bool { return c.waitsIn(d.queue) }
		mine := func(c *conversation) bool { return c.heldBy(d.agent) }
		first := d.write("the only place is taken", mine)
		sleeper, second, urgent := d.write("one waits", waits), d.write("another waits", waits), d.write("a third waits", waits)
		d.act(urgent, "priority", map[string]any{"priority": "urgent"})
		d.act(sleeper, "snooze", map[string]any{"until": "2100-01-01T00:00:00Z"})
		d.eventually("routing has heard of all that waits, and what sleeps", func() bool { return d.waiting() == 2 })
		d.act(first, "snooze", map[string]any{"until": "2100-01-01T00:00:00Z"})
		d.until("a sleeping conversation frees its place for the urgent one", urgent.Peer, mine)
		if c := d.find(second.Peer); !waits(c) {
			t.Errorf("%s was taken beyond the limit: %+v", second.Peer, c)
		}
		d.act(urgent, "close", map[string]any{})
		d.until("then comes what waited longest and is awake", second.Peer, mine)
		d.act(second, "close", map[string]any{})
		d.act(sleeper, "unsnooze", nil)
		d.until("awake, it is routed", sleeper.Peer, mine)
	})
}
