package inbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/feed"
)

// heard is one event at a browser.
type heard struct {
	ID   string         `json:"id"`
	Type string         `json:"type"`
	Data map[string]any `json:"data"`
}

func (h heard) conversation() string { s, _ := h.Data["conversation_id"].(string); return s }

// ear is a connection; what it hears comes through events, which is closed when the connection ends.
type ear struct {
	*tenant
	events chan heard
	hangUp func()
}

// listen opens a stream of Server-Sent Events at a replica, from a resume token on.
func (w *tenant) listen(r *replica, token, after string) *ear {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	req := must(http.NewRequestWithContext(ctx, "GET", r.URL+"/v1/events", nil))
	req.Header.Set("Authorization", "Bearer "+token)
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	called.note(w.spec, req)
	resp, err := r.Client().Do(req)
	w.ok(err)
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		w.Fatalf("status %d, %v", resp.StatusCode, resp.Header)
	}
	e := &ear{tenant: w, events: make(chan heard, 1000), hangUp: cancel}
	w.Cleanup(cancel)
	go func() {
		defer resp.Body.Close()
		defer close(e.events)
		var h heard
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			field, value, _ := strings.Cut(s.Text(), ": ")
			switch {
			case field == "id":
				h.ID = value
			case field == "event":
				h.Type = value
			case field == "data":
				_ = json.Unmarshal([]byte(value), &h.Data)
			case s.Text() == "" && h.Type != "":
				e.events <- h
				h = heard{}
			}
		}
	}()
	return e
}

// next waits for the next event.
func (e *ear) next() heard {
	e.Helper()
	select {
	case h, ok := <-e.events:
		if !ok {
			e.Fatal("the stream has ended")
		}
		return h
	case <-time.After(time.Minute):
		e.Fatal("nothing was heard for a minute")
	}
	return heard{}
}

// until waits for an event of a type.
func (e *ear) until(typ string) heard {
	e.Helper()
	for {
		if h := e.next(); h.Type == typ {
			return h
		}
	}
}

// settled waits until everything that has happened is on the stream.
func (w *tenant) settled() { w.Helper(); w.ok(w.record.Applier.Flush(w.Context())) }

func TestStreamIsResumedAtAnotherReplica(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	a := w.listen(w.replicas[0], w.key, "")
	ready := a.until("ready")
	in := w.wrote(event.SMS, "p", "1")
	post := func(n int) { w.say(w.key, in.ConversationID, object{"text": fmt.Sprint(n)}).want(202) }
	for n := range 3 {
		post(n)
	}
	var first []heard
	for range 3 {
		first = append(first, a.until("message.created"))
	}
	a.hangUp()
	for n := range 3 {
		post(n + 3)
	}
	for _, r := range w.replicas {
		b := w.listen(r, w.key, first[1].ID)
		if again := b.until("message.created"); again.ID != first[2].ID {
			t.Errorf("resumed at %s, want %s", again.ID, first[2].ID)
		}
		seen := map[string]bool{}
		for range 3 {
			h := b.until("message.created")
			if seen[h.ID] || h.conversation() != in.ConversationID || h.Data["message_id"] == "" {
				t.Errorf("%+v", h)
			}
			seen[h.ID] = true
		}
		b.hangUp()
	}
	all := w.listen(w.replicas[1], w.key, ready.ID)
	for n := range 6 {
		if h := all.until("message.created"); n == 0 && h.ID != first[0].ID {
			t.Errorf("from the start: %s, want %s", h.ID, first[0].ID)
		}
	}
}

func TestTokensThatAreNoneOfOursMeanResync(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	for _, token := range []string{"nonsense", "99:1", "0:999999999", "1:999999999", "-1:-5", ":"} {
		e := w.listen(w.replicas[0], w.key, token)
		h := e.next()
		if h.Type != "resync" || h.ID == "" {
			t.Errorf("%s: %+v", token, h)
		}
		m := w.wrote(event.SMS, "p"+token, "x")
		w.say(w.key, m.ConversationID, object{"text": "on"}).want(202)
		for e.until("message.created").conversation() != m.ConversationID {
		}
		e.hangUp()
	}
}

func TestAPositionThatWasTrimmedMeansResyncAndOn(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	first := w.listen(w.replicas[0], w.key, "")
	old := first.until("ready").ID
	in := w.wrote(event.SMS, "p", "1")
	first.until("message.created")
	e := w.listen(w.another(trimmed{w.env.Bus}), w.key, old)
	h := e.next()
	if h.Type != "resync" || h.ID == "" || h.ID == old {
		t.Fatalf("%+v: the client needs a position to go on from", h)
	}
	w.say(w.key, in.ConversationID, object{"text": "on"}).want(202)
	for e.until("message.created").Data["direction"] != "outbound" { // what came before may be told again
	}
}

