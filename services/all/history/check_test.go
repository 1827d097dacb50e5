package history

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/proof"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/routing/decide"
)

// verdict is what the checker finds. What is missing may still come; what is wrong is wrong for ever.
type verdict struct {
	missing, wrong []string
	figures        proof.Figures
}

func (v *verdict) miss(format string, args ...any) {
	v.missing = append(v.missing, fmt.Sprintf(format, args...))
}

func (v *verdict) bad(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
}

// settle waits until nothing is missing any more, and returns the last verdict.
func (l *life) settle() (v verdict) {
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		v = l.check()
		if len(v.missing) == 0 || len(v.wrong) > 0 || time.Now().After(end) {
			l.stream.stop()
			<-l.stream.over
			return v
		}
	}
}

func (l *life) check() (v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v.wrong = slices.Clone(l.wrong)
	threads := map[string][]conversation{}
	for _, c := range l.conversations(0) {
		items, ok := l.timeline(1, c.ID)
		if !ok {
			v.miss("timeline of %s", c.ID)
			return v
		}
		c.items = items
		if doc, err := l.record.Get(context.Background(), c.ID); err == nil {
			c.n = doc.N
		}
		threads[c.Peer] = append(threads[c.Peer], c)
	}
	for _, chain := range threads {
		slices.SortFunc(chain, func(a, b conversation) int { return a.n - b.n })
	}
	l.checkChains(&v, threads)
	l.checkInbound(&v, threads)
	l.checkOutbound(&v, threads)
	l.checkRouting(&v, threads)
	l.checkPending(&v)
	v.figures.Events = l.webhooks + len(l.sent)
	return v
}

// checkChains: one sequence without holes in every conversation, at most one of a thread open, all of it told on the stream.
func (l *life) checkChains(v *verdict, threads map[string][]conversation) {
	for peer, chain := range threads {
		for i, c := range chain {
			if c.ThreadID != chain[0].ThreadID {
				v.bad("P3: %s has two threads", peer)
			}
			if last := i == len(chain)-1; !last && c.Status != "closed" {
				v.bad("P5: conversation %d of %d of %s is %s", i+1, len(chain), peer, c.Status)
			}
			want := c.Seq
			if i < len(chain)-1 {
				want-- // the last thing said of it is that another follows, which is nobody's row
			}
			if int64(len(c.items)) < want {
				v.miss("%s has %d of %d rows", c.ID, len(c.items), want)
			}
			for k, it := range c.items {
				if it.seq() != int64(k+1) && int64(len(c.items)) >= want {
					v.bad("P4: row %d of %s has seq %d", k+1, c.ID, it.seq())
					break
				}
				if k > 0 && it.at().Before(c.items[k-1].at()) {
					v.bad("P4: row %d of %s is of %s, the one before it of %s", k+1, c.ID, it.at(), c.items[k-1].at())
					break
				}
			}
			missing, wrong := l.stream.wrong(c)
			v.missing, v.wrong = append(v.missing, missing...), append(v.wrong, wrong...)
		}
	}
}

// checkInbound: what was acknowledged is there once, in the order of acknowledgement; nothing is there that nobody sent.
func (l *life) checkInbound(v *verdict, threads map[string][]conversation) {
	for i := range l.people {
		peer, place, count := l.peer(i), map[string]int{}, map[string]int{}
		n := 0
		for _, c := range threads[peer] {
			for _, it := range c.items {
				if it.Message == nil || it.Message.Direction != "inbound" {
					continue
				}
				n++
				for _, ref := range it.Message.ExternalIDs {
					place[ref] = n
					count[ref]++
					if !l.tried[ref] {
						v.bad("P3: nobody sent %s", ref)
					}
				}
			}
		}
		last := 0
		for _, ref := range l.acked[peer] {
			switch {
			case count[ref] == 0:
				v.miss("P1: %s was acknowledged", ref)
				v.figures.Lost++
			case place[ref] < last:
				v.bad("P4: %s stands before what was acknowledged earlier", ref)
			}
			last = max(last, place[ref])
		}
		for ref, k := range count {
			if k > 1 {
				v.bad("P3: %s is there %d times", ref, k)
				v.figures.Doubled++
			}
		}
	}
}

