package x

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
)

var proof = channeltest.Proof{Header: signatureHeader, Sign: func(ch channel.Keyed, in channel.Inbound) string {
	mac := hmac.New(sha256.New, []byte(ch.Secrets.Current("consumer_secret")))
	mac.Write(in.Body)
	return "sha256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}}

func Test(t *testing.T)          { channeltest.Run(t, Adapter{}, proof) }
func Fuzz(f *testing.F)          { channeltest.Fuzz(f, Adapter{}, proof) }
func FuzzVerify(f *testing.F)    { channeltest.FuzzVerify(f, Adapter{}, proof) }
func FuzzSettle(f *testing.F)    { channeltest.FuzzSettle(f, Adapter{}, proof) }
func BenchmarkText(b *testing.B) { channeltest.Benchmark(b, Adapter{}, "text", proof) }

// A composed vector: the order of parameters, what is escaped, and that a body of JSON is not signed.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	secrets := map[string]string{
		"consumer_key": "ck0000000000000000000000A", "consumer_secret": "xs-CONSUMER-secret-7Q2mVinvented",
		"access_token": "1650000000000000042-accTokInvented", "access_token_secret": "accSecretInvented",
	}
	got, err := authorization("POST", "https://api.x.com/2/dm_conversations/with/1790001112223334445/messages", time.Unix(1789463459, 0), "b3f0c2d19e7a4f55", func(k string) string { return secrets[k] })
	const want = `OAuth oauth_consumer_key="ck0000000000000000000000A", oauth_nonce="b3f0c2d19e7a4f55", oauth_signature="uKfFkzuMtuQ7f7lXtHxOvN%2FqxK4%3D", ` +
		`oauth_signature_method="HMAC-SHA1", oauth_timestamp="1789463459", oauth_token="1650000000000000042-accTokInvented", oauth_version="1.0"`
	if err != nil || got != want {
		t.Errorf("%v\n%s\n%s", err, got, want)
	}
}
