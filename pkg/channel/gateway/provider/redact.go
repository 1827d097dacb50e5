package provider

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

const (
	hidden = "[secret]"

	shortest   = 4  // bytes: what is shorter is no secret, and stands in every text
	encodable  = 8  // bytes from which on encoded forms are looked for as well
	wordLength = 16 // bytes: a shorter secret of lower-case letters alone may be a word of the provider's protocol
)

// redactor takes the secrets of one channel out of what its provider answers, should the provider repeat them: as they are, and
// as URLs, JSON, HTML, base64 and hex have them.
type redactor struct {
	answers []string // forms that are taken out of answers before an adapter reads them
	judged  *strings.Replacer
	texts   *strings.Replacer // takes all forms out of what people read
}

// Hidden returns an error of a provider's connection without the channel's secrets.
func Hidden(ch channel.Keyed, err error) error { return newRedactor(ch).fault(err) }

// newRedactor knows the secrets of ch, the token that it has now included.
func newRedactor(ch channel.Keyed) *redactor {
	r := &redactor{}
	var judged, texts []string
	add := func(secret string) {
		if len(secret) < shortest {
			return
		}
		forms := encodings(secret)
		for _, f := range forms {
			texts = append(texts, f, hidden)
		}
		if len(secret) < encodable || len(secret) < wordLength && strings.Trim(secret, "abcdefghijklmnopqrstuvwxyz_") == "" {
			return
		}
		r.answers = append(r.answers, forms...)
		for _, f := range forms {
			judged = append(judged, f, hidden)
		}
	}
	for _, values := range ch.Secrets {
		for _, v := range values {
			add(v)
		}
	}
	token, _, _ := strings.Cut(ch.Token, " ") // see channel.TokenSource
	add(token)
	r.judged, r.texts = strings.NewReplacer(judged...), strings.NewReplacer(texts...)
	return r
}

// encodings are the forms of a secret, itself first.
func encodings(secret string) []string {
	out := []string{secret}
	if len(secret) < encodable {
		return out
	}
	query, path := url.QueryEscape(secret), url.PathEscape(secret)
	quoted, _ := json.Marshal(secret) // a text always marshals
	escaped := strings.Trim(string(quoted), `"`)
	raw := hex.EncodeToString([]byte(secret))
	forms := []string{
		query, path, strings.ReplaceAll(query, "+", "%20"), lowerEscapes(query), lowerEscapes(path), url.QueryEscape(query),
		escaped, strings.ReplaceAll(secret, "/", `\/`), strings.ReplaceAll(escaped, "/", `\/`), html.EscapeString(secret), raw, strings.ToUpper(raw),
		inUnicode(secret),
	}
	forms = append(forms, inBase64(secret)...)
	for _, f := range forms {
		if f != secret {
			out = append(out, f)
		}
	}
	return out
}

// inUnicode spells a secret in escapes of JSON alone, which is how some error pages quote text.
func inUnicode(secret string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(secret)) {
		fmt.Fprintf(&b, `\u%04x`, u)
	}
	return b.String()
}

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

func lowerEscapes(s string) string { return percent.ReplaceAllStringFunc(s, strings.ToLower) }

// inBase64 is what base64 makes of a secret wherever it begins in the encoded text (as the password in "user:password" does):
// of each of the three alignments the letters that the secret alone decides.
func inBase64(secret string) (out []string) {
	for shift := range 3 {
		padded := append(make([]byte, shift), secret...)
		first := (shift*8 + 5) / 6  // letters that bytes before the secret touch
		last := len(padded) * 8 / 6 // letters that no byte behind it touches
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			out = append(out, enc.EncodeToString(padded)[first:last])
		}
	}
	return out
}

