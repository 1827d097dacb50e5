package whatsapp

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// call wraps a value into Meta's envelope and signs it.
func call(c *account.Config, value obj) webhook.Call { return change(c, "messages", value) }

func change(c *account.Config, field string, value obj) webhook.Call {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = obj{"display_phone_number": account.Bare(c.Display), "phone_number_id": c.ID}
	return signed(c, encode(obj{"object": "whatsapp_business_account",
		"entry": []obj{{"id": own(c).waba, "changes": []obj{{"value": value, "field": field}}}}}))
}

func signed(c *account.Config, body []byte) webhook.Call {
	h := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"facebookexternalua"}}
	if isDialog(c) {
		h.Set("X-360dialog-Signature", sum(c.Secrets["webhook_secret"], body))
		for k, v := range own(c).header {
			h.Set(k, v)
		}
	} else {
		h.Set("X-Hub-Signature-256", "sha256="+sum(c.Secrets["app_secret"], body))
	}
	return webhook.Call{URL: c.WebhookURL, Header: h, Body: body}
}

func sum(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// encode writes JSON as Meta does: everything beyond ASCII as \uXXXX in lower case, slashes escaped. Whoever parses and writes
// it again before checking the signature gets another text.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("whatsapp: %v", err)) // our own types: cannot fail
	}
	text := strings.TrimSpace(b.String())
	var out strings.Builder
	out.Grow(len(text) + 64)
	for _, r := range text {
		switch {
		case r == '/': // only ever inside of texts
			out.WriteString(`\/`)
		case r < 0x80:
			out.WriteByte(byte(r))
		default:
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, u)
			}
		}
	}
	return []byte(out.String())
}
