package x

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // OAuth 1.0a has no other that X takes
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authorization is the header of a call (RFC 5849). The parameters of the query are signed, a body of JSON or a form with files is not.
func authorization(method, rawURL string, at time.Time, nonce string, secret func(string) string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", fmt.Errorf("the address of the call: %w", err)
	}
	own := [][2]string{
		{"oauth_consumer_key", secret("consumer_key")}, {"oauth_nonce", nonce}, {"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", strconv.FormatInt(at.Unix(), 10)}, {"oauth_token", secret("access_token")}, {"oauth_version", "1.0"},
	}
	var pairs []string
	for _, p := range own {
		pairs = append(pairs, escape(p[0])+"="+escape(p[1]))
	}
	for k, vs := range u.Query() {
		for _, v := range vs {
			pairs = append(pairs, escape(k)+"="+escape(v))
		}
	}
	slices.Sort(pairs)
	u.RawQuery, u.Fragment = "", ""
	base := strings.ToUpper(method) + "&" + escape(u.String()) + "&" + escape(strings.Join(pairs, "&"))
	mac := hmac.New(sha1.New, []byte(escape(secret("consumer_secret"))+"&"+escape(secret("access_token_secret"))))
	mac.Write([]byte(base))
	own = append(own, [2]string{"oauth_signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))})
	slices.SortFunc(own, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	var out []string
	for _, p := range own {
		out = append(out, p[0]+`="`+escape(p[1])+`"`)
	}
	return "OAuth " + strings.Join(out, ", "), nil
}

// escape is the percent-encoding of RFC 3986, which is stricter than that of forms.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
