package e2e

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/proof"
	_ "github.com/tributaryhq/tributary/pkg/store/sqlite" // database/sql's driver
)

// finding is what the checker saw of a load.
type finding struct {
	lost, doubled, disorder, backwards, open int
	fates                                    map[string]int
	notes                                    []string
}

func (f *finding) note(format string, args ...any) {
	if len(f.notes) < 12 {
		f.notes = append(f.notes, fmt.Sprintf(format, args...))
	}
}

func (f *finding) settled() bool { return f.lost+f.open == 0 }

// ranks of statuses (docs/ARCHITECTURE.md, Receipts): an attempt's status is its highest step.
var ranks = []string{"queued", "unknown", "accepted", "sent", "failed", "delivered", "read"}

func rank(status string) int { return slices.Index(ranks, status) }

// settle waits until the load's promises are kept and nothing waits any more, fails the test if that does not come or
// if something was doubled on the way, and adds the figures up.
//
// An answer may end as unknown only if its sender was killed over it, at most so many.
func (l *load) settle(within time.Duration, unknown int) finding {
	l.Helper()
	until := time.Now().Add(within)
	for {
		f := l.look()
		if f.settled() || time.Now().After(until) {
			l.judge(f)
			if n := f.fates["unknown"]; n > unknown {
				l.Errorf("%d answers are unknown, at most %d were being sent by a process that was killed", n, unknown)
			}
			return f
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (l *load) judge(f finding) {
	l.Helper()
	if f.lost+f.open+f.doubled+f.disorder+f.backwards > 0 {
		l.Errorf("lost %d, without a fate %d, doubled %d, out of order %d, statuses backwards %d\n  %s",
			f.lost, f.open, f.doubled, f.disorder, f.backwards, strings.Join(f.notes, "\n  "))
	}
}

// look compares everything that was acknowledged with what the inbox shows and with what the provider has.
func (l *load) look() finding {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := finding{fates: map[string]int{}}
	var list page[conversation]
	if err := l.call(l.Context(), "GET", "/v1/conversations?limit=200", "", nil, &list); err != nil {
		f.lost++
		f.note("the list: %v", err)
		return f
	}
	of := map[string][]string{}
	for _, c := range list.Data {
		of[c.Peer] = append(of[c.Peer], c.ID)
	}
	for peer, webhooks := range l.webhooks {
		switch len(of[peer]) {
		case 0:
			f.lost += len(webhooks)
			f.note("%s has no conversation", peer)
			continue
		case 1:
		default:
			f.doubled += len(of[peer]) - 1
			f.note("%s has the conversations %v", peer, of[peer])
		}
		l.ofPeer(&f, peer, l.everything(of[peer][0]))
		if f.settled() {
			l.gaps(&f, of[peer][0])
		}
	}
	return f
}

// ofPeer checks the messages of one peer.
func (l *load) ofPeer(f *finding, peer string, all []message) {
	var in []string
	byID, times := map[string]message{}, map[string]int{}
	for _, m := range all {
		if m.Direction == "inbound" {
			in = append(in, m.ExternalIDs[0])
		} else {
			byID[m.ID] = m
			times[m.Text]++
		}
	}
	seen := map[string]int{}
	for _, ref := range in {
		seen[ref]++
	}
	for _, ref := range l.webhooks[peer] {
		switch n := seen[ref]; {
		case n == 0:
			f.lost++
			f.note("%s is not there", ref)
		case n > 1:
			f.doubled++
			f.note("%s is there %d times", ref, n)
		}
	}
	if n := min(len(in), len(l.webhooks[peer])); f.lost == 0 && !slices.Equal(in[:n], l.webhooks[peer][:n]) {
		f.disorder++
		f.note("%s: acknowledged as %v, shown as %v", peer, l.webhooks[peer], in)
	}
	for _, a := range l.answers[peer] {
		m, ok := byID[a.id]
		if !ok {
			f.lost++
			f.note("answer %s is not there", a.text)
			continue
		}
		if times[a.text] > 1 {
			f.doubled++
			f.note("answer %s is there %d times", a.text, times[a.text])
		}
		l.fate(f, a, m)
	}
}

// fate checks what became of an answer: what the provider took is read in the end, what it did not take is unknown.
func (l *load) fate(f *finding, a answer, m message) {
	f.fates[m.Status]++
	taken := l.account.accepted(a.text)
	highest, seen := 0, map[string]bool{}
	for _, s := range m.Statuses {
		if seen[s.Status] {
			f.backwards++
			f.note("answer %s: the step %s is there twice", a.text, s.Status)
		}
		seen[s.Status], highest = true, max(highest, rank(s.Status))
	}
	if rank(m.Status) != highest {
		f.open++ // the message may lag behind its steps for a moment
		f.note("answer %s shows %s, its highest step is %s", a.text, m.Status, ranks[highest])
	}
	switch {
	case taken > 1:
		f.doubled++
		f.note("the provider took %s %d times", a.text, taken)
	case taken == 1 && m.Status != "read" && l.account.tells():
		f.open++
		f.note("answer %s is %s, and the provider has told that it was read", a.text, m.Status)
	case taken == 1 && m.Status != "accepted" && m.Status != "unknown" && !l.account.tells():
		f.open++
		f.note("answer %s is %s, and the provider has it", a.text, m.Status)
	case taken == 0 && m.Status != "unknown":
		f.open++
		f.note("answer %s is %s, and the provider never got it", a.text, m.Status)
	}
}

// gaps checks that messages and events together are numbered 1, 2, 3 …
func (l *load) gaps(f *finding, conversation string) {
	seqs, err := l.sequence(conversation)
	if err != nil {
		f.open++
		f.note("timeline: %v", err)
		return
	}
	for i, s := range seqs {
		if s != int64(i+1) {
			f.disorder++
			f.note("%s: the sequence has a gap or a repeat at %d: %d", conversation, i+1, s)
			return
		}
	}
}

// capacity checks that routing gave nobody more than the limit, and that nobody waits while somebody has room: with n
// agents of these limits, exactly so many of the open conversations are held.
func (l *load) capacity(limits map[string]int) {
	l.Helper()
	held, room := map[string]int{}, 0
	l.eventually("routing has given away what there is room for", func() bool {
		var list page[conversation]
		if l.call(l.Context(), "GET", "/v1/conversations?limit=200", "", nil, &list) != nil {
			return false
		}
		clear(held)
		given := 0
		for _, c := range list.Data {
			if c.Assignee != nil {
				held[c.Assignee.ID]++
				given++
			}
		}
		room = 0
		for agent, limit := range limits {
			room += limit
			if held[agent] > limit {
				l.Fatalf("agent %s holds %d, the limit is %d", agent, held[agent], limit)
			}
		}
		return given == min(room, len(list.Data))
	})
	for agent, n := range held {
		l.eventually("routing counts what inbox shows", func() bool {
			var a struct {
				Load int `json:"load"`
			}
			return l.call(l.Context(), "GET", "/v1/agents/"+agent, "", nil, &a) == nil && a.Load == n
		})
	}
}

// nothingLeft looks into the store: no fact waits to be published, no send row to be drained.
func (l *load) nothingLeft() {
	l.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(l.dir, "data", "tributary.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		l.Fatal(err)
	}
	defer db.Close()
	left := ""
	l.eventually("nothing waits in the store", func() bool {
		left = ""
		for table, condition := range map[string]string{
			"conversations": pendingFacts, "messages": pendingFacts, "attempts": pendingFacts, "agents": pendingFacts, "presences": pendingFacts,
			"sends_whatsapp": `json_extract(doc,'$.open_offset') IS NOT NULL OR ` + pendingFacts,
		} {
			var n int
			if err := db.QueryRowContext(l.Context(), "SELECT count(*) FROM "+table+" WHERE "+condition).Scan(&n); err != nil || n > 0 {
				left += fmt.Sprintf("%s: %d %v; ", table, n, err)
			}
		}
		return left == ""
	})
	if left != "" {
		l.Error(left)
	}
}

const pendingFacts = `json_array_length(doc,'$.pending') > 0`

// figures of a finding, with the faults that were injected.
func (l *load) figures(f finding, faults int) proof.Figures {
	return proof.Figures{Events: l.events(), Faults: faults, Lost: f.lost + f.open, Doubled: f.doubled}
}