func TestTheEndOfTheProcessEndsItsStreams(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	r := w.another(w.env.Bus)
	e := w.listen(r, w.key, "")
	e.until("ready")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, _, err := websocket.Dial(ctx, r.URL+"/v1/events/ws", &websocket.DialOptions{Subprotocols: []string{"tributary", "bearer." + w.key}})
	w.ok(err)
	_, _, err = c.Read(ctx) // ready
	w.ok(err)
	r.stop()
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("%v", err)
	}
	for {
		select {
		case _, ok := <-e.events:
			if !ok {
				return
			}
		case <-ctx.Done():
			t.Fatal("the stream is still open")
		}
	}
}

// What is heard is what the conversation is when its event passes, so every step waits until its events have passed: a message in
// another conversation of hers comes behind them. An event may come again at any time, also one of the step before until this one is
// heard.
func TestAgentsHearWhatTheySeeAndWhatTheyLose(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	ann, annID := w.user("ann", "agent", "", w.queue())
	others := w.opensElsewhere(event.SMS)
	in, hidden, hers := w.wrote(event.SMS, "p", "1"), w.wrote(event.SMS, "q", "hidden"), w.wrote(event.SMS, "r", "hers")
	w.post(w.key, "/v1/conversations/"+hers.ConversationID+"/assign", object{"agent_id": annID}).want(200)
	w.settled()
	e := w.listen(w.replicas[1], ann, "")
	e.until("ready")
	hears := func(what string, sees bool, want string) {
		t.Helper()
		for _, id := range []string{in.ConversationID, hidden.ConversationID} {
			w.ok(w.record.Conversations.Apply(t.Context(), id)) // told, before the mark is
		}
		mark := w.say(w.key, hers.ConversationID, object{"text": "mark"}).want(202).text("id")
		there := want == ""
		for h := e.next(); h.Data["message_id"] != mark; h = e.next() {
			mine := h.conversation() == in.ConversationID
			there = there || mine && h.Type == want
			if h.conversation() == hidden.ConversationID || mine && there && sees == (h.Type == "conversation.gone") {
				t.Errorf("%s: she heard %+v", what, h)
			}
		}
		if !there {
			t.Errorf("%s: she heard no %s", what, want)
		}
	}
	act := func(what string, body any) {
		w.post(w.key, "/v1/conversations/"+in.ConversationID+"/"+what, body).want(200)
	}
	w.say(w.key, hidden.ConversationID, object{"text": "not for her"}).want(202)
	act("assign", object{"queue_id": w.queue()})
	hears("her team has it", true, "conversation.holder")
	act("assign", object{"queue_id": others})
	hears("her team lost it", false, "conversation.gone")
	act("assign", object{})
	hears("nobody has it", true, "conversation.holder")
	act("assign", object{"queue_id": others})
	hears("it is not free any more", false, "conversation.gone")
	act("assign", object{})
	hears("nobody has it again", true, "conversation.holder")
	act("close", object{})
	hears("closed: nobody had it", false, "conversation.gone")
	act("reopen", nil)
	hears("opened again: nobody has it", true, "conversation.reopened")
	act("assign", object{"agent_id": annID})
	hears("she has it", true, "conversation.holder")
	w.say(w.key, in.ConversationID, object{"text": "for her"}).want(202)
	hears("an answer", true, "message.created")
	act("assign", object{"queue_id": others})
	hears("she lost it", false, "conversation.gone")
	w.say(w.key, in.ConversationID, object{"text": "not for her"}).want(202)
	hears("an answer of another", false, "")
	act("close", object{})
	hears("closed: she took part", true, "conversation.closed")
	act("reopen", nil)
	hears("open, and not hers", false, "conversation.gone")
}

func TestP10_NobodyHearsAnotherTenant(t *testing.T) {
	t.Parallel()
	w, other := newTenant(t), newTenant(t)
	for must(other.PartitionOf(t.Context(), event.TopicStream, other.id)) != must(w.PartitionOf(t.Context(), event.TopicStream, w.id)) {
		other = newTenant(t) // the same partition, so that only the service keeps them apart
	}
	e := w.listen(w.replicas[0], w.key, "")
	e.until("ready")
	theirs, mine := other.wrote(event.SMS, "p", "theirs"), w.wrote(event.SMS, "p", "mine")
	other.say(other.key, theirs.ConversationID, object{"text": "x"}).want(202)
	other.post(other.key, "/v1/conversations/"+theirs.ConversationID+"/typing", object{"typing": true}).want(204)
	w.say(w.key, mine.ConversationID, object{"text": "x"}).want(202)
	for {
		h := e.next()
		if h.conversation() != mine.ConversationID {
			t.Errorf("%+v", h)
		}
		if h.Type == "message.created" && h.Data["direction"] == "outbound" {
			return
		}
	}
}

