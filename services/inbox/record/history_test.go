package record_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

var (
	noon    = event.At(time.Now().Truncate(time.Hour)) // what expires, expires by the real clock
	robot   = event.Actor{Kind: "automation", ID: "test"}
	tenants atomic.Int64
)

// history is one thread and what is done to it.
type history struct {
	*world
	person   record.Person
	rules    record.Rules
	members  []*process
	clock    atomic.Int64
	acked    [][]string // message ids in the order in which one process acknowledged them, per handler
	together bool       // messages of one webhook
}

type process struct {
	*member
	*record.Store
}

func newHistory(t *rapid.T, db store.DB, deaths, failures int) *history {
	h := &history{world: newWorld(t, db, deaths, failures)}
	h.person = record.Person{Tenant: fmt.Sprintf("t%d", tenants.Add(1)), ChannelID: "ch_1", ChannelType: event.WhatsApp, Peer: "p"}
	h.together = rapid.Bool().Draw(t, "together")
	h.rules = record.Rules{Reopen: rapid.SampledFrom([]string{"new", "reopen", "reopen_within_hours"}).Draw(t, "reopen"), Hours: 1}
	for i := range 3 {
		h.members = append(h.members, h.process(i))
	}
	return h
}

func (h *history) process(name int) *process {
	d := memberDB{h.db, &member{world: h.world, name: name}}
	return &process{d.member, record.New(d, d, nil)}
}

func (h *history) now() event.Time { return noon.Add(time.Duration(h.clock.Add(1)) * 20 * time.Minute) }

func (h *history) message(ref string) *record.Message {
	m := &record.Message{Direction: record.In, Content: event.Content{Type: event.Text, Text: ref}, Ref: ref, CreatedAt: h.now(), ExternalIDs: []string{"x" + ref}}
	m.ID, m.Tenant = record.MessageID(h.person.Tenant, h.person.ChannelID, ref), h.person.Tenant
	return m
}

// receive is one delivery of a webhook with several messages, in order.
func (h *history) receive(p *process, refs ...string) error {
	var done []string
	size := 1
	if h.together {
		size = len(refs) // they waited one behind the other, and go into one commit
	}
	for some := range slices.Chunk(refs, size) {
		t, err := p.Thread(context.Background(), h.person, h.now())
		if err != nil {
			return err
		}
		ms := make([]*record.Message, len(some))
		for i, ref := range some {
			ms[i] = h.message(ref)
			done = append(done, ms[i].ID)
		}
		if _, err := p.Received(context.Background(), t, h.rules, ms...); err != nil {
			return err
		}
	}
	h.acknowledge(done...)
	return nil
}

func (h *history) acknowledge(ids ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acked = append(h.acked, ids)
}

var errClosed = errors.New("409")

// send is POST …/messages with an idempotency key.
func (h *history) send(p *process, conversation int, key string) error {
	m := h.message(key)
	m.Direction, m.ExternalIDs = record.Out, nil
	_, _, err := p.Post(context.Background(), h.conversation(conversation), m, func(c *record.Conversation) error {
		if c.Status == record.Closed {
			return errClosed
		}
		c.Send(m, c.Dispatch(robot, noon.Add(time.Hour)))
		return nil
	})
	if err == nil {
		h.acknowledge(m.ID)
	}
	return err
}

func (h *history) conversation(n int) string {
	thread := record.ThreadID(h.person.Tenant, h.person.ChannelID, record.Messages, "", h.person.Peer)
	return record.ConversationID(h.person.Tenant, h.person.ChannelID, thread, n)
}

// post is POST /v1/conversations without a message.
func (h *history) post(p *process) error {
	t, err := p.Thread(context.Background(), h.person, h.now())
	if err != nil {
		return err
	}
	_, err = p.Into(context.Background(), t, h.rules, robot, "user", nil, h.now(), func(c *record.Conversation) error {
		if c.Status == record.Closed {
			return record.ErrNext
		}
		return store.Unchanged
	})
	return err
}

func (h *history) close(p *process, n int) error {
	_, err := p.Conversations.Update(context.Background(), h.conversation(n), func(c *record.Conversation) error {
		return c.Shut(robot, nil, true, "user", "", h.now())
	})
	return err
}

