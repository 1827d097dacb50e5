package inbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// TestStoriesAreShownWhereTheyAre follows a story mention: who sees the conversation is led to it, for as long as it is there, and nobody can
// send it on.
func TestStoriesAreShownWhereTheyAre(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	stranger, _ := w.user("dan", "agent", "")
	told := func(id string, until time.Time) *record.Message {
		a := event.Attachment{ID: w.id + id, Type: event.Story, URL: "https://cdn.example/" + id, State: event.Remote, Until: event.At(until)}
		var in event.Inbound
		m := w.wrote(event.SMS, "p", "", func(e *event.Inbound) {
			e.Content = &event.Content{Type: event.StoryMention, Attachments: []event.Attachment{a}}
			in = *e
		})
		said := event.Attached{ChannelID: in.ChannelID, ChannelType: in.ChannelType, Peer: in.Peer, Ref: in.Ref, Attachment: a}
		w.ok(w.in.Handle(t.Context(), bus.Message{Event: event.New("evt_"+a.ID, event.AttachmentReady, "sms", w.id, in.ChannelID, event.At(time.Now()), said)}))
		return m
	}
	m := told("story", time.Now().Add(time.Hour))
	told("over", time.Now().Add(-time.Second))
	w.post(w.key, "/v1/conversations/"+m.ConversationID+"/assign", object{"queue_id": w.queue()}).want(200)
	shown := w.get(w.key, "/v1/messages/"+m.ID).want(200)
	if shown.text("type") != "story_mention" || shown.text("attachments", 0, "state") != "remote" || shown.text("attachments", 0, "until") == "" {
		t.Errorf("%s", shown.raw)
	}
	path := "/v1/attachments/" + w.id + "story"
	if to := w.leads(w.key, path); to.StatusCode != http.StatusFound || to.Header.Get("Location") != "https://cdn.example/story" ||
		to.Header.Get("Cache-Control") != "no-store" || to.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("led to %d %v", to.StatusCode, to.Header)
	}
	w.get(stranger, path).want(404)
	w.get(w.key, "/v1/attachments/"+w.id+"over").want(404)
	w.say(w.key, m.ConversationID, object{"attachment_ids": []string{w.id + "story"}}).want(422, "bad_value")
	w.happened(event.SMS, "p", event.MessageDeleted, func(in *event.Inbound) { in.Target = m.ExternalIDs[0] })
	w.get(w.key, path).want(404)
}

// leads makes a call and follows no redirect.
func (w *tenant) leads(token, path string) *http.Response {
	w.Helper()
	req := must(http.NewRequestWithContext(w.Context(), http.MethodGet, w.served.URL+path, nil))
	req.Header.Set("Authorization", "Bearer "+token)
	resp := must((&http.Transport{DisableKeepAlives: true}).RoundTrip(req))
	w.ok(resp.Body.Close())
	return resp
}
