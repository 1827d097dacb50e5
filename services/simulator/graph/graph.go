// Package graph is how Meta's products speak: the form of their JSON, the signature of their webhooks, and their tokens.
package graph

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
)

// Token is the access token of a call, "" if it has none.
func Token(r *http.Request) string {
	t, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return t
}

// Header has what Meta sends with a webhook, and its signature.
func Header(appSecret string, body []byte) http.Header {
	return http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"facebookexternalua"}, "X-Hub-Signature-256": {"sha256=" + Sum(appSecret, body)},
	}
}

// Sum is the HMAC-SHA256 of a body in hex.
func Sum(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Encode writes JSON as Meta does: everything beyond ASCII as \uXXXX in lower case, slashes escaped. Whoever parses and writes it again
// before checking the signature gets another text.
func Encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("graph: %v", err)) // the simulator's own types: cannot fail
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
