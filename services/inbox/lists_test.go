package inbox_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// crowd is a tenant with conversations of all sorts.
type crowd struct {
	*tenant
	agents, queues []string
	all            []*record.Conversation
}

func newCrowd(t *testing.T, n int) *crowd {
	w := &crowd{tenant: newTenant(t)}
	r := rand.New(rand.NewPCG(3, 3))
	w.queues = []string{w.queue(), w.opensElsewhere(event.WhatsApp)}
	for i := range 3 {
		_, agent := w.user(fmt.Sprint("member", i), "agent", "", w.queues[:i%2]...)
		w.agents = append(w.agents, agent)
	}
	for i := range n {
		in := w.wrote([]event.ChannelType{event.SMS, event.WhatsApp}[r.IntN(2)], fmt.Sprint("p", i), "x", func(in *event.Inbound) {
			if r.IntN(5) == 0 {
				in.Post = &event.Post{ID: "post"}
			}
		})
		c, err := w.record.Conversations.Update(t.Context(), in.ConversationID, func(c *record.Conversation) error { return w.happen(c, r) })
		w.ok(err)
		if r.IntN(8) == 0 {
			w.call(w.key, "PATCH", "/v1/contacts/"+c.ContactID, object{"blocked": true}).want(200)
			c, err = w.record.Conversations.Get(t.Context(), c.ID)
			w.ok(err)
		}
		w.all = append(w.all, c)
	}
	return w
}

// happen does something at random with a conversation.
func (w *crowd) happen(c *record.Conversation, r *rand.Rand) error {
	by, at := event.Actor{Kind: "automation", ID: "test"}, event.At(time.Now())
	for range r.IntN(3) {
		c.Assign([]record.Target{
			{}, {AgentID: w.agents[r.IntN(3)]}, {AgentID: w.agents[r.IntN(3)], QueueID: w.queues[r.IntN(2)]}, {QueueID: w.queues[r.IntN(2)]}, {BotID: w.bot()},
		}[r.IntN(5)], by, "", at)
	}
	if r.IntN(3) == 0 {
		c.Tag([]string{"vip", "a b&c/d", "ü"}[:1+r.IntN(3)], by, at)
	}
	if r.IntN(4) == 0 {
		c.Unresponded, c.WaitingSince = false, event.Time{}
	}
	switch r.IntN(6) {
	case 0, 1:
		return c.Shut(by, nil, r.IntN(2) == 0, "test", "", at)
	case 2:
		return c.Snooze(at.Add(200*365*24*time.Hour), by, at) // longer than any clock of these tests is ahead
	}
	return nil
}

// sees is what an agent with a queue sees.
func sees(c *record.Conversation, agent, queue string) bool {
	free := c.AssigneeID == "" && c.QueueID == "" && c.Status != record.Closed
	return free || c.AssigneeID == agent || queue != "" && c.QueueID == queue || c.Status == record.Closed && slices.Contains(c.Agents, agent)
}

// inView is what views are. A status that the caller names stands in the place of the view's own.
func inView(c *record.Conversation, view, status, agent, queue string) bool {
	if view != "" && view != "all" && c.Blocked != (view == "blocked") {
		return false
	}
	is := func(of string) bool { return c.Status == cmp.Or(status, of) }
	open := is(record.Open)
	switch view {
	case "mine":
		return open && c.AssigneeID == agent
	case "unassigned":
		return open && c.AssigneeID == ""
	case "assigned":
		return open && c.AssigneeID != ""
	case "unresponded":
		return open && c.Unresponded
	case "resolved":
		return is(record.Closed)
	case "snoozed":
		return is(record.Snoozed)
	case "team":
		return open && queue != "" && c.QueueID == queue
	}
	return status == "" || is("")
}

