package inbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
)

func TestWhomToReachIsReadByTheFormsOfTheChannel(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	start := func(peer string) *answer {
		return w.post(w.key, "/v1/conversations", object{"channel_id": w.channel(event.RCS), "peer": peer})
	}
	one := start("+49 (151) 1000-0001").want(201)
	if peer := one.text("conversation", "peer"); peer != "+4915110000001" {
		t.Errorf("the peer is %v", peer)
	}
	for _, spelling := range []string{"4915110000001", "0049 151 10000001", "+49 151/10000001"} {
		if again := start(spelling).want(201); again.text("conversation", "id") != one.text("conversation", "id") {
			t.Errorf("%q leads to another conversation", spelling)
		}
	}
	brazil := start("5511987650011").want(201)
	if other := start("+55 11 8765-0011").want(201); other.text("conversation", "id") != brazil.text("conversation", "id") {
		t.Error("the two spellings of a Brazilian mobile number lead to two conversations")
	}
	for peer, code := range map[string]string{
		"hello": "bad_format", "0151 10000001": "bad_format", "4915110000004@s.whatsapp.net": "bad_format", "\u0664\u0669\u0661": "bad_format",
		"@ann": "bad_value", "GRP77": "bad_value", strings.Repeat("4", 400): "too_long",
	} {
		if a := start(peer).want(422, code); a.text("errors", 0, "pointer") != "/peer" {
			t.Errorf("%q: the refusal does not point at the field: %s", peer, a.body)
		}
	}
}

func TestAUsernameThatWasSeenLeadsToItsThread(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.wrote(event.RCS, "+4915110000009", "x", func(in *event.Inbound) { in.Sender = &event.Profile{Name: "Zed", Username: "Zed.Z"} })
	a := w.post(w.key, "/v1/conversations", object{"channel_id": w.channel(event.RCS), "peer": "@zed.z"}).want(201)
	if a.text("conversation", "id") != m.ConversationID {
		t.Errorf("the username leads to %s", a.raw)
	}
	c := w.get(w.key, "/v1/contacts/"+m.ContactID).want(200)
	if c.text("identities", 0, "username") != "Zed.Z" || c.text("identities", 0, "display") != "Zed" || c.at("identities", 0, "unreachable") != nil {
		t.Errorf("%s", c.raw)
	}
	named := w.post(w.key, "/v1/conversations", object{"channel_id": w.channel(event.RCS), "peer": "+4915110000010", "name": "Mrs Ash"}).want(201)
	w.wrote(event.RCS, "+4915110000010", "x", func(in *event.Inbound) { in.Sender = &event.Profile{Name: "ash_1970"} })
	if c := w.get(w.key, "/v1/contacts/"+named.text("conversation", "contact", "id")).want(200); c.text("name") != "Mrs Ash" {
		t.Errorf("the name that an agent gave became %s", c.text("name"))
	}
}

func TestWhoHasBlockedTheAccountIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.wrote(event.SMS, "+44", "hi")
	blocked := event.Inbound{
		Type: event.ContactMembership, ChannelID: m.ChannelID, ChannelType: m.ChannelType, Peer: "+44", Ref: "send:1", ProviderAt: event.At(time.Now()),
		Membership: &event.Membership{State: "blocked"},
	}
	w.ok(w.in.Handle(w.Context(), bus.Message{Event: event.New("evt_b", blocked.Type, "sms", w.id, m.ChannelID, event.At(time.Now()), blocked)}))
	path := "/v1/conversations/" + m.ConversationID + "/messages"
	w.post(w.key, path, object{"text": "still there?"}, w.fresh()).want(409, "recipient_unreachable")
	w.post(w.key, path, object{"text": "they blocked us", "direction": "note"}, w.fresh()).want(202)
	if c := w.get(w.key, "/v1/contacts/"+m.ContactID).want(200); c.text("identities", 0, "unreachable") != "blocked" {
		t.Errorf("%s", c.raw)
	}
	w.wrote(event.SMS, "+44", "I am back")
	w.post(w.key, path, object{"text": "welcome"}, w.fresh()).want(202)
}