func (h *history) reopen(p *process, n int) error {
	_, err := p.Conversations.Update(context.Background(), h.conversation(n), func(c *record.Conversation) error {
		return c.Reopen(robot, "user", h.now())
	})
	return err
}

func (h *history) lapse(p *process, n int) error {
	c, err := p.Conversations.Get(context.Background(), h.conversation(n))
	if err != nil {
		return err
	}
	_, err = p.Lapse(context.Background(), c.ID, c.Window.LastInboundID, robot, "saw "+c.Window.LastInboundID, h.now())
	return err
}

func (h *history) note(p *process, ref string) error {
	t, err := p.Thread(context.Background(), h.person, h.now())
	if err != nil {
		return err
	}
	return p.Happened(context.Background(), t, record.Happening{Category: "page", Type: "page_changed", By: robot, Ref: ref, At: h.now()})
}

// handler draws what a process does next. What failed is tried again by another process: a redelivery, a client's repeat.
func (h *history) handler() func(*process) error {
	n := rapid.IntRange(1, 2).Draw(h.t, "conversation")
	switch rapid.IntRange(0, 11).Draw(h.t, "op") {
	case 0, 1, 2:
		return func(p *process) error { return h.receive(p, "1", "2") }
	case 3, 4:
		return func(p *process) error { return h.receive(p, "3") }
	case 5:
		return func(p *process) error { return h.send(p, n, "s1") }
	case 6, 7:
		return func(p *process) error { return h.close(p, n) }
	case 8:
		return func(p *process) error { return h.reopen(p, n) }
	case 9:
		return func(p *process) error { return h.post(p) }
	case 10:
		return func(p *process) error { return h.lapse(p, n) }
	}
	return func(p *process) error { return h.note(p, "n1") }
}

// run plays handlers at once, lets what they left be swept, and delivers every record once more.
func (h *history) run(handlers []func(*process) error) {
	for i, f := range handlers {
		p := h.members[i%len(h.members)]
		h.start(p.member, func() {
			err := f(p)
			if err == nil {
				err = p.Applier.Flush(context.Background())
			}
			if err != nil && p.died() {
				return
			}
			_ = p.Applier.Flush(context.Background()) // once more after a produce that failed; the sweeper does the rest
		})
	}
	h.play()
	h.mu.Lock()
	h.deaths, h.fails = 0, 0
	h.mu.Unlock()
	last := h.process(9)
	h.start(last.member, func() {
		sweep := func() {
			if err := errors.Join(last.Applier.Sweep(context.Background(), -time.Hour), last.Applier.Flush(context.Background())); err != nil {
				h.t.Errorf("sweep: %v", err)
			}
		}
		sweep()
		for _, f := range handlers {
			if err := f(last); err != nil && !errors.Is(err, errClosed) && !errors.Is(err, store.ErrNotFound) && fault.KindOf(err) != fault.Conflict {
				h.t.Errorf("after everything has recovered: %v", err)
			}
			sweep()
		}
	})
	h.play()
}

func forHistories(t *testing.T, check func(h *history)) {
	t.Parallel()
	db := storetest.New(t, record.Specs...)
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(rt, db, rapid.IntRange(0, 3).Draw(rt, "deaths"), rapid.IntRange(0, 2).Draw(rt, "failures"))
		handlers := []func(*process) error{func(p *process) error { return h.receive(p, "1", "2") }}
		for range rapid.IntRange(1, 6).Draw(rt, "handlers") {
			handlers = append(handlers, h.handler())
		}
		h.run(handlers)
		check(h)
	})
}