// TestListsAreWhatAFilterFinds asks for every view with every filter, as who sees everything and as agents, and compares with a filter
// over all conversations.
func TestListsAreWhatAFilterFinds(t *testing.T) {
	t.Parallel()
	w := newCrowd(t, 90)
	ann, annID := w.user("ann", "agent", "", w.queue())
	for i, c := range w.all {
		if i%4 == 0 {
			c, err := w.record.Conversations.Update(t.Context(), c.ID, func(c *record.Conversation) error {
				c.Assign(record.Target{AgentID: annID}, event.Actor{Kind: "automation"}, "", event.At(time.Now()))
				return nil
			})
			w.ok(err)
			w.all[i] = c
		}
	}
	contact := w.all[3].ContactID
	filters := map[string]func(c *record.Conversation) bool{
		"":                                  func(*record.Conversation) bool { return true },
		"status=open":                       func(c *record.Conversation) bool { return c.Status == record.Open },
		"tag=vip":                           func(c *record.Conversation) bool { return slices.Contains(c.Tags, "vip") },
		"tag=" + url.QueryEscape("a b&c/d"): func(c *record.Conversation) bool { return slices.Contains(c.Tags, "a b&c/d") },
		"channel_type=sms":                  func(c *record.Conversation) bool { return c.ChannelType == event.SMS },
		"channel_id=" + w.channel(event.WhatsApp): func(c *record.Conversation) bool { return c.ChannelType == event.WhatsApp },
		"contact_id=" + contact:                   func(c *record.Conversation) bool { return c.ContactID == contact },
		"assignee_id=" + w.agents[0]:              func(c *record.Conversation) bool { return c.AssigneeID == w.agents[0] },
		"queue_id=" + w.queues[1] + "&tag=vip": func(c *record.Conversation) bool {
			return c.QueueID == w.queues[1] && slices.Contains(c.Tags, "vip")
		},
		"sort=-waiting_since":                   func(c *record.Conversation) bool { return c.Status == record.Open && !c.WaitingSince.IsZero() },
		"sort=last_message_at&channel_type=sms": func(c *record.Conversation) bool { return c.ChannelType == event.SMS },
	}
	for _, view := range []string{"", "all", "mine", "unassigned", "assigned", "unresponded", "resolved", "snoozed", "blocked", "team"} {
		for filter, keeps := range filters {
			for _, as := range []struct{ token, agent, queue string }{{w.key, "", ""}, {ann, annID, w.queue()}} {
				for _, kind := range []string{record.Messages, record.Comments} {
					query := "?limit=200&kind=" + kind
					if view != "" {
						query += "&view=" + view
					}
					if filter != "" {
						query += "&" + filter
					}
					var want []string
					status := must(url.ParseQuery(filter)).Get("status")
					for _, c := range w.all {
						if c.Kind == kind && keeps(c) && (as.agent == "" || sees(c, as.agent, as.queue)) && inView(c, view, status, cmp.Or(as.agent, "nobody"), as.queue) {
							want = append(want, c.ID)
						}
					}
					a := w.get(as.token, "/v1/conversations"+query).want(200)
					got := a.ids()
					slices.Sort(got)
					slices.Sort(want)
					if diff := gocmp.Diff(want, got); len(want)+len(got) > 0 && diff != "" || a.at("partial") != false {
						t.Errorf("agent %q, %s: partial %v, %s", as.agent, query, a.at("partial"), diff)
					}
				}
			}
		}
	}
}

// TestCountersAreWhatListsHold: badges count what the lists show, for everyone in their own visibility.
func TestCountersAreWhatListsHold(t *testing.T) {
	t.Parallel()
	w := newCrowd(t, 60)
	ann, _ := w.user("ann", "agent", "", w.queue())
	for _, token := range []string{w.key, ann} {
		counted := w.get(token, "/v1/counters").want(200)
		listed := func(view string, kinds ...string) (n int) {
			for _, kind := range kinds {
				n += len(w.get(token, "/v1/conversations?limit=200&view="+view+"&kind="+kind).want(200).ids())
			}
			return n
		}
		for badge, want := range map[string]int{
			"messages_unresponded": listed("unresponded", record.Messages), "comments_unresponded": listed("unresponded", record.Comments),
			"unassigned": listed("unassigned", record.Messages, record.Comments),
		} {
			if counted.at(badge, "count") != float64(want) || want == 0 {
				t.Errorf("%s: %v, the list has %d", badge, counted.at(badge), want)
			}
		}
	}
}

