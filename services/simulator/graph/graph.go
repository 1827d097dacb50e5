// Package graph is how Meta's products speak: the form of their JSON, the signature of their webhooks, and their tokens.
package graph

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Token is the access token of a call, in its header or as a parameter of its URL; "" if it has none.
func Token(r *http.Request) string {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return t
	}
	return r.URL.Query().Get("access_token")
}

// JSON is a body as JSON: as it came, or of a form, in which values that are no texts are JSON by themselves.
func JSON(r *http.Request, body []byte) []byte {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return body
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	out := map[string]json.RawMessage{}
	for k := range form {
		out[k] = Value(form.Get(k))
	}
	return Encode(out)
}

// Value is a value of a form as JSON: an object, a list, a truth, or else a text.
func Value(text string) json.RawMessage {
	if structured := text != "" && (text[0] == '{' || text[0] == '['); (structured || text == "true" || text == "false") && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	b, _ := json.Marshal(text) // a text always marshals
	return b
}

// Header has what Meta sends with a webhook, and its signature.
func Header(appSecret string, body []byte) http.Header {
	return http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"facebookexternalua"}, "X-Hub-Signature-256": {"sha256=" + Sum(appSecret, body)},
	}
}

// Hook is the webhook of one entry about an account of a product: a page, or an account of instagram.
func Hook(c *account.Config, object string, entry map[string]any) webhook.Call {
	body := Encode(map[string]any{"object": object, "entry": []map[string]any{entry}})
	return webhook.Call{URL: c.WebhookURL, Body: body, Header: Header(c.Secrets["app_secret"], body)}
}

// Sum is the HMAC-SHA256 of a body in hex.
func Sum(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Encode writes JSON as Meta does: everything beyond ASCII as \uXXXX in lower case, slashes escaped, which are only ever inside of texts.
func Encode(v any) []byte { return bytes.ReplaceAll(webhook.ASCII(v), []byte("/"), []byte(`\/`)) }