func TestP3_EveryAcknowledgedMessageIsInExactlyOnce(t *testing.T) {
	forHistories(t, func(h *history) {
		facts, sends := map[string]int{}, map[string]int{}
		for _, e := range h.log.Topic(event.TopicConversations) {
			if e.Type == event.MessageCreated {
				facts[h.messageOf(e).ID]++
			}
		}
		for _, e := range h.log.Topic(event.TopicOutbound(event.WhatsApp)) {
			o, err := event.Decode[event.Outbound](e)
			if err != nil {
				h.t.Fatal(err)
			}
			sends[o.MessageID]++
		}
		docs := h.messages()
		for _, ids := range h.acked {
			for _, id := range ids {
				if docs[id] == nil || facts[id] != 1 {
					h.t.Errorf("message %s: document %v, %d facts", id, docs[id] != nil, facts[id])
				}
			}
		}
		for id, m := range docs {
			if want := map[string]int{record.Out: 1}[m.Direction]; sends[id] != want || facts[id] != 1 {
				h.t.Errorf("%s message %s: %d sends, %d facts", m.Direction, id, sends[id], facts[id])
			}
		}
		if len(docs) != len(facts) {
			h.t.Errorf("%d messages, %d of them told", len(docs), len(facts))
		}
	})
}

func TestP4_TheSequenceIsGaplessFinalAndTheOrderOfAcknowledgement(t *testing.T) {
	forHistories(t, func(h *history) {
		for _, c := range h.chain() {
			places := h.places(c.ID)
			for seq := int64(1); seq <= c.Seq; seq++ {
				if places[seq] != 1 && !h.followed(c.ID, seq) { // the fact "followed" is nobody's row
					h.t.Errorf("conversation %d: %d records have seq %d of %d", c.N, places[seq], seq, c.Seq)
				}
			}
		}
		h.seenInOrder()
		docs, n := h.messages(), map[string]int{}
		for _, c := range h.chain() {
			n[c.ID] = c.N
		}
		for _, ids := range h.acked {
			for i := 1; i < len(ids); i++ {
				a, b := docs[ids[i-1]], docs[ids[i]]
				if n[a.ConversationID] > n[b.ConversationID] || (a.ConversationID == b.ConversationID && a.Seq >= b.Seq) {
					h.t.Errorf("%s stands before %s of the same webhook", b.Ref, a.Ref)
				}
			}
		}
	})
}

func TestP5_AtMostOneConversationOfAThreadIsOpen(t *testing.T) {
	forHistories(t, func(h *history) {
		chain := h.chain()
		for i, c := range chain {
			if open := c.Status != record.Closed; open && i != len(chain)-1 {
				h.t.Errorf("conversation %d of %d is open", c.N, len(chain))
			}
			if (c.Next != "") != (i+1 < len(chain)) {
				h.t.Errorf("conversation %d of %d: next is %q", c.N, len(chain), c.Next)
			}
			if i > 0 && c.Inbound == 0 && !cmp.Equal(c.Window, chain[i-1].Window) {
				h.t.Errorf("conversation %d began with window %+v, the one before ended with %+v", c.N, c.Window, chain[i-1].Window)
			}
		}
		h.openedAfterClosed()
		h.closedWithOpenEyes()
	})
}

func TestP13_NothingAcknowledgedIsLostWithAProcess(t *testing.T) {
	forHistories(t, func(h *history) {
		docs := h.messages()
		for _, ids := range h.acked {
			for _, id := range ids {
				if docs[id] == nil {
					h.t.Errorf("message %s is lost", id)
				}
			}
		}
		for _, c := range h.chain() {
			if len(c.Pending) > 0 {
				h.t.Errorf("conversation %d: %d facts are still pending", c.N, len(c.Pending))
			}
		}
		h.seenInOrder()
	})
}

// chain reads the thread's conversations.
func (h *history) chain() (all []*record.Conversation) {
	r := record.New(h.db, &h.log, nil)
	for n := 1; ; n++ {
		c, err := r.Conversations.Get(context.Background(), h.conversation(n))
		if errors.Is(err, store.ErrNotFound) {
			return all
		}
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, c)
	}
}

func (h *history) messages() map[string]*record.Message {
	r, all := record.New(h.db, &h.log, nil), map[string]*record.Message{}
	for _, c := range h.chain() {
		q := store.Query{Where: []store.Eq{{Field: "conversation_id", Value: c.ID}}, Order: "seq", Limit: 1000}
		for m, err := range r.Messages.All(context.Background(), q) {
			if err != nil {
				h.t.Fatal(err)
			}
			all[m.ID] = m
		}
	}
	return all
}

