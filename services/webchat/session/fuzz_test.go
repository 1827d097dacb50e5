package session

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/run"
)

const fuzzSecret = "wc-identity-secret-invented"

// signed reports whether a token has the HMAC of a key, by our own arithmetic.
func signed(token string, key []byte) bool {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return false
	}
	sum, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	return err == nil && hmac.Equal(sum, mac(token[:i], key))
}

func mac(text string, key []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// FuzzProve shows proofs of who a visitor is: only those made with the channel's secret count.
func FuzzProve(f *testing.F) {
	raw, err := os.ReadFile("testdata/session-create.json")
	if err != nil {
		f.Fatal(err)
	}
	var in opening
	if err := json.Unmarshal(raw, &in); err != nil {
		f.Fatal(err)
	}
	head, rest, _ := strings.Cut(in.Identity.Token, ".")
	body, _, _ := strings.Cut(rest, ".")
	f.Add(in.Identity.Token, "", "")
	f.Add("eyJhbGciOiJub25lIn0."+body+".", "", "")
	f.Add(head+"."+body+"."+base64.RawURLEncoding.EncodeToString(mac(head+"."+body, nil)), "", "")
	f.Add("", "cust-10086", hex.EncodeToString(mac("cust-10086", []byte(fuzzSecret))))
	f.Add("", "cust-10086", "")
	ch := channel.Keyed{Channel: channel.Channel{ID: "ch_1", Settings: channel.Settings{"identity_audience": "wgt_7fQ2"}}, Secrets: channel.Secrets{"identity_secret": {"", fuzzSecret}}}
	now := func() time.Time { return time.Unix(1789463405, 0) }
	f.Fuzz(func(t *testing.T, token, identifier, hash string) {
		who, profile, err := prove(ch, proof{Token: token, Identifier: identifier, Hash: hash}, now)
		if err != nil {
			return
		}
		if who == "" || len(who) > maxName {
			t.Fatalf("proved to be %q", who)
		}
		if token != "" && (!signed(token, []byte(fuzzSecret)) || profile == nil) {
			t.Fatalf("the token %q proves %q", token, who)
		}
		if token == "" && (who != identifier || !strings.EqualFold(hash, hex.EncodeToString(mac(identifier, []byte(fuzzSecret))))) {
			t.Fatalf("the hash %q proves %q", hash, who)
		}
		ch := ch
		ch.Secrets = channel.Secrets{"identity_secret": {""}}
		if _, _, err := prove(ch, proof{Token: token, Identifier: identifier, Hash: hash}, now); err == nil {
			t.Fatal("proved without a secret")
		}
	})
}

// FuzzSession shows session tokens: only our own for this very channel are sessions.
func FuzzSession(f *testing.F) {
	now := time.Now()
	s := &server{key: bytes.Repeat([]byte{7}, 32), Host: &gateway.Host{Env: &run.Env{Now: func() time.Time { return now }}}}
	token, err := s.sign(session{Tenant: "t1", RegisteredClaims: jwt.RegisteredClaims{
		Subject: "vis_1", ID: "ws_1", Audience: jwt.ClaimStrings{"ch_1"}, ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour)),
	}})
	if err != nil {
		f.Fatal(err)
	}
	other, err := (&server{key: bytes.Repeat([]byte{8}, 32)}).sign(session{Tenant: "t1"})
	if err != nil {
		f.Fatal(err)
	}
	for _, x := range []string{token, other, token[:strings.LastIndexByte(token, '.')+1], "", "..", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(x)
	}
	ch := channel.Keyed{Channel: channel.Channel{ID: "ch_1", Tenant: "t1"}}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := s.open(ch, text)
		if err == nil && (!signed(text, s.key) || v.Subject == "" || v.Tenant != ch.Tenant) {
			t.Fatalf("%q is the session %+v", text, v)
		}
	})
}

// FuzzFrame reads frames of browsers: what passes the check can be shown to the visitor's other tabs, and is not larger by more
// than its escapes.
func FuzzFrame(f *testing.F) {
	for _, x := range []string{
		`{"t":"message","clientId":"c-1","text":"hello","replyTo":"msg_1"}`, `{"t":"form","clientId":"c-2","form":"pre_chat","email":"a@b.example"}`,
		`{"t":"postback","clientId":"c-3","title":"Yes","id":"yes"}`, `{"t":"read","upTo":"msg_1"}`, `{"clientId":"\ud800","text":"\u2028<script>","fileIds":["a","b"]}`, `null`, `[]`, `{"text":5}`,
	} {
		f.Add([]byte(x))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := read(raw)
		if err != nil || in.check() != nil {
			return
		}
		if in.ClientID == "" || len(in.Text) > maxText || len(in.files()) > maxFiles {
			t.Fatalf("taken: %+v", in)
		}
		shown := encode(in.shown("msg_1", []*file{{}}, 1))
		if !json.Valid(shown) || len(shown) > 6*len(raw)+512 {
			t.Fatalf("%d bytes are shown as %d: %s", len(raw), len(shown), shown)
		}
		call := encode(session{Tenant: "t1", Profile: &event.Profile{}}.says(raw))
		if !json.Valid(call) {
			t.Fatalf("what the adapter reads is no JSON: %s", call)
		}
	})
}