// answer returns resp without the channel's secrets. A JSON body stays JSON: only texts in it change, never names or numbers.
func (r *redactor) answer(resp channel.Response) channel.Response {
	for name, values := range resp.Header {
		for i, v := range values {
			if clean := r.judged.Replace(v); clean != v {
				resp.Header = resp.Header.Clone()
				resp.Header[name][i] = clean
			}
		}
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(resp.Body))
	d.UseNumber()
	switch {
	case !r.suspects(resp.Body):
	case json.Valid(resp.Body) && d.Decode(&v) == nil:
		if b, err := json.Marshal(r.cleaned(v)); err == nil {
			resp.Body = b
		}
	default:
		resp.Body = []byte(r.judged.Replace(string(resp.Body)))
	}
	return resp
}

// suspects reports whether a secret may stand in a body: one of its forms, or an escape of JSON that could spell it.
func (r *redactor) suspects(body []byte) bool {
	if len(r.answers) > 0 && bytes.Contains(body, []byte(`\u00`)) {
		return true
	}
	for _, f := range r.answers {
		if bytes.Contains(body, []byte(f)) {
			return true
		}
	}
	return false
}

func (r *redactor) cleaned(v any) any {
	switch v := v.(type) {
	case string:
		return r.judged.Replace(v)
	case []any:
		for i := range v {
			v[i] = r.cleaned(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = r.cleaned(v[k])
		}
	}
	return v
}

// places are where credentials stand that are no secrets of the channel: in a signed URL, of a token that was just issued.
var places = []struct {
	credential *regexp.Regexp
	shown      string
}{
	{regexp.MustCompile(`(?i)([?&;](?:[a-z0-9_-]*(?:token|secret|signature|password|credential)|api_?key|key|sig|pwd|auth|jwt|session)=)[^&#\s"'<>\\]+`),
		"${1}" + hidden},
	{regexp.MustCompile(`(?i)("[a-z0-9_-]*(?:token|secret|password)"\s*:\s*")[^"]+`), "${1}" + hidden},
	{regexp.MustCompile(`(://[^/\s:@"]*:)[^@/\s"]+@`), "${1}" + hidden + "@"},
	{regexp.MustCompile(`(?i)(\b(?:bearer|basic)\s+)[a-z0-9._~+/=-]{8,}`), "${1}" + hidden},
}

// text returns what people may read of a text.
func (r *redactor) text(s string) string {
	s = r.texts.Replace(s)
	for _, p := range places {
		s = p.credential.ReplaceAllString(s, p.shown)
	}
	return s
}

// fault returns an error whose texts people may read. A nil error stays nil.
func (r *redactor) fault(err error) error {
	if err == nil {
		return nil
	}
	fe := *fault.Of(err)
	fe.Detail, fe.Provider = r.text(fe.Detail), r.text(fe.Provider)
	if fe.Err != nil {
		fe.Err = redacted{r.text(fe.Err.Error()), fe.Err}
	}
	return &fe
}

// redacted is an error that says less than its cause.
type redacted struct {
	text  string
	cause error
}

func (r redacted) Error() string { return r.text }

// Unwrap lets callers ask what kind of error it is.
func (r redacted) Unwrap() error { return r.cause }

// Redact returns an error of a call for ch whose texts people may read.
func Redact(ch channel.Keyed, err error) error { return newRedactor(ch).fault(err) }

// redactors keeps those of the channels that were called lately. The zero value is ready.
type redactors struct {
	mu sync.Mutex
	of map[string]known
}

type known struct {
	version int64
	token   string
	*redactor
}

const redactorsKept = 1024

// find returns the redactor of ch as it is now.
func (rs *redactors) find(ch channel.Keyed) *redactor {
	rs.mu.Lock()
	k, ok := rs.of[ch.ID]
	rs.mu.Unlock()
	if ok && k.version == ch.Version && k.token == ch.Token {
		return k.redactor
	}
	k = known{ch.Version, ch.Token, newRedactor(ch)}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.of == nil || len(rs.of) >= redactorsKept {
		rs.of = map[string]known{}
	}
	rs.of[ch.ID] = k
	return k.redactor
}