func TestTypingPassesWithoutAnID(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	boss, _ := w.user("boss", "supervisor", "")
	ann, annID := w.user("ann", "agent", "")
	w.opensElsewhere(event.WhatsApp)
	in := w.wrote(event.WhatsApp, "p", "1")
	w.settled()
	typing := func() {
		w.post(boss, "/v1/conversations/"+in.ConversationID+"/typing", object{"typing": true}).want(204)
	}
	e, own, blind := w.listen(w.replicas[1], w.key, ""), w.listen(w.replicas[0], boss, ""), w.listen(w.replicas[0], ann, "")
	for _, x := range []*ear{e, own, blind} {
		x.until("ready")
	}
	stop := make(chan struct{})
	go func() { // the first may come before Redis has us on its list
		defer close(stop)
		for range 20 {
			typing()
			time.Sleep(20 * time.Millisecond)
		}
	}()
	if h := e.until("typing"); h.ID != "" || h.Data["typing"] != true || h.conversation() != in.ConversationID {
		t.Errorf("%+v", h)
	}
	<-stop
	w.post(w.key, "/v1/conversations/"+in.ConversationID+"/assign", object{"agent_id": annID}).want(200)
	for _, x := range []*ear{own, blind} {
		if h := x.next(); h.Type != "conversation.holder" {
			t.Errorf("heard %+v: nobody hears of their own typing, or of what they do not see", h)
		}
	}
}

func TestWebSocketCarriesTheSame(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	dial := func(after string) *websocket.Conn {
		req := must(http.NewRequest("GET", w.served.URL+"/v1/events/ws", nil))
		called.note(w.spec, req)
		c, _, err := websocket.Dial(t.Context(), w.served.URL+"/v1/events/ws?after="+after, &websocket.DialOptions{Subprotocols: []string{"tributary", "bearer." + w.key}})
		w.ok(err)
		t.Cleanup(func() { _ = c.CloseNow() })
		return c
	}
	read := func(c *websocket.Conn, typ string) (h heard) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for h.Type != typ {
			_, b, err := c.Read(ctx)
			w.ok(err)
			h = heard{}
			w.ok(json.Unmarshal(b, &h))
		}
		return h
	}
	c := dial("")
	ready := read(c, "ready")
	in := w.wrote(event.SMS, "p", "1")
	w.say(w.key, in.ConversationID, object{"text": "x"}).want(202)
	h := read(c, "message.created")
	_ = c.Close(websocket.StatusNormalClosure, "")
	if again := read(dial(ready.ID), "message.created"); again.ID != h.ID || again.conversation() != in.ConversationID {
		t.Errorf("%+v, want %+v", again, h)
	}
	if resp, err := w.served.Client().Get(w.served.URL + "/v1/events/ws"); err != nil || resp.StatusCode != 401 {
		t.Errorf("without a token: %v %v", resp, err)
	}
}

// A browser that reads nothing for a while falls behind, and has lost nothing when it reads again.
func TestASlowReaderFallsBehindWithoutLoss(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.SMS, "p", "1")
	hub := feed.NewHub(w.Bus, time.Now)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- hub.Run(ctx) }()
	at, err := hub.Start(t.Context(), w.id)
	w.ok(err)
	before := at.Offset
	const many = 6000 // more than a replica keeps in memory
	var recs []event.Record
	for n := range many {
		id := fmt.Sprintf("evt_%s_%d", w.id, n)
		recs = append(recs, event.Record{Topic: event.TopicStream, Key: w.id, Event: event.New(id, event.StreamEvent, "inbox", w.id, "", in.CreatedAt, event.Stream{Type: "x", Data: json.RawMessage(`{}`)})})
	}
	w.ok(w.Publish(t.Context(), recs...))
	next, mine := before+1, 0
	for mine < many {
		ms, err := hub.Next(t.Context(), at)
		w.ok(err)
		for _, m := range ms {
			if m.Offset != next {
				t.Fatalf("offset %d, want %d", m.Offset, next)
			}
			next++
			if m.Event.Tenant == w.id && strings.HasPrefix(m.Event.ID, "evt_"+w.id+"_") {
				if want := fmt.Sprintf("evt_%s_%d", w.id, mine); m.Event.ID != want {
					t.Fatalf("%s, want %s", m.Event.ID, want)
				}
				mine++
			}
		}
		at.Offset = ms[len(ms)-1].Offset
	}
	cancel()
	w.ok(<-done)
}
