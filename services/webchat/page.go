package webchat

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	maxURL   = 2000 // bytes
	maxTitle = 200  // bytes
)

// secret words in the name of a query parameter: its value is none of an agent's business.
var secret = []string{"token", "secret", "password", "passwd", "pwd", "auth", "session", "sid", "sig", "signature", "key", "code", "otp", "jwt", "credential"}

// visited is the address of a page without what may be secret in it: user, fragment, and parameters that sound like keys.
func visited(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", false
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	var kept []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if pair != "" && !sounds(name) {
			kept = append(kept, pair)
		}
	}
	u.RawQuery, u.ForceQuery = strings.Join(kept, "&"), false
	return clip(u.String(), maxURL), true
}

// page is visited, or nothing.
func page(address string) string {
	u, _ := visited(address)
	return u
}

func sounds(name string) bool {
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' }) {
		for _, s := range secret {
			if word == s || len(s) > 4 && strings.Contains(word, s) {
				return true
			}
		}
	}
	return false
}

// clip cuts a text to n bytes, never inside a character.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
