package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/proof"
)

// TestP13_KilledInTheMiddle kills everything with -9 while webhooks arrive and answers leave, and starts it again: what was
// acknowledged is there once, in order, with a gapless sequence; the provider got every answer at most once, and every answer
// has a fate.
func TestP13_KilledInTheMiddle(t *testing.T) {
	each(t, func(t *test) { t.killedInTheMiddle(func() {}) })
}

// killedInTheMiddle kills three times; meanwhile happens while nothing runs.
func (t *test) killedInTheMiddle(meanwhile func()) {
	t.Helper()
	if s := t.post("4915199999999", "wamid.k0", "text 0"); s != 200 {
		t.Fatalf("webhook %d", s)
	}
	var c *conversation
	t.eventually("the conversation is there", func() bool { c = t.find("4915199999999"); return c != nil })
	var mu sync.Mutex
	acked, sent := []string{"wamid.k0"}, map[string]string{}
	round := func(r int) {
		var wg sync.WaitGroup
		stop := make(chan struct{})
		wg.Go(func() {
			for i := range 400 {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("wamid.k%d-%d", r, i)
				if t.post("4915199999999", id, "text "+id) == 200 {
					mu.Lock()
					acked = append(acked, id)
					mu.Unlock()
				}
			}
		})
		wg.Go(func() {
			for i := range 14 { // WhatsApp takes 45 at once from one sender to one person, then one in six seconds
				select {
				case <-stop:
					return
				default:
				}
				time.Sleep(25 * time.Millisecond)
				var m message
				text := fmt.Sprintf("answer %d-%d", r, i)
				if t.call(t.Context(), "POST", "/v1/conversations/"+c.ID+"/messages", text, map[string]string{"text": text}, &m) == nil {
					mu.Lock()
					sent[m.ID] = text
					mu.Unlock()
				}
			}
		})
		time.Sleep(400 * time.Millisecond)
		t.kill(t.victims()...)
		close(stop)
		wg.Wait()
		meanwhile()
		if err := t.start(); err != nil {
			t.Fatal(err)
		}
		if !t.separate {
			t.register()
		}
	}
	for r := range 3 {
		round(r)
	}
	t.check(c.ID, acked, sent)
}

// victims is what is killed: all that keep state. The simulated provider stays where it can, to count what it got.
func (p *platform) victims() []string {
	if !p.separate {
		return nil
	}
	out := []string{"servers"}
	for s := range services {
		if s != "simulator" {
			out = append(out, s)
		}
	}
	return out
}

func (t *test) check(id string, acked []string, sent map[string]string) {
	t.Helper()
	var all []message
	missing, open := 0, 0
	defer func() {
		if missing+open > 0 {
			t.Logf("%d acknowledged messages are not there, %d answers have no fate", missing, open)
			for _, m := range all {
				if m.Direction == "outbound" && m.Status == "queued" {
					var d any
					_ = t.call(context.Background(), "GET", "/v1/messages/"+m.ID+"/deliveries", "", nil, &d)
					t.Logf("%s %q: %v", m.ID, m.Text, d)
				}
			}
		}
	}()
	t.eventually("every acknowledged message is there and every answer has a fate", func() bool {
		all = t.everything(id)
		byRef := map[string]int{}
		missing, open = 0, 0
		for _, m := range all {
			for _, x := range m.ExternalIDs {
				byRef[x]++
			}
			if m.Direction == "outbound" && m.Status == "queued" {
				open++
			}
		}
		for _, ref := range acked {
			if byRef[ref] == 0 {
				missing++
			}
		}
		return missing+open == 0
	})
	refs, ids := map[string]int{}, map[string]bool{}
	fates := map[string]int{}
	for _, m := range all {
		ids[m.ID] = true
		if m.Direction == "inbound" {
			refs[m.ExternalIDs[0]]++
			continue
		}
		fates[m.Status]++
	}
	doubled := 0
	for _, n := range refs {
		if n > 1 {
			doubled++
		}
	}
	lost := 0
	for m := range sent {
		if !ids[m] {
			lost++
		}
	}
	twice := 0
	for _, n := range t.accepted() {
		if n > 1 {
			twice++
		}
	}
	if doubled > 0 || lost > 0 || twice > 0 {
		t.Errorf("doubled %d, answers lost %d, accepted twice by the provider %d", doubled, lost, twice)
	}
	t.gapless(id)
	proof.Report(t.T, proof.Figures{Events: len(acked) + len(sent), Faults: 3, Lost: lost, Doubled: doubled + twice})
	t.Logf("3 kills: %d webhooks acknowledged, 0 lost, %d doubled; %d answers acknowledged, %d lost, %d twice at the provider; fates %v", len(acked), doubled, len(sent), lost, twice, fates)
}

// everything reads all messages of a conversation, page by page.
func (t *test) everything(id string) (out []message) {
	before := ""
	for {
		var list page[message]
		if t.call(t.Context(), "GET", "/v1/conversations/"+id+"/messages?limit=200"+before, "", nil, &list) != nil {
			return nil
		}
		out = append(slices.Clone(list.Data), out...)
		if list.PrevCursor == nil {
			return out
		}
		before = "&before=" + *list.PrevCursor
	}
}

// gapless checks that messages and events together are numbered 1, 2, 3 …
func (t *test) gapless(id string) {
	t.Helper()
	seqs, err := t.sequence(id)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range seqs {
		if s != int64(i+1) {
			t.Fatalf("the sequence has a gap or a repeat at %d: %d", i+1, s)
		}
	}
}

// sequence is the numbers of messages and events together, sorted.
func (t *test) sequence(id string) (seqs []int64, err error) {
	type item struct {
		Message *message `json:"message"`
		Event   *struct {
			Seq int64 `json:"seq"`
		} `json:"event"`
	}
	for before := ""; ; {
		var list page[item]
		if err := t.call(t.Context(), "GET", "/v1/conversations/"+id+"/timeline?limit=200"+before, "", nil, &list); err != nil {
			return nil, err
		}
		for _, it := range list.Data {
			if it.Message != nil {
				seqs = append(seqs, it.Message.Seq)
			} else {
				seqs = append(seqs, it.Event.Seq)
			}
		}
		if list.PrevCursor == nil {
			slices.Sort(seqs)
			return seqs, nil
		}
		before = "&before=" + *list.PrevCursor
	}
}