// TestAnAgentOfManyQueues: more lists than are merged are led by all conversations, and hold what fewer would.
func TestAnAgentOfManyQueues(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	queues := []string{w.queue()}
	for i := range store.MaxLists {
		queues = append(queues, fmt.Sprintf("%s_%d", w.queue(), i))
	}
	ann, _ := w.user("ann", "agent", "", queues...)
	others := w.opensElsewhere(event.WhatsApp)
	w.wrote(event.WhatsApp, "hidden", "x")
	want := []string{w.wrote(event.SMS, "free", "x").ConversationID}
	for i, q := range []string{queues[0], queues[len(queues)-1], others} {
		id := w.wrote(event.SMS, fmt.Sprint("p", i), "x").ConversationID
		_, err := w.record.Conversations.Update(t.Context(), id, func(c *record.Conversation) error {
			c.Assign(record.Target{QueueID: q}, event.Actor{Kind: "automation"}, "", event.At(time.Now()))
			return nil
		})
		w.ok(err)
		if q != others {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	for _, query := range []string{"", "?view=unresponded", "?channel_type=sms", "?limit=1"} {
		got := w.pagesOf(ann, "/v1/conversations"+query)
		slices.Sort(got)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", query, diff)
		}
	}
	if a := w.get(ann, "/v1/counters").want(200); a.at("messages_unresponded", "count") != 3.0 {
		t.Errorf("%s", a.raw)
	}
}

// pagesOf reads a list to its end.
func (w *tenant) pagesOf(token, path string) (ids []string) {
	w.Helper()
	sep := "?"
	if u, err := url.Parse(path); err == nil && u.RawQuery != "" {
		sep = "&"
	}
	for cursor := ""; ; {
		p := path
		if cursor != "" {
			p += sep + "cursor=" + cursor
		}
		a := w.get(token, p).want(200)
		ids = append(ids, a.ids()...)
		if cursor = a.text("next_cursor"); cursor == "" {
			return ids
		}
	}
}

// TestACursorBelongsToItsQuery: whoever changes the filters begins anew; a change of what the caller sees does not take the cursor away.
func TestACursorBelongsToItsQuery(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	for i := range 3 {
		w.wrote(event.SMS, fmt.Sprint("p", i), "x")
	}
	ann, annID := w.user("ann", "agent", "")
	next := w.get(ann, "/v1/conversations?limit=1&view=unassigned").want(200).text("next_cursor")
	for _, query := range []string{"", "&view=unresponded", "&view=unassigned&tag=x", "&view=unassigned&sort=last_message_at"} {
		w.get(ann, "/v1/conversations?cursor="+next+query).want(422, "bad_cursor")
	}
	w.get(w.key, "/v1/contacts/"+w.wrote(event.SMS, "p0", "x").ContactID+"/conversations?cursor="+next).want(422, "bad_cursor")
	alterAgent(w, annID, w.queue())
	if got := w.get(ann, "/v1/conversations?limit=5&view=unassigned&cursor="+next).want(200).ids(); len(got) == 0 {
		t.Error("the list ended because the agent got a queue")
	}
	w.get(ann, "/v1/conversations?view=unassigned&colour=red").want(422, "unknown_parameter")
}

// alterAgent gives an agent queues.
func alterAgent(w *tenant, agent string, queues ...string) {
	w.Helper()
	spec := directory.Agents
	spec.Facts = false
	_, err := store.NewCollection[named](w.db, spec).Update(w.Context(), agent, func(a *named) error { a.Queues = queues; return nil })
	w.ok(err)
}