// checkOutbound: every answer that was taken is there once and has a fate that agrees with what the provider knows; every
// receipt that was acknowledged is a step of it.
func (l *life) checkOutbound(v *verdict, threads map[string][]conversation) {
	l.provider.mu.Lock()
	defer l.provider.mu.Unlock()
	ids, texts := map[string]bool{}, map[string]int{}
	for peer, chain := range threads {
		var order []string
		for _, c := range chain {
			for _, it := range c.items {
				if m := it.Message; m != nil && m.Direction == "outbound" {
					ids[m.ID] = true
					texts[m.Text]++
					order = append(order, m.Text)
					l.checkFate(v, m)
				}
			}
		}
		next := 0
		for _, text := range l.provider.order[peer] {
			i := slices.Index(order[next:], text)
			if i < 0 {
				v.bad("P4: to %s arrived %v, said was %v", peer, l.provider.order[peer], order)
				break
			}
			next += i + 1
		}
	}
	for text, id := range l.sent {
		if !ids[id] {
			v.miss("answer %q was accepted as %s", text, id)
			v.figures.Lost++
		}
	}
	for text, n := range texts {
		if n > 1 || !l.maybe[text] {
			v.bad("P3: answer %q is there %d times", text, n)
			v.figures.Doubled++
		}
	}
}

func (l *life) checkFate(v *verdict, m *message) {
	taken := l.provider.taken[m.Text]
	if taken > 1 {
		v.bad("P7: %q reached the person %d times", m.Text, taken)
		v.figures.Doubled++
	}
	highest, steps := event.Queued, set[event.DeliveryStatus]{}
	for _, s := range m.Statuses {
		steps[s.Status] = true
		if s.Status.Rank() > highest.Rank() {
			highest = s.Status
		}
	}
	switch m.Status {
	case event.Queued:
		v.miss("%q (%s) has no fate", m.Text, m.ID)
	case event.Unsure:
	case event.Failed:
		if taken != 0 {
			v.bad("P7: %q is said to have failed and arrived: %v", m.Text, m.Statuses)
		}
	default:
		if taken == 0 {
			v.bad("P7: %q is said to be %s and never arrived", m.Text, m.Status)
		}
	}
	if m.Status != highest {
		v.miss("P6: %q is %s, its highest step is %s", m.Text, m.Status, highest)
	}
	for s := range l.receipts[m.Text] {
		if !steps[s] {
			v.miss("P6: the receipt %q of %q was acknowledged, its steps are %v", s, m.Text, m.Statuses)
		}
	}
}

// checkRouting: agents hold what conversations say they hold, nobody was offered more than the limit, and nobody waits while
// somebody of the queue is free (P9).
func (l *life) checkRouting(v *verdict, threads map[string][]conversation) {
	held, waits := map[string][]string{}, []string{}
	for _, chain := range threads {
		for _, c := range chain {
			switch {
			case c.Status == "closed":
			case c.Assignee != nil:
				held[c.Assignee.ID] = append(held[c.Assignee.ID], c.ID)
			default:
				waits = append(waits, c.ID)
			}
		}
	}
	agents := store.NewCollection[decide.Agent](l.db.DB, directory.Agents, store.Facts(nil))
	presences := store.NewCollection[decide.Presence](l.db.DB, decide.PresenceSpec, store.Facts(nil))
	for _, s := range l.staff {
		a, err := agents.Get(context.Background(), s.agentID)
		if err != nil {
			v.miss("agent %s: %v", s.agentID, err)
			continue
		}
		var holds []string
		for _, h := range a.Holds {
			holds = append(holds, h.ConversationID)
		}
		want := held[s.agentID]
		slices.Sort(holds)
		slices.Sort(want)
		if !slices.Equal(holds, want) {
			v.miss("P9: %s holds %v, the conversations say %v", s.agentID, holds, want)
		}
		p, err := presences.Get(context.Background(), s.agentID)
		if err == nil && p.State == "idle" && p.There(event.At(l.now())) && len(a.Holds) < a.Limit && len(waits) > 0 {
			v.miss("P9: %v wait while %s has room (%d of %d)", waits, s.agentID, len(a.Holds), a.Limit)
		}
	}
	wrong, _ := l.db.rooms.wrong()
	v.wrong = append(v.wrong, wrong...)
}

// checkPending: no fact is left that nobody told.
func (l *life) checkPending(v *verdict) {
	for _, collection := range []string{"conversations", "messages", "contacts", "agents", "presences", "attempts", "sends_whatsapp", "sends_telegram", "sends_line", "sends_facebook", "sends_instagram", "sends_wechat", "sends_x"} {
		page, err := l.db.DB.Query(context.Background(), collection, store.Query{Range: &store.Range{Field: store.PendingIndex, From: "0"}, Limit: 10})
		if err != nil {
			v.bad("%s: %v", collection, err)
		}
		for _, d := range page.Docs {
			v.miss("%s %s has facts that nobody was told", collection, d.ID)
		}
	}
}
