package session_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

func TestThePublicIDIsNobodysCredential(t *testing.T) {
	t.Parallel()
	id, other := w.channel(t, nil), w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	if b.secret == "" || strings.Contains(b.secret, b.visitor) || strings.Contains(b.visitor, b.secret) {
		t.Fatalf("visitor %s, secret %q", b.visitor, b.secret)
	}
	if status, f := b.call("POST", "/messages", frame{"clientId": "1", "text": "my secret"}); status != 202 {
		t.Fatalf("%d %v", status, f)
	}
	elsewhere := visit(t, 0, other, frame{})
	for name, body := range map[string]frame{
		"the id alone":         {"visitorId": b.visitor},
		"an empty secret":      {"visitorId": b.visitor, "visitorSecret": ""},
		"a guess":              {"visitorId": b.visitor, "visitorSecret": b.visitor},
		"another's secret":     {"visitorId": b.visitor, "visitorSecret": visit(t, 0, id, frame{}).secret},
		"of another channel":   {"visitorId": b.visitor, "visitorSecret": elsewhere.secret},
		"half of it":           {"visitorId": b.visitor, "visitorSecret": b.secret[:len(b.secret)-1]},
		"by proving otherwise": with(identified(t, "mallory", nil), "visitorId", b.visitor),
		"the session's id":     {"visitorId": b.visitor, "sessionId": "ws_1"},
	} {
		o := visit(t, 1, id, body)
		if _, f := o.call("GET", "/poll?after=0&wait=0", nil); o.visitor == b.visitor || strings.Contains(f.text("raw"), "my secret") {
			t.Errorf("%s: is %s and reads %s", name, o.visitor, f.text("raw"))
		}
	}
	same := visit(t, 1, id, frame{"visitorId": b.visitor, "visitorSecret": b.secret})
	if same.visitor != b.visitor || same.lastSeq != 1 || same.secret != "" {
		t.Errorf("with the secret: %s %d, and gets %q again", same.visitor, same.lastSeq, same.secret)
	}
	for _, m := range w.all() {
		if strings.Contains(string(m.Event.Data), b.secret) {
			t.Errorf("the secret is on Kafka: %s", m.Event.Data)
		}
	}
	raw, err := w.env.DB.Get(t.Context(), "webchat_visitors", event.DeriveID("vst", tenant, id, b.visitor))
	if err != nil || !strings.Contains(string(raw[0].JSON), b.visitor) || strings.Contains(string(raw[0].JSON), b.secret) {
		t.Errorf("the store has %s %v", raw[0].JSON, err)
	}
}

// former is the document of a visitor as the first version wrote it.
type former struct {
	store.Meta
	Visitor  string     `json:"visitor"`
	Identity string     `json:"identity,omitempty"`
	Mailbox  string     `json:"mailbox"`
	SeenAt   event.Time `json:"seen_at"`
}

// Visitors of the first version have no secret: a session that is still good, or a proof, gives them one; their id does not.
func TestAVisitorWithoutASecretGetsOneOnceForASessionOrAProof(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	visitors := store.NewCollection[former](w.env.DB, store.Spec{Name: "webchat_visitors", Expires: true})
	add := func(name, identity string) {
		t.Helper()
		v := &former{Visitor: name, Identity: identity, Mailbox: event.DeriveID("box", tenant, id, "visitor", name), SeenAt: event.At(time.Now())}
		v.ID, v.Tenant, v.ExpiresAt = event.DeriveID("vst", tenant, id, name), tenant, event.At(time.Now().Add(time.Hour))
		if err := visitors.Insert(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	add("vis_old", "")
	add("vis_proved", "cust-1")
	session := func(sub string) *browser {
		claims := jwt.MapClaims{"sub": sub, "jti": "ws_1", "aud": []string{id}, "tnt": tenant, "exp": time.Now().Add(time.Hour).Unix()}
		return &browser{t: t, url: w.urls[0] + "/chat/" + id, token: token(t, nil, claims)}
	}
	for _, name := range []string{"vis_old", "vis_proved"} {
		if o := visit(t, 0, id, frame{"visitorId": name}); o.visitor == name {
			t.Errorf("the id alone is enough to be %s", name)
		}
	}
	if o := visit(t, 0, id, with(identified(t, "cust-2", nil), "visitorId", "vis_old")); o.visitor == "vis_old" {
		t.Error("the proof of being somebody is enough to be anybody")
	}
	old := session("vis_old")
	if status, f := old.call("POST", "/messages", frame{"clientId": "1", "text": "still here"}); status != http.StatusAccepted {
		t.Errorf("the session of the first version: %d %v", status, f)
	}
	_, f := old.call("POST", "/sessions", frame{})
	if f.text("visitorId") != "vis_old" || f.text("visitorSecret") == "" {
		t.Fatalf("renewed: %v", f)
	}
	if _, again := old.call("POST", "/sessions", frame{}); again.text("visitorId") != "vis_old" || again.text("visitorSecret") != "" {
		t.Errorf("a second secret: %v", again)
	}
	if o := visit(t, 0, id, frame{"visitorId": "vis_old", "visitorSecret": f.text("visitorSecret")}); o.visitor != "vis_old" || o.lastSeq != 1 {
		t.Errorf("with the new secret: %s %d", o.visitor, o.lastSeq)
	}
	if o := visit(t, 0, id, with(identified(t, "cust-1", nil), "visitorId", "vis_proved")); o.visitor != "vis_proved" || o.secret == "" {
		t.Errorf("the same person: %s %q", o.visitor, o.secret)
	}
}
