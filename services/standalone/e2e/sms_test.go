package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

var smsChannels = map[string]simulated{
	"twilio": {
		typ: "sms", account: "+15550100777", api: "twilio",
		settings: map[string]any{"provider": "twilio", "account_sid": "AC0123456789abcdef0123456789abcdef", "sender": "+15550100777"},
		secrets:  map[string]string{"auth_token": "token-of-the-account"},
	},
	"vonage": {
		typ: "sms", account: "+15550100778", api: "vonage", settings: map[string]any{"provider": "vonage", "sender": "+15550100778"},
		secrets: map[string]string{"api_key": "key-1", "api_secret": "secret-of-the-key", "signature_secret": "secret-of-signatures"},
	},
	"infobip": {
		typ: "sms", account: "+15550100779", api: "infobip", settings: map[string]any{"provider": "infobip", "sender": "+15550100779"},
		secrets: map[string]string{"api_key": "key-2", "webhook_secret": "secret-of-the-webhooks"},
	},
}

// A message there and back at each provider, one that the network carries in parts, and that somebody wants no more until they say so.
func TestSMSThereAndBack(t *testing.T) {
	each(t, func(t *test) {
		person := 0
		for provider, s := range smsChannels {
			person++
			t.smsThereAndBack(provider, s, fmt.Sprintf("+44770090012%d", person))
		}
	})
}

func (t *test) smsThereAndBack(provider string, s simulated, person string) {
	t.Helper()
	long := strings.Repeat("all of it is one message. ", 14)
	t.connects(s)
	t.has(s, person, map[string]any{"text": "hello"})
	t.answers(person, provider+"-1", "delivered", map[string]string{"text": "Hi"})
	t.has(s, person, map[string]any{"text": long})
	c := t.find(person)
	t.eventually(provider+": the parts are one message", func() bool {
		for _, m := range t.everything(c.ID) {
			if strings.TrimSpace(m.Text) == strings.TrimSpace(long) {
				return true
			}
		}
		return false
	})
	t.answers(person, provider+"-2", "delivered", map[string]string{"text": long})
	t.has(s, person, map[string]any{"kind": "block"})
	t.consented(c.ID, 1)
	err := t.call(t.Context(), "POST", "/v1/conversations/"+c.ID+"/messages", provider+"-3", map[string]string{"text": "And more"}, nil)
	if statusOf(err) != http.StatusConflict {
		t.Errorf("%s, after STOP: %v", provider, err)
	}
	t.has(s, person, map[string]any{"kind": "unblock"})
	t.consented(c.ID, 2)
	t.answers(person, provider+"-4", "delivered", map[string]string{"text": "Welcome back"})
}

// consented waits until somebody has said so many times whether they want messages.
func (t *test) consented(conversation string, times int) {
	t.Helper()
	t.eventually("their consent has changed", func() bool {
		var rows page[struct {
			Type string `json:"type"`
		}]
		n := 0
		if t.call(t.Context(), "GET", "/v1/conversations/"+conversation+"/events", "", nil, &rows) != nil {
			return false
		}
		for _, r := range rows.Data {
			if r.Type == "consent_changed" {
				n++
			}
		}
		return n == times
	})
}
