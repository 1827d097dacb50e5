package sms

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // Vonage's
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"sort"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
	"github.com/tributaryhq/tributary/pkg/event"
)

var proofs = []channeltest.Option{
	channeltest.Proof{Header: "X-Twilio-Signature", Sign: twilioSign},
	channeltest.Proof{Form: "sig", Sign: vonageSign},
	channeltest.Proof{Query: "sig", Sign: vonageSign},
	channeltest.Proof{Header: "Authorization"},
	channeltest.Proof{Header: "Authorization", Sign: vonageToken},
	channeltest.Proof{Query: "key"},
}

func Test(t *testing.T)          { channeltest.Run(t, Adapter{}, proofs...) }
func Fuzz(f *testing.F)          { channeltest.Fuzz(f, Adapter{}, proofs...) }
func FuzzVerify(f *testing.F)    { channeltest.FuzzVerify(f, Adapter{}, proofs...) }
func FuzzSettle(f *testing.F)    { channeltest.FuzzSettle(f, Adapter{}, proofs...) }
func BenchmarkText(b *testing.B) { channeltest.Benchmark(b, Adapter{}, "twilio_text", proofs...) }

// twilioSign writes what Twilio's documentation says, the short way.
func twilioSign(ch channel.Keyed, in channel.Inbound) string {
	text := in.URL
	if form, err := url.ParseQuery(string(in.Body)); err == nil && !in.Query.Has("bodySHA256") {
		var pairs []string
		for k, vs := range form {
			for _, v := range vs {
				pairs = append(pairs, k+v)
			}
		}
		sort.Strings(pairs)
		text += strings.Join(pairs, "")
	}
	mac := hmac.New(sha1.New, []byte(ch.Secrets.Current("auth_token")))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// vonageSign is the plain hash of the parameters, or for a nonce that names it an HMAC.
func vonageSign(ch channel.Keyed, in channel.Inbound) string {
	f := in.Query
	if in.Method == "POST" {
		f, _ = url.ParseQuery(string(in.Body))
	}
	var names []string
	for k := range f {
		if k != "sig" {
			names = append(names, k)
		}
	}
	sort.Strings(names)
	text := ""
	for _, k := range names {
		text += "&" + k + "=" + strings.NewReplacer("&", "_", "=", "_").Replace(f.Get(k))
	}
	secret := ch.Secrets.Current("signature_secret")
	if f.Get("nonce") == "hmac-sha256" {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(text))
		return strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
	}
	sum := md5.Sum([]byte(text + secret)) //nolint:gosec // Vonage's
	return hex.EncodeToString(sum[:])
}

// vonageToken is the token of a hook of the Messages API: the one that the call has, if it is one for its body, because others have their claims in
// another order.
func vonageToken(ch channel.Keyed, in channel.Inbound) string {
	sum := sha256.Sum256(in.Body)
	if have, ok := strings.CutPrefix(in.Header.Get("Authorization"), "Bearer "); ok {
		claims := jwt.MapClaims{}
		_, err := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"})).ParseWithClaims(have, claims, func(*jwt.Token) (any, error) { return []byte(ch.Secrets.Current("signature_secret")), nil })
		if err == nil && claims["payload_hash"] == hex.EncodeToString(sum[:]) {
			return have
		}
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iat": in.At.Unix(), "jti": "c5ba0000-1a14-4c10-bfdf-000000000121", "iss": "Vonage", "payload_hash": hex.EncodeToString(sum[:]),
		"api_key": ch.Secrets.Current("api_key"), "application_id": ch.Settings.Text("application_id"),
	}).SignedString([]byte(ch.Secrets.Current("signature_secret")))
	if err != nil {
		panic(err)
	}
	return token
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"447700900123": "+447700900123", "+447700900123": "+447700900123", " 447700900123": "+447700900123", "00447700900123": "+447700900123",
		"12345": "12345", "12345678": "12345678", "ACME": "ACME", "Acme 24": "Acme 24", "": "", "1234567890123456": "1234567890123456",
		"whatsapp:+447700900123": "whatsapp:+447700900123", "whatsapp: 447700900123": "whatsapp:+447700900123", "messenger:1234567890": "messenger:1234567890",
		"rcs:acme_agent": "rcs:acme_agent",
	} {
		if got := peerOf(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestWordsOfConsent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"STOP": "out", "stop.": "out", " Stop all! ": "out", "unsubscribe": "out", "ARRET": "out", "START": "in", "unstop": "in", "Yes!": "answer in",
		"please stop calling me at 9": "", "HELP": "", "stopp": "", "": "", "…": "", "end of story": "",
	} {
		got := ""
		if c, ok := consentOf(text); ok {
			got = c.Value
			if c.Answer {
				got = "answer " + got
			}
			if c.Category != event.ConsentMessages {
				t.Errorf("%q is about %q", text, c.Category)
			}
		}
		if got != want {
			t.Errorf("%q says %q, want %q", text, got, want)
		}
	}
}
