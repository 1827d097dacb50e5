package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"
)

// kind is a channel type as its provider sees it.
type kind struct {
	name     string
	settings map[string]any // api_base_url is added
	secrets  map[string]any
	last     string // the last that the provider tells of a message
	// message is the webhook of what a person has written, and what proves it.
	message func(n int) string
	prove   func(h http.Header, body string)
}

const (
	channels       = 3
	phone, account = "109876543210987", "100200300400501"
	bot            = "U00000000000000000000000000000b07"
	secret         = "check-check-check-check"
)

// kinds are the channels of a stand; people write to them in turn.
var kinds = [channels]*kind{whatsApp, {
	name: "telegram", settings: map[string]any{"bot_username": "check_bot"}, last: "sent",
	secrets: map[string]any{"bot_token": "7700112233:check", "webhook_secret": secret},
	message: func(n int) string {
		return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Person"},`+
			`"chat":{"id":%[3]d,"first_name":"Person","type":"private"},"date":%d,"text":%q}}`, n+1, n+1, 6_120_000_000+person(n), time.Now().Unix(), text(n))
	},
	prove: func(h http.Header, _ string) { h.Set("X-Telegram-Bot-Api-Secret-Token", secret) },
}, {
	name: "line", settings: map[string]any{"destination": bot}, last: "accepted",
	secrets: map[string]any{"channel_secret": secret, "channel_access_token": "check-check-check"},
	message: func(n int) string {
		return fmt.Sprintf(`{"destination":%q,"events":[{"type":"message","message":{"type":"text","id":"%d","text":%q},"webhookEventId":"01KV5MTJ0FAQ%014d",`+
			`"deliveryContext":{"isRedelivery":false},"timestamp":%d,"source":{"type":"user","userId":"U%032x"},"mode":"active","replyToken":"%032x"}]}`,
			bot, 560_000_000_000+n, text(n), n, time.Now().UnixMilli(), person(n)+1, n+1)
	},
	prove: func(h http.Header, body string) {
		h.Set("X-Line-Signature", base64.StdEncoding.EncodeToString(signed(body)))
	},
}}

var whatsApp = &kind{
	name: "whatsapp", settings: map[string]any{"provider": "cloud", "phone_number_id": phone, "waba_id": account}, last: "read",
	secrets: map[string]any{"app_secret": secret, "access_token": "check-check-check", "verify_token": "check-check"},
	message: func(n int) string {
		from := fmt.Sprintf("491511%06d", person(n))
		return change(fmt.Sprintf(`"contacts":[{"profile":{"name":"Person"},"wa_id":%q}],"messages":[{"from":%[1]q,"id":"wamid.in.%d","timestamp":"%d","type":"text","text":{"body":%q}}]`,
			from, n, time.Now().Unix(), text(n)))
	},
	prove: func(h http.Header, body string) {
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(signed(body)))
	},
}

// change is a webhook of WhatsApp with one value.
func change(value string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550102233","phone_number_id":%q},%s}}]}]}`, account, phone, value)
}

func signed(body string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return mac.Sum(nil)
}

// of is the channel that message n is written to, person who writes it: one of seven on every channel.
func of(n int) *kind { return kinds[n%channels] }

func person(n int) int { return n / channels % 7 }

func text(n int) string { return fmt.Sprintf("in %d", n) }
