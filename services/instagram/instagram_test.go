package instagram

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

var proofs = []channeltest.Option{
	channeltest.Proof{Header: meta.SignatureHeader, Sign: signature},
	channeltest.Proof{Query: channel.HubToken},
}

func Test(t *testing.T)          { channeltest.Run(t, Adapter{}, proofs...) }
func Fuzz(f *testing.F)          { channeltest.Fuzz(f, Adapter{}, proofs...) }
func FuzzVerify(f *testing.F)    { channeltest.FuzzVerify(f, Adapter{}, proofs...) }
func FuzzSettle(f *testing.F)    { channeltest.FuzzSettle(f, Adapter{}, proofs...) }
func BenchmarkText(b *testing.B) { channeltest.Benchmark(b, Adapter{}, "signature_sample", proofs...) }

// signature computes the HMAC that Meta puts into its header.
func signature(ch channel.Keyed, in channel.Inbound) string {
	mac := hmac.New(sha256.New, []byte(ch.Secrets.Current("app_secret")))
	mac.Write(in.Body)
	return hex.EncodeToString(mac.Sum(nil))
}

// With the login of Instagram an app has two secrets, and either proves a webhook; with that of Facebook it has one.
func TestEitherSecretProvesAWebhook(t *testing.T) {
	t.Parallel()
	body := []byte(`{"object":"instagram","entry":[]}`)
	both := channel.Secrets{"app_secret": {"new", "old"}, "meta_app_secret": {"of-the-meta-app"}, "verify_token": {"verify"}}
	for _, c := range []struct {
		secrets channel.Secrets
		by      string
		proves  bool
	}{
		{both, "new", true}, {both, "old", true}, {both, "of-the-meta-app", true}, {both, "verify", false}, {both, "", false},
		{channel.Secrets{"app_secret": {"new"}}, "new", true}, {channel.Secrets{"app_secret": {"new"}}, "of-the-meta-app", false},
		{channel.Secrets{"app_secret": {"new"}, "meta_app_secret": {""}}, "", false},
	} {
		in := channel.Inbound{Method: "POST", Body: body, Header: channel.Header{}}
		in.Header.Set(meta.SignatureHeader, "sha256="+signature(channel.Keyed{Secrets: channel.Secrets{"app_secret": {c.by}}}, in))
		if err := (Adapter{}).Verify(channel.Keyed{Secrets: c.secrets}, in); (err == nil) != c.proves {
			t.Errorf("signed by %q of %d secrets: %v", c.by, len(c.secrets), err)
		}
	}
}