// places counts the records of each seq.
func (h *history) places(conversation string) map[int64]int {
	r, n := record.New(h.db, &h.log, nil), map[int64]int{}
	q := store.Query{Where: []store.Eq{{Field: "conversation_id", Value: conversation}}, Order: "seq", Limit: 1000}
	for m, err := range r.Messages.All(context.Background(), q) {
		if err != nil {
			h.t.Fatal(err)
		}
		n[m.Seq]++
	}
	for row, err := range r.Rows.All(context.Background(), q) {
		if err != nil {
			h.t.Fatal(err)
		}
		n[row.Seq]++
	}
	return n
}

func (h *history) messageOf(e event.Event) *record.Message {
	p, err := event.Decode[event.Conversation](e)
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := event.Decode[record.Message](event.Event{Data: p.Message})
	if err != nil {
		h.t.Fatal(err)
	}
	return &m
}

// facts are what a consumer of the conversation's facts reads, repetitions and copies that came late included.
func (h *history) facts() (all []event.Conversation, types []event.Type) {
	for _, r := range h.log.Records() {
		if r.Topic != event.TopicConversations || r.Event.Type == event.MessageUpdated {
			continue
		}
		p, err := event.Decode[event.Conversation](r.Event)
		if err != nil {
			h.t.Fatal(err)
		}
		if p.ConversationID != "" {
			all, types = append(all, p), append(types, r.Event.Type)
		}
	}
	return all, types
}

// seenInOrder: whoever skips what it has seen sees 1, 2, 3 … of every conversation, to the end.
func (h *history) seenInOrder() {
	seen := map[string]int64{}
	facts, _ := h.facts()
	for _, p := range facts {
		switch last := seen[p.ConversationID]; {
		case p.Seq == last+1:
			seen[p.ConversationID] = p.Seq
		case p.Seq > last:
			h.t.Errorf("conversation %d: seq %d was seen after %d", p.N, p.Seq, last)
		}
	}
	for _, c := range h.chain() {
		if seen[c.ID] != c.Seq {
			h.t.Errorf("conversation %d: seen up to %d of %d", c.N, seen[c.ID], c.Seq)
		}
	}
}

// closedWithOpenEyes: automation never closed over a message of the customer that it had not seen.
func (h *history) closedWithOpenEyes() {
	last, seen := map[string]string{}, map[string]int64{}
	facts, types := h.facts()
	for i, p := range facts {
		if p.Seq <= seen[p.ConversationID] {
			continue
		}
		seen[p.ConversationID] = p.Seq
		switch types[i] {
		case event.MessageCreated:
			if m := h.messageOf(event.Event{Data: mustJSON(p)}); m.Direction == record.In {
				last[p.ThreadID] = m.ID
			}
		case event.ConversationClosed:
			var why struct{ Reason string }
			_ = json.Unmarshal(p.Happened.Data, &why)
			if saw, ok := strings.CutPrefix(why.Reason, "saw "); ok && saw != last[p.ThreadID] {
				h.t.Errorf("conversation %d was closed by automation, which had not seen %s", p.N, last[p.ThreadID])
			}
		}
	}
}

func (h *history) followed(conversation string, seq int64) bool {
	facts, types := h.facts()
	for i, p := range facts {
		if types[i] == event.ConversationFollow && p.ConversationID == conversation && p.Seq == seq {
			return true
		}
	}
	return false
}

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// openedAfterClosed: as a consumer sees it, n+1 opens only after n was closed.
func (h *history) openedAfterClosed() {
	seen, open := map[string]int64{}, []int{}
	facts, types := h.facts()
	for i, p := range facts {
		if p.Seq <= seen[p.ConversationID] {
			continue
		}
		seen[p.ConversationID] = p.Seq
		switch types[i] {
		case event.ConversationOpened, event.ConversationReopen:
			if len(open) > 0 {
				h.t.Errorf("conversation %d was seen open while %v was", p.N, open)
			}
			open = append(open, p.N)
		case event.ConversationClosed:
			open = slices.DeleteFunc(open, func(n int) bool { return n == p.N })
		}
	}
}
