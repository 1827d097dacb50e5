package inbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/proof"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// rounds is how often a race is run: who wins is chance, the outcome never is.
const rounds = 12

// duel lets things happen at the same moment.
func duel(fs ...func()) {
	var gate, done sync.WaitGroup
	gate.Add(1)
	for _, f := range fs {
		done.Go(func() { gate.Wait(); f() })
	}
	gate.Done()
	done.Wait()
}

// at is the tenant as it calls one of the replicas.
func (w *tenant) at(replica int) *tenant {
	return &tenant{T: w.T, house: w.house, id: w.id, in: w.in, key: w.key, served: w.replicas[replica]}
}

// inbound hands a customer's message to the intake, without looking at what becomes of it.
func (w *tenant) inbound(peer, ref string) {
	in := event.Inbound{Type: event.MessageReceived, ChannelID: w.channel(event.SMS), ChannelType: event.SMS, Peer: peer, Ref: ref, ExternalID: ref,
		Content: &event.Content{Type: event.Text, Text: ref}}
	e := event.New("evt_"+ref, in.Type, "sms", w.id, in.ChannelID, event.At(time.Now()), in)
	if err := w.in.Handle(context.Background(), bus.Message{Event: e}); err != nil {
		w.Errorf("inbound %s: %v", ref, err)
	}
}

// policy changes a channel's.
func (w *tenant) policy(t event.ChannelType, text string) {
	w.Helper()
	spec := directory.Channels
	spec.Facts = false
	doc, err := store.NewCollection[directory.Channel](w.db, spec).Update(w.Context(), w.channel(t), func(c *directory.Channel) error {
		c.Policy = json.RawMessage(text)
		c.Version++
		return nil
	})
	w.ok(err)
	w.dir.Changed(event.Config{Entity: directory.EntityChannel, ID: doc.ID, Version: doc.Version})
}

// happened is what is in a conversation, in its order.
type happened struct {
	what    string // in, out, or the type of a row
	message *record.Message
	row     *record.Row
}

// story reads a conversation and holds it to P4: 1, 2, 3 … without a hole, except for the fact that another one follows.
func (w *tenant) story(id string) (c *record.Conversation, out []happened) {
	w.Helper()
	c, err := w.record.Conversations.Get(w.Context(), id)
	w.ok(err)
	w.ok(w.record.Conversations.Apply(w.Context(), id)) // what it implies may not be there yet
	q := store.Query{Where: []store.Eq{{Field: "conversation_id", Value: id}}, Order: "seq", Limit: 1000}
	bySeq := map[int64]happened{}
	for m, err := range w.record.Messages.All(w.Context(), q) {
		w.ok(err)
		what := map[string]string{record.In: "in", record.Out: "out"}[m.Direction]
		if _, twice := bySeq[m.Seq]; twice {
			w.Errorf("P4: two things have seq %d of %s", m.Seq, id)
		}
		bySeq[m.Seq] = happened{what, m, nil}
	}
	for r, err := range w.record.Rows.All(w.Context(), q) {
		w.ok(err)
		if _, twice := bySeq[r.Seq]; twice {
			w.Errorf("P4: two things have seq %d of %s", r.Seq, id)
		}
		bySeq[r.Seq] = happened{r.Type, nil, r}
	}
	last := c.Seq
	if c.Next != "" {
		last--
	}
	for seq := int64(1); seq <= last; seq++ {
		h, ok := bySeq[seq]
		if !ok {
			w.Errorf("P4: seq %d of %d of %s is not there", seq, c.Seq, id)
		}
		out = append(out, h)
	}
	return c, out
}

func whats(hs []happened) (out []string) {
	for _, h := range hs {
		out = append(out, h.what)
	}
	return out
}

// race runs rounds, each on a conversation of its own that a customer has begun, and reports what was raced.
func (w *tenant) race(events int, round func(n int, peer, id string)) {
	w.Helper()
	for n := range rounds {
		peer := fmt.Sprintf("p%d", n)
		round(n, peer, w.wrote(event.SMS, peer, "hello").ConversationID)
	}
	proof.Report(w.T, proof.Figures{Events: rounds * (events + 1)})
}

