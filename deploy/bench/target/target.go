// Package target is what the generator aims at: a gateway's webhook, described by a small file, so that any gateway can be
// measured with the same tool.
package target

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
)

// Target describes the calls. URL, headers and body are templates with places {{…}}:
//
//	{{id}}      a text that no other call has
//	{{n}}       a number that no other call has
//	{{person}}  who writes: a number of 12 digits, one of People
//	{{time}}    now, in seconds
//	{{text}}    what is written
//
// and every key of Vars and of Rows; person i has the values of row i modulo their number.
type Target struct {
	Name   string            `json:"name"`
	Method string            `json:"method"` // POST if empty
	URL    string            `json:"url"`
	Header map[string]string `json:"headers"`
	Body   string            `json:"body"`
	Sign   Signature         `json:"sign"`
	People int               `json:"people"` // how many write in turn; 2,000 if 0
	Text   string            `json:"text"`   // what they write

	Vars map[string]string   `json:"vars"`
	Rows []map[string]string `json:"rows"`

	// Ref is how Tributary's adapter names the message; with it the events of the stream are found again. Empty elsewhere.
	Ref string `json:"ref"`
}

// Signature says how a call is signed. Scheme is "hmac-sha256" (behind Prefix, in Header), "wechat" (in the query, see [sealer]) or empty; a
// fixed secret in a header is just a header.
type Signature struct {
	Scheme   string `json:"scheme"`
	Header   string `json:"header"`
	Prefix   string `json:"prefix"`
	Encoding string `json:"encoding"` // of the HMAC: base64, or hex if empty
	Secret   string `json:"secret"`
	Key      string `json:"key"` // wechat: the AES key under which the body is encrypted; empty: it is sent as it is
	App      string `json:"app"` // wechat: the app that an encrypted body names
}

//go:embed *.json
var builtin embed.FS

// Load reads a target from a file, or one of the built-in ones by its name: whatsapp, telegram, webchat, facebook, instagram,
// wechat, wechat-safe, x.
func Load(name string) (*Target, error) {
	b, err := builtin.ReadFile(name + ".json")
	if err != nil {
		if b, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("target %q is no built-in one and no file: %w", name, err)
		}
	}
	t := &Target{}
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("target %s: %w", name, err)
	}
	return t, t.check()
}

func (t *Target) check() error {
	if t.Name == "" || t.URL == "" {
		return fmt.Errorf("target %q: name and url are required", t.Name)
	}
	if !slices.Contains([]string{"", "hmac-sha256", "wechat"}, t.Sign.Scheme) {
		return fmt.Errorf("target %s: sign.scheme %q is none of hmac-sha256, wechat and nothing", t.Name, t.Sign.Scheme)
	}
	if t.Sign.Scheme == "hmac-sha256" && t.Sign.Header == "" {
		return fmt.Errorf("target %s: sign.header is required", t.Name)
	}
	if t.Method == "" {
		t.Method = "POST"
	}
	if t.People == 0 {
		t.People = 2000
	}
	if t.Text == "" {
		t.Text = "Hello, is anybody there? I have a question about my order."
	}
	return nil
}

// With returns a copy with more values for places.
func (t Target) With(vars map[string]string, rows ...map[string]string) *Target {
	all := map[string]string{}
	for _, m := range []map[string]string{t.Vars, vars} {
		for k, v := range m {
			all[k] = v
		}
	}
	t.Vars = all
	if rows != nil {
		t.Rows = rows
	}
	return &t
}

// Person is the number of person i.
func Person(i int) int64 { return 491_500_000_000 + int64(i) }

// host is the host and path parts of the URL template.
func host(rawURL string) (host, path string, err error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return "", "", fmt.Errorf("url %q: want http://host:port/path", rawURL)
	}
	return u.Host, rawURL[len(u.Scheme)+3+len(u.Host):], nil
}
