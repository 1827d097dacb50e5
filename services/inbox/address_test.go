package inbox_test

import (
	"strings"
	"testing"

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