func TestP4_P5_CloseAgainstInbound(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"new", "reopen"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			w := newTenant(t)
			w.policy(event.SMS, `{"reopen":"`+setting+`"}`)
			w.race(2, func(n int, peer, id string) {
				var closed *answer
				duel(func() { closed = w.at(0).post(w.key, "/v1/conversations/"+id+"/close", object{}) }, func() { w.inbound(peer, fmt.Sprint("late", n)) })
				closed.want(http.StatusOK)
				c, story := w.story(id)
				before := slices.Equal(whats(story), []string{"conversation_opened", "in", "in", "conversation_closed"})
				switch {
				case before && c.Status == record.Closed && c.Next == "":
				case setting == "reopen" && c.Status == record.Open && slices.Equal(whats(story), []string{"conversation_opened", "in", "conversation_closed", "conversation_reopened", "in"}):
				case setting == "new" && c.Status == record.Closed && c.Next != "":
					next, after := w.story(c.Next)
					if next.Status != record.Open || !slices.Equal(whats(after), []string{"conversation_opened", "in"}) || after[1].message.Ref != fmt.Sprint("late", n) {
						t.Errorf("P5: the next conversation is %s and has %v", next.Status, whats(after))
					}
				default:
					t.Errorf("%s, next %q: %v", c.Status, c.Next, whats(story))
				}
			})
		})
	}
}

func TestP5_ReopenAgainstOpenOfTheNext(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	w.race(2, func(n int, peer, id string) {
		w.post(w.key, "/v1/conversations/"+id+"/close", object{}).want(http.StatusOK)
		var reopened *answer
		duel(func() { reopened = w.at(1).post(w.key, "/v1/conversations/"+id+"/reopen", nil) }, func() { w.inbound(peer, fmt.Sprint("again", n)) })
		c, story := w.story(id)
		if reopened.status == http.StatusOK {
			if c.Status != record.Open || c.Next != "" || !slices.Equal(whats(story)[3:], []string{"conversation_reopened", "in"}) {
				t.Errorf("reopened, and yet it is %s, next %q: %v", c.Status, c.Next, whats(story))
			}
			return
		}
		reopened.want(http.StatusConflict, "conversation_closed")
		if c.Status != record.Closed || c.Next == "" {
			t.Fatalf("refused, and yet it is %s, next %q", c.Status, c.Next)
		}
		if next, after := w.story(c.Next); next.Status != record.Open || !slices.Equal(whats(after), []string{"conversation_opened", "in"}) {
			t.Errorf("P5: the next is %s: %v", next.Status, whats(after))
		}
	})
}

func TestP9_TakeAgainstAutoAssign(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	ann, annID := w.user("ann", "supervisor", "")
	_, bobID := w.user("bob", "agent", "")
	w.race(3, func(n int, _, id string) {
		d := event.Decision{ID: "dec_" + id, ConversationID: id, Epoch: 1, Action: "assign", AgentID: bobID}
		decide := func(replica int) {
			if err := w.replicas[replica].parts.Consumers[1].Handle(context.Background(), decision(d)); err != nil {
				t.Errorf("decision: %v", err)
			}
		}
		var taken *answer
		duel(func() { taken = w.at(0).post(ann, "/v1/conversations/"+id+"/take", nil) }, func() { decide(0) }, func() { decide(1) })
		taken.want(http.StatusOK)
		c, story := w.story(id)
		doc, err := w.record.Decisions.Get(t.Context(), d.ID)
		w.ok(err)
		// What a person does is applied at once and is the last word; the decision came before it, once, or was refused.
		if c.AssigneeID != annID || c.Status != record.Open {
			t.Errorf("%s has it", c.AssigneeID)
		}
		if want := map[string]int{"applied": 4, "refused": 3}[doc.Outcome]; len(story) != want || c.HolderEpoch != int64(want)-1 {
			t.Errorf("the decision was %s; %v, epoch %d", doc.Outcome, whats(story), c.HolderEpoch)
		}
		decide(1) // and once more, long after
		if again, _ := w.record.Conversations.Get(t.Context(), id); again.AssigneeID != annID || again.HolderEpoch != c.HolderEpoch {
			t.Errorf("met again it gave the conversation to %s", again.AssigneeID)
		}
	})
}

