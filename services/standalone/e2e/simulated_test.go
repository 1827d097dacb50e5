package e2e

import (
	"cmp"
	"maps"
	"slices"
)

// simulated is a channel whose provider is the simulator.
type simulated struct {
	typ, account string // as the simulator names it
	api          string // its folder at the simulator, if that is not the type's
	settings     map[string]any
	secrets      map[string]string
}

// connects makes a channel whose provider is the simulator, has the provider know it, and returns its id. The type's service may have to
// announce itself first.
func (t *test) connects(s simulated) (id string) {
	t.Helper()
	var ch struct {
		ID string `json:"id"`
	}
	in := map[string]any{"type": s.typ, "name": s.typ, "settings": s.at(t.url), "secrets": s.secrets}
	t.eventually("a channel of type "+s.typ+" can be made", func() bool {
		return t.call(t.Context(), "POST", "/v1/channels", s.typ+s.account, in, &ch) == nil
	})
	t.registers(s, ch.ID)
	return ch.ID
}

// registers tells the simulator about an account; it keeps nothing over a restart.
func (t *test) registers(s simulated, id string) {
	t.Helper()
	in := map[string]any{"type": s.typ, "settings": s.at(t.url), "secrets": s.secrets, "webhook_url": t.url + "/webhooks/" + s.typ + "/" + id}
	t.do("POST", "/simulator/accounts", "", in, nil)
}

// at are the settings for a platform: tests of several platforms run at once.
func (s simulated) at(url string) map[string]any {
	settings := maps.Clone(s.settings)
	settings["api_base_url"] = url + "/simulator/" + cmp.Or(s.api, s.typ)
	return settings
}

// has lets somebody do something at the simulator, and returns whom the gateway names then.
func (t *test) has(s simulated, person string, act map[string]any) (peer string) {
	t.Helper()
	act["type"], act["account"], act["from"] = s.typ, s.account, person // the demo has an account of its own
	var in struct {
		Status int    `json:"status"`
		Peer   string `json:"peer"`
	}
	if t.do("POST", "/simulator/inbound", "", act, &in); in.Status != 200 {
		t.Fatalf("the webhook of %v was answered %d", act, in.Status)
	}
	return in.Peer
}

// outcome is what became of a message.
type outcome struct {
	Status      string   `json:"status"`
	ExternalIDs []string `json:"external_ids"`
	Statuses    []struct {
		Via string `json:"via"`
	} `json:"statuses"`
}

// answers sends a message into somebody's only conversation and waits until its status is that.
func (t *test) answers(person, key, status string, body any) (now outcome) {
	t.Helper()
	var c *conversation
	t.eventually("the conversation is listed", func() bool { c = t.find(person); return c != nil })
	var m message
	t.do("POST", "/v1/conversations/"+c.ID+"/messages", key, body, &m)
	t.eventually(key+" is "+status, func() bool {
		now = outcome{}
		return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == status
	})
	return now
}

// left reports whether the provider has taken something: its receipts may have come as well, and it neither failed nor is unknown.
func left(status string) bool {
	return slices.Contains([]string{"accepted", "sent", "delivered", "read"}, status)
}