func TestWhoHasOptedOutOfAChannelIsNotWrittenToThere(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.wrote(event.SMS, "+44", "STOP")
	path := "/v1/conversations/" + m.ConversationID + "/messages"
	at := time.Now()
	n := 0
	says := func(c event.Consent) {
		n++
		at = at.Add(time.Millisecond)
		e := event.Inbound{
			Type: event.ContactConsented, ChannelID: m.ChannelID, ChannelType: m.ChannelType, Peer: "+44", Ref: fmt.Sprint("consent", n), ProviderAt: event.At(at),
			Consent: &c,
		}
		e.Consent.Category = event.ConsentMessages
		for range 2 { // Kafka may hand it over again
			w.ok(w.in.Handle(w.Context(), bus.Message{Event: event.New(e.Ref, e.Type, "sms", w.id, m.ChannelID, event.At(time.Now()), e)}))
		}
	}
	says(event.Consent{Value: "in", Answer: true}) // to a question: nothing was taken back
	w.post(w.key, path, object{"text": "hello"}, w.fresh()).want(202)
	says(event.Consent{Value: "out"})
	w.post(w.key, path, object{"text": "still there?"}, w.fresh()).want(409, "recipient_opted_out")
	w.post(w.key, path, object{"text": "they wrote STOP", "direction": "note"}, w.fresh()).want(202)
	if c := w.get(w.key, "/v1/contacts/"+m.ContactID).want(200); c.text("identities", 0, "unreachable") != "opted_out" || c.at("opted_out") == true {
		t.Errorf("%s", c.raw)
	}
	w.wrote(event.SMS, "+44", "where is my order?")
	w.post(w.key, path, object{"text": "here"}, w.fresh()).want(409, "recipient_opted_out")
	says(event.Consent{Value: "in", Answer: true})
	w.post(w.key, path, object{"text": "welcome"}, w.fresh()).want(202)
	rows := 0
	items, _ := w.get(w.key, "/v1/conversations/"+m.ConversationID+"/timeline?limit=50").want(200).at("data").([]any)
	for _, item := range items {
		if e, ok := item.(map[string]any)["event"].(map[string]any); ok && e["type"] == "consent_changed" {
			rows++
		}
	}
	if rows != 2 {
		t.Errorf("%d rows about consent, want one for the opt-out and one for what took it back", rows)
	}
}

func TestAReactionIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.wrote(event.WhatsApp, "491", "hi")
	ann, _ := w.user("ann", "supervisor", "")
	path := "/v1/conversations/" + m.ConversationID
	w.post(ann, path+"/messages", object{"reaction": object{"message_id": m.ID, "emoji": "👍"}}, w.fresh()).want(202)
	c := w.get(w.key, path).want(200)
	if c.at("waiting_since") == nil || c.at("first_response_at") != nil || c.at("assignee") != nil {
		t.Errorf("a reaction counts as an answer: %s", c.raw)
	}
	w.post(ann, path+"/messages", object{"text": "hello"}, w.fresh()).want(202)
	if c := w.get(w.key, path).want(200); c.at("waiting_since") != nil || c.at("assignee") == nil {
		t.Errorf("%s", c.raw)
	}
}

func TestAThreadThatIsStartedForAContactIsTheirs(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	m := w.wrote(event.SMS, "+44", "hi")
	a := w.post(w.key, "/v1/conversations", object{"channel_id": w.channel(event.RCS), "contact_id": m.ContactID, "peer": "+4915110000011"}).want(201)
	if a.text("conversation", "contact", "id") != m.ContactID {
		t.Errorf("%s", a.raw)
	}
	c := w.get(w.key, "/v1/contacts/"+m.ContactID).want(200)
	if c.text("identities", 1, "peer") != "+4915110000011" || c.text("identities", 0, "peer") != "+44" {
		t.Errorf("%s", c.raw)
	}
}
