package e2e

import (
	"testing"

	played "github.com/tributaryhq/tributary/services/simulator/rcs"
)

const (
	rcsAgent  = "scene_agent@rbm.goog"
	rcsBot    = "sip:20210401@botplatform.rcs.chinaunicom.cn"
	rcsPerson = "+8613912345678"
)

var googleChannel = simulated{
	typ: "rcs", account: rcsAgent, api: "rcs-google", settings: map[string]any{"provider": "google", "agent_id": rcsAgent},
	secrets: map[string]string{"client_token": "client-token-1", "service_account": played.ServiceAccount()},
}

// A message there and back at Google, whose token the key of a service account fetches; a carousel; and that somebody wants no more of it.
func TestRCSThereAndBack(t *testing.T) {
	each(t, func(t *test) {
		t.connects(googleChannel)
		t.has(googleChannel, rcsPerson, map[string]any{"text": "hello"})
		t.answers(rcsPerson, "rcs-1", "read", map[string]string{"text": "Hi"})
		cards := []map[string]any{
			{"title": "Red", "description": "A red one", "rows": []map[string]any{{"id": "red", "title": "Take it"}, {"kind": "dial", "id": "call", "title": "Call", "phone": "+8675512345678"}}},
			{"title": "Blue", "rows": []map[string]any{{"id": "blue", "title": "Take it"}}},
		}
		t.answers(rcsPerson, "rcs-2", "read", map[string]any{"interactive": map[string]any{"kind": "carousel", "sections": cards}})
		t.has(googleChannel, rcsPerson, map[string]any{"kind": "button", "button": "red"})
		var c *conversation
		t.eventually("what was tapped is there", func() bool {
			c = t.find(rcsPerson)
			var list page[message]
			return c != nil && t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/messages", "", nil, &list) == nil && len(list.Data) == 4
		})
		t.has(googleChannel, rcsPerson, map[string]any{"kind": "block"})
		t.answers(rcsPerson, "rcs-3", "failed", map[string]string{"text": "And more"})
	})
}

// A phone without RCS gets an SMS in its place, and the message says so.
func TestRCSBySMS(t *testing.T) {
	each(t, func(t *test) {
		ctcu := simulated{
			typ: "rcs", account: rcsBot, api: "rcs-ctcu", settings: map[string]any{"provider": "ctcu", "chatbot_id": rcsBot, "app_id": "app-1", "sms_fallback": true},
			secrets: map[string]string{"app_key": "app-key-1", "token": "csp-token-1"},
		}
		t.connects(ctcu)
		t.has(ctcu, rcsPerson, map[string]any{"text": "你好"})
		t.do("PUT", "/simulator/script", "", map[string]any{"account": rcsBot, "recipients": map[string]string{rcsPerson: "unknown"}}, nil)
		now := t.answers(rcsPerson, "sms-1", "delivered", map[string]string{"text": "您好"})
		via := ""
		for _, s := range now.Statuses {
			via += s.Via
		}
		if via == "" {
			t.Errorf("no status says that it went by SMS: %+v", now)
		}
	})
}
