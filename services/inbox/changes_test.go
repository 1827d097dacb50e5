package inbox_test

import (
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/event"
)

// wallClock is a replica's wall clock, which is set.
type wallClock struct{ off atomic.Int64 }

func (c *wallClock) now() time.Time      { return time.Now().Round(0).Add(time.Duration(c.off.Load())) }
func (c *wallClock) set(d time.Duration) { c.off.Store(int64(d)) }

// poller asks for what has changed, time and again, as a client without a stream does.
type poller struct {
	*tenant
	since time.Time // by its own clock, which is right
	after string    // the position
}

// bySince polls by time; the next poll goes on from when this one began.
func (p *poller) bySince() []string {
	began, since := time.Now(), url.QueryEscape(p.since.UTC().Format(event.Layout))
	ids, _ := p.pages("/v1/conversations?limit=2&updated_since="+since, "", "next_cursor", func() {})
	p.since = began
	return ids
}

// byPosition polls by position.
func (p *poller) byPosition() (ids []string) {
	path := "/v1/conversations?limit=2&changed_after=" + url.QueryEscape(p.after)
	ids, last := p.pages(path, "", "next_cursor", func() {})
	p.after = last.text("change_cursor")
	return ids
}

// tells waits until a poll says that a conversation has changed.
func (p *poller) tells(changed, what string, poll func() []string) {
	p.Helper()
	bustest.Eventually(p, what, func() bool { return slices.Contains(poll(), changed) })
}

func TestAPollerMissesNoChangeWhateverTheClocksDo(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	var conversations []string
	for i := range 5 {
		conversations = append(conversations, w.wrote(event.SMS, fmt.Sprint("p", i), "x").ConversationID)
	}
	w.settled()
	ahead, behind := &wallClock{}, &wallClock{}
	skew := func(step time.Duration) {
		ahead.set(step + 2500*time.Millisecond)
		behind.set(step - 2500*time.Millisecond)
	}
	skew(0)
	replicas := []*replica{w.anotherAt(w.Broker.Open(t), ahead.now), w.anotherAt(w.Broker.Open(t), behind.now)}
	w.served = replicas[0]
	p := &poller{tenant: w, since: time.Now()}
	first := w.get(w.key, "/v1/conversations?updated_since=2000-01-01T00:00:00Z&limit=1").want(200)
	p.after = first.text("change_cursor")
	n := 0
	for _, step := range []time.Duration{0, -time.Hour, time.Hour, -48 * time.Hour, 0, 48 * time.Hour, 0, -time.Hour} {
		skew(step)
		for i, r := range slices.Concat(replicas, replicas) {
			n++
			changed, what := conversations[n%len(conversations)], fmt.Sprintf("clocks set by %s: change %d is not told", step, n)
			w.served = r
			tags := object{"tags": []string{fmt.Sprint("change", n)}}
			w.post(w.key, "/v1/conversations/"+changed+"/tags", tags).want(200)
			w.served = replicas[(i/2+i)%2] // each polls after a change of its own and after one of the other
			p.tells(changed, what+" by time", p.bySince)
			p.tells(changed, what+" by position", p.byPosition)
		}
	}
}

func TestChangesAreTheCallersOwnInTheirOrderAndEndSomewhere(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	start := w.get(w.key, "/v1/conversations?updated_since=2999-01-01T00:00:00Z").want(200)
	at := start.text("change_cursor")
	if len(start.ids()) != 0 || at == "" {
		t.Fatalf("%s", start.raw)
	}
	if a := w.get(w.key, "/v1/conversations").want(200); a.at("change_cursor") != nil {
		t.Errorf("a list that is no poll: %s", a.raw)
	}
	other := newTenant(t)
	w.opensElsewhere(event.SMS)
	var made []string
	for i := range 5 {
		made = append(made, w.wrote(event.SMS, fmt.Sprint("p", i), "x").ConversationID)
		w.ok(w.record.Conversations.Apply(t.Context(), made[i])) // told before the next one is
		other.wrote(event.SMS, fmt.Sprint("p", i), "x")
	}
	w.wrote(event.SMS, "p0", "again") // it changed twice and is in a page once, where it changed first
	w.settled()
	poll := func(query string) *answer {
		return w.get(w.key, "/v1/conversations?changed_after="+url.QueryEscape(at)+query).want(200)
	}
	bustest.Eventually(t, "all are told", func() bool { return len(poll("").ids()) == len(made) })
	if got := poll("").ids(); !slices.Equal(got, made) {
		t.Errorf("%v, want %v", got, made)
	}
	if got := poll("&status=closed").ids(); len(got) != 0 {
		t.Errorf("closed ones: %v", got)
	}
	first := poll("&limit=2")
	next := first.text("next_cursor")
	if !slices.Equal(first.ids(), made[:2]) || first.at("has_more") != true || next != first.text("change_cursor") {
		t.Errorf("the first page: %s", first.raw)
	}
	end := poll("")
	if end.at("has_more") != false || end.at("next_cursor") != nil {
		t.Errorf("the end: %s", end.raw)
	}
	at = end.text("change_cursor")
	if again := poll(""); len(again.ids()) != 0 || again.text("change_cursor") == "" {
		t.Errorf("behind the end: %s", again.raw)
	}
	agent, _ := w.user("ann", "agent", "", w.queue())
	whole := "/v1/conversations?changed_after=" + url.QueryEscape(start.text("change_cursor"))
	if got := w.get(agent, whole).want(200).ids(); len(got) != 0 {
		t.Errorf("an agent sees %v", got)
	}
	w.get(w.key, "/v1/conversations?changed_after=nonsense").want(410, "resync")
	w.served = w.another(trimmed{w.env.Bus})
	w.get(w.key, whole).want(410, "resync")
}
