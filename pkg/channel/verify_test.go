package channel

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"testing"

	"pgregory.net/rapid"
)

func TestMACsTakeEveryLiveSecretAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		live := rapid.SliceOfN(rapid.StringN(1, 20, 20), 1, 3).Draw(t, "live")
		secret := rapid.SampledFrom(live).Draw(t, "secret")
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		sum := mac.Sum(nil)
		hexed, based := hex.EncodeToString(sum), base64.StdEncoding.EncodeToString(sum)
		if HMACSHA256Hex(body, "p="+hexed, "p=", live) != nil || HMACSHA256Base64(body, based, live) != nil {
			t.Fatal("a true signature is refused")
		}
		other := append(body[:len(body):len(body)], 'x')
		dead := []string{"", secret + "x"}
		for _, err := range []error{
			HMACSHA256Hex(other, hexed, "", live), HMACSHA256Hex(body, hexed, "p=", live), HMACSHA256Hex(body, hexed[2:], "", live),
			HMACSHA256Hex(body, hexed, "", dead), HMACSHA256Hex(body, "", "", live), HMACSHA256Base64(body, based[1:], live),
			HMACSHA256Base64(other, based, live), HMACSHA256Base64(body, based, dead), HMACSHA256Base64(body, based, nil),
		} {
			if err == nil {
				t.Fatal("a false signature is taken")
			}
		}
	})
}

func TestHubChallenge(t *testing.T) {
	t.Parallel()
	live := []string{"new", "old"}
	for query, want := range map[string]int{
		"hub.mode=subscribe&hub.verify_token=new&hub.challenge=7": 200, "hub.mode=subscribe&hub.verify_token=old&hub.challenge=7": 200,
		"hub.mode=subscribe&hub.verify_token=&hub.challenge=7": 403, "hub.mode=x&hub.verify_token=new&hub.challenge=7": 403, "": 403,
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		r := HubChallenge(q, live).Reply
		if r.Status != want || (string(r.Body) == "7") != (want == 200) {
			t.Errorf("%s: %d %q, want %d", query, r.Status, r.Body, want)
		}
	}
	if r := HubChallenge(url.Values{"hub.mode": {"subscribe"}}, []string{""}).Reply; r.Status != 403 {
		t.Errorf("an empty verify token is answered %d", r.Status)
	}
}

func TestClientRef(t *testing.T) {
	t.Parallel()
	attempt, part, ok := ParseClientRef(ClientRef("att_1:x", 12))
	if attempt != "att_1:x" || part != 12 || !ok {
		t.Errorf("%s %d %v", attempt, part, ok)
	}
	for _, foreign := range []string{"", "order-7", ":1", "a:-1", "a:b"} {
		if _, _, ok := ParseClientRef(foreign); ok {
			t.Errorf("%q is taken for ours", foreign)
		}
	}
}
