package rcs

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// google is RCS for Business: google.go has what proves calls, in both directions, google_parse.go what comes and google_send.go what goes.
type google struct{}

var _ interface {
	platform
	uploader
	signaller
	capable
	lender
} = google{}

// googleSignature carries the base64 HMAC-SHA512, under the client token, of what the data of a push decodes to: not of the body.
const googleSignature = "X-Goog-Signature"

// verify checks the signature of a push; the handshake has the client token itself.
func (google) verify(ch channel.Keyed, in channel.Inbound) error {
	var p googlePush
	if in.Method != "POST" || json.Unmarshal(in.Body, &p) != nil {
		return channel.ErrForged
	}
	live := ch.Secrets["client_token"]
	if p.Token != "" && p.Message == nil {
		return channel.SameSecret(p.Token, live)
	}
	if p.Message == nil {
		return channel.ErrForged
	}
	data, err := base64.StdEncoding.DecodeString(p.Message.Data)
	if err != nil {
		return channel.ErrForged
	}
	sum, err := base64.StdEncoding.DecodeString(in.Header.Get(googleSignature))
	if err != nil {
		return channel.ErrForged
	}
	return channel.SameMAC(sha512.New, data, sum, live)
}

// sign adds the access token, and the id that makes an event or a question the only one of its kind.
func (google) sign(ch channel.Keyed, req channel.Request, _ time.Time, nonce string) channel.Request {
	req.URL = strings.Replace(req.URL, eventPlace, uuid(nonce), 1)
	req.Header.Set("Authorization", "Bearer "+ch.Token)
	return req
}

// eventPlace stands in the address of a call for an id of its own.
const eventPlace = "{event_id}"

// uuid writes 32 hex digits as a UUID.
func uuid(nonce string) string {
	if len(nonce) < 32 {
		return nonce
	}
	return nonce[:8] + "-" + nonce[8:12] + "-4" + nonce[13:16] + "-8" + nonce[17:20] + "-" + nonce[20:32]
}

// agent is an agent's id without the ending that only some pushes have.
func agent(id string) string { return strings.TrimSuffix(id, "@rbm.goog") }

const (
	googleToken = "https://oauth2.googleapis.com/token"
	googleScope = "https://www.googleapis.com/auth/rcsbusinessmessaging"
)

// account is what counts of the JSON file of a service account.
type account struct {
	Email string `json:"client_email"`
	KeyID string `json:"private_key_id"`
	Key   string `json:"private_key"`
}

// token asks for an access token with a JWT that the service account's key signs (RFC 7523), good for an hour.
func (google) token(ch channel.Keyed, at time.Time, _ string) (channel.Request, error) {
	var a account
	bad := fault.New(fault.Denied, channel.CodeCredentials, "the service account is not the JSON file of a key: give the whole file")
	if json.Unmarshal([]byte(ch.Secrets.Current("service_account")), &a) != nil || a.Email == "" {
		return channel.Request{}, bad
	}
	block, _ := pem.Decode([]byte(a.Key))
	if block == nil {
		return channel.Request{}, bad
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return channel.Request{}, bad
	}
	assertion, err := jwt(key, a, at)
	if err != nil {
		return channel.Request{}, bad
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	to := googleToken
	if own := base(ch.Channel, ""); own != "" {
		to = own + "/token"
	}
	return channel.Request{Method: "POST", URL: to, Header: channel.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form.Encode())}, nil
}

// jwt is the assertion: RS256 over header and claims. The signature of PKCS #1 v1.5 needs no chance.
func jwt(key *rsa.PrivateKey, a account, at time.Time) (string, error) {
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(channel.JSON(v)) }
	signed := part(struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
		Key       string `json:"kid,omitempty"`
	}{"RS256", "JWT", a.KeyID}) + "." + part(struct {
		Issuer   string `json:"iss"`
		Scope    string `json:"scope"`
		Audience string `json:"aud"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}{a.Email, googleScope, googleToken, at.Unix(), at.Add(time.Hour).Unix()})
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// parseToken reads the answer.
func (google) parseToken(resp channel.Response) (string, time.Duration, error) {
	var a struct {
		Token string `json:"access_token"`
		Life  int64  `json:"expires_in"` // seconds
		Error string `json:"error"`
		Words string `json:"error_description"`
	}
	err := json.Unmarshal(resp.Body, &a)
	switch {
	case err == nil && a.Error != "" && resp.Status >= 400 && resp.Status < 500:
		return "", 0, class{fault.Denied, channel.CodeCredentials}.fault(a.Error, a.Words)
	case resp.Status < 200 || resp.Status > 299:
		return "", 0, unclear(resp.Status)
	case err != nil || a.Token == "" || a.Life <= 0 || strings.ContainsAny(a.Token, " \r\n"):
		return "", 0, noToken()
	}
	return a.Token, time.Duration(a.Life) * time.Second, nil
}