func TestP4_TwoAnswersAtOnce(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	tokens, ids := [2]string{}, [2]string{}
	for i := range tokens {
		tokens[i], ids[i] = w.user(fmt.Sprint("agent", i), "supervisor", "")
	}
	w.race(4, func(n int, _, id string) {
		var said [4]*answer
		say := func(i int) func() { // each twice, at both replicas, under one key
			return func() {
				said[i] = w.at(i%2).post(tokens[i/2], "/v1/conversations/"+id+"/messages", object{"text": fmt.Sprint("from ", i/2)}, header{"Idempotency-Key": fmt.Sprint("answer", n)})
			}
		}
		duel(say(0), say(1), say(2), say(3))
		for i, a := range said {
			if a.want(http.StatusAccepted).text("id") != said[i/2*2].text("id") {
				t.Errorf("P3: the repeat is another message")
			}
		}
		c, story := w.story(id)
		var by []string
		for _, h := range story {
			if h.what == "out" {
				by = append(by, h.message.Sender.ID)
			}
		}
		if len(by) != 2 || by[0] == by[1] || !slices.Contains(ids[:], c.AssigneeID) {
			t.Fatalf("answers by %v, assigned to %s", by, c.AssigneeID)
		}
		first := slices.IndexFunc(story, func(h happened) bool { return h.what == "out" })
		if directory.AgentOf(story[first].message.Sender.ID) != c.AssigneeID {
			t.Errorf("who answered first does not have it: %v, %s", by, c.AssigneeID)
		}
		var sent []string // to the channel, in the order of the conversation
		for _, h := range story {
			if h.message != nil && h.message.Direction == record.Out {
				sent = append(sent, h.message.ID)
			}
		}
		if !slices.Contains(sent, said[0].text("id")) || !slices.Contains(sent, said[2].text("id")) {
			t.Errorf("acknowledged %s and %s, there are %v", said[0].text("id"), said[2].text("id"), sent)
		}
	})
}

func TestP4_CloseAgainstAnswer(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	w.race(2, func(n int, _, id string) {
		var closed, said *answer
		duel(func() { closed = w.at(0).post(w.key, "/v1/conversations/"+id+"/close", object{}) },
			func() {
				said = w.at(1).post(w.key, "/v1/conversations/"+id+"/messages", object{"text": "bye"}, header{"Idempotency-Key": fmt.Sprint("bye", n)})
			})
		closed.want(http.StatusOK)
		c, story := w.story(id)
		want := []string{"conversation_opened", "in", "out", "conversation_closed"}
		if said.status != http.StatusAccepted {
			said.want(http.StatusConflict, "conversation_closed")
			want = []string{"conversation_opened", "in", "conversation_closed"}
		}
		if c.Status != record.Closed || !slices.Equal(whats(story), want) {
			t.Errorf("answered %d: %s, %v", said.status, c.Status, whats(story))
		}
	})
}

func TestP9_TransferAgainstTake(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	ann, annID := w.user("ann", "supervisor", "")
	_, bobID := w.user("bob", "agent", "")
	_, catID := w.user("cat", "agent", "")
	w.race(3, func(n int, _, id string) {
		path := "/v1/conversations/" + id
		w.post(w.key, path+"/assign", object{"agent_id": catID}).want(http.StatusOK)
		var taken, passed *answer
		duel(func() { taken = w.at(0).post(ann, path+"/take", nil) }, func() { passed = w.at(1).post(w.key, path+"/transfer", object{"agent_id": bobID}) })
		taken.want(http.StatusOK)
		passed.want(http.StatusOK)
		c, story := w.story(id)
		holder := "" // every change says who had it before: no change is lost
		for _, h := range story[2:] {
			var d struct {
				AgentID string `json:"agent_id"`
				Was     string `json:"was"`
			}
			w.ok(json.Unmarshal(h.row.Data, &d))
			if d.Was != holder {
				t.Errorf("taken from %q, who had it was %q", d.Was, holder)
			}
			holder = d.AgentID
		}
		if len(story) != 5 || c.AssigneeID != holder || c.HolderEpoch != 4 || !slices.Contains([]string{annID, bobID}, holder) {
			t.Errorf("%v, epoch %d, %s has it, the last to get it was %s", whats(story), c.HolderEpoch, c.AssigneeID, holder)
		}
	})
}

func TestP5_TwoClosesAtOnce(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	w.race(2, func(_ int, _, id string) {
		got := [2]*answer{}
		shut := func(i int) func() {
			return func() { got[i] = w.at(i).post(w.key, "/v1/conversations/"+id+"/close", object{}) }
		}
		duel(shut(0), shut(1))
		if s := []int{got[0].status, got[1].status}; !slices.Contains(s, http.StatusOK) || !slices.Contains(s, http.StatusConflict) {
			t.Errorf("answered %v", s)
		}
		if _, story := w.story(id); !slices.Equal(whats(story), []string{"conversation_opened", "in", "conversation_closed"}) {
			t.Errorf("%v", whats(story))
		}
	})
}
