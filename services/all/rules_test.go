package all_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Every channel shows the rates of its own type and settings, also where another channel of the type has others.
func TestChannelsShowTheirOwnRates(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.tenant("acme")
	number := func(id string, settings map[string]any) map[string]any {
		settings["phone_number_id"], settings["waba_id"] = id, "100200300400501"
		return map[string]any{"type": "whatsapp", "settings": settings, "secrets": map[string]string{
			"app_secret": "3f9a1c7be0d24586a1b9f04c7d2e6b58", "access_token": "EAAGsampleAccessToken", "verify_token": "verify-me-please-42",
		}}
	}
	for name, tc := range map[string]struct {
		body map[string]any
		want int
	}{
		"telegram": {map[string]any{"type": "telegram", "settings": map[string]any{"bot_username": "shop_desk_sample_bot"},
			"secrets": map[string]string{"bot_token": "7700112233:AAsample-Token_of_a_bot", "webhook_secret": "tg_9Qe-71_hookSecret"}}, 30},
		"whatsapp":                 {number("109876543210987", map[string]any{}), 80},
		"whatsapp with the app":    {number("109876543210988", map[string]any{"rate_per_second": 20}), 20},
		"whatsapp on a higher one": {number("109876543210989", map[string]any{"rate_per_second": 1000}), 1000},
	} {
		tc.body["name"] = name
		b, err := json.Marshal(tc.body)
		h.ok(err)
		var made, got struct {
			ID    string        `json:"id"`
			Rules channel.Rules `json:"rules"`
		}
		a := h.call(key, http.MethodPost, "/v1/channels", strings.NewReader(string(b)))
		if a.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		h.ok(json.Unmarshal([]byte(a.body), &made))
		h.ok(json.Unmarshal([]byte(h.call(key, http.MethodGet, "/v1/channels/"+made.ID, nil).body), &got))
		for call, rules := range map[string]channel.Rules{"POST": made.Rules, "GET": got.Rules} {
			if r := rules.Send.Rates; len(r) == 0 || r[0].Per != "channel" || r[0].N != tc.want {
				t.Errorf("%s %s: %+v, want %d a second", call, name, r, tc.want)
			}
		}
	}
}
