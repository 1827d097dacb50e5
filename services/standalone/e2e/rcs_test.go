package e2e

import (
	"testing"

	simulated "github.com/tributaryhq/tributary/services/simulator/rcs"
)

const (
	rcsAgent  = "scene_agent@rbm.goog"
	rcsBot    = "sip:20210401@botplatform.rcs.chinaunicom.cn"
	rcsPerson = "+8613912345678"
)

// onRCS has a person do something at the simulator.
func (t *test) onRCS(account string, act map[string]any) {
	t.Helper()
	act["type"], act["account"], act["from"] = "rcs", account, rcsPerson
	var in struct {
		Status int `json:"status"`
	}
	if t.do("POST", "/simulator/inbound", "", act, &in); in.Status != 200 {
		t.Fatalf("the webhook of %v was answered %d", act, in.Status)
	}
}

// connectRCS makes a channel of an agent whose platform is the simulator.
func (t *test) connectRCS(key string, settings map[string]any, secrets map[string]string) {
	t.Helper()
	settings["api_base_url"] = t.url + "/simulator/rcs-" + settings["provider"].(string)
	var ch struct {
		ID string `json:"id"`
	}
	t.eventually("an RCS channel can be made", func() bool {
		return t.call(t.Context(), "POST", "/v1/channels", key, map[string]any{"type": "rcs", "name": key, "settings": settings, "secrets": secrets}, &ch) == nil
	})
	t.do("POST", "/simulator/accounts", "", map[string]any{"type": "rcs", "settings": settings, "secrets": secrets, "webhook_url": t.url + "/webhooks/rcs/" + ch.ID}, nil)
}

type rcsSent struct {
	Status   string `json:"status"`
	Statuses []struct {
		Via string `json:"via"`
	} `json:"statuses"`
}

// answered sends a message into the only conversation and waits until its status is that.
func (t *test) rcsAnswered(key, status string, body any) (now rcsSent) {
	t.Helper()
	var c *conversation
	t.eventually("the conversation is listed", func() bool { c = t.find(rcsPerson); return c != nil })
	var m message
	t.do("POST", "/v1/conversations/"+c.ID+"/messages", key, body, &m)
	t.eventually(key+" is "+status, func() bool {
		now = rcsSent{}
		return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == status
	})
	return now
}

// A message there and back at Google, whose token the key of a service account fetches; a carousel; and that somebody wants no more of it.
func TestRCSThereAndBack(t *testing.T) {
	each(t, func(t *test) {
		t.connectRCS("rcs", map[string]any{"provider": "google", "agent_id": rcsAgent}, map[string]string{"client_token": "client-token-1", "service_account": simulated.ServiceAccount()})
		t.onRCS(rcsAgent, map[string]any{"text": "hello"})
		t.rcsAnswered("rcs-1", "read", map[string]string{"text": "Hi"})
		cards := []map[string]any{
			{"title": "Red", "description": "A red one", "rows": []map[string]any{{"id": "red", "title": "Take it"}, {"kind": "dial", "id": "call", "title": "Call", "phone": "+8675512345678"}}},
			{"title": "Blue", "rows": []map[string]any{{"id": "blue", "title": "Take it"}}},
		}
		t.rcsAnswered("rcs-2", "read", map[string]any{"interactive": map[string]any{"kind": "carousel", "sections": cards}})
		t.onRCS(rcsAgent, map[string]any{"kind": "button", "button": "red"})
		var c *conversation
		t.eventually("what was tapped is there", func() bool {
			c = t.find(rcsPerson)
			var list page[message]
			return c != nil && t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/messages", "", nil, &list) == nil && len(list.Data) == 4
		})
		t.onRCS(rcsAgent, map[string]any{"kind": "block"})
		t.rcsAnswered("rcs-3", "failed", map[string]string{"text": "And more"})
	})
}

// A phone without RCS gets an SMS in its place, and the message says so.
func TestRCSBySMS(t *testing.T) {
	each(t, func(t *test) {
		settings := map[string]any{"provider": "ctcu", "chatbot_id": rcsBot, "app_id": "app-1", "sms_fallback": true}
		t.connectRCS("ctcu", settings, map[string]string{"app_key": "app-key-1", "token": "csp-token-1"})
		t.onRCS(rcsBot, map[string]any{"text": "你好"})
		t.do("PUT", "/simulator/script", "", map[string]any{"account": rcsBot, "recipients": map[string]string{rcsPerson: "unknown"}}, nil)
		now := t.rcsAnswered("sms-1", "delivered", map[string]string{"text": "您好"})
		via := ""
		for _, s := range now.Statuses {
			via += s.Via
		}
		if via == "" {
			t.Errorf("no status says that it went by SMS: %+v", now)
		}
	})
}
