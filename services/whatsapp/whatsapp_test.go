package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
)

var proofs = []channeltest.Option{
	channeltest.Proof{Header: "X-Hub-Signature-256", Sign: signWith("app_secret")},
	channeltest.Proof{Header: "X-360dialog-Signature", Sign: signWith("webhook_secret")},
	channeltest.Proof{Header: "Authorization"},
	channeltest.Proof{Query: "hub.verify_token"},
}

func Test(t *testing.T)          { channeltest.Run(t, Adapter{}, proofs...) }
func Fuzz(f *testing.F)          { channeltest.Fuzz(f, Adapter{}, proofs...) }
func FuzzVerify(f *testing.F)    { channeltest.FuzzVerify(f, Adapter{}, proofs...) }
func FuzzSettle(f *testing.F)    { channeltest.FuzzSettle(f, Adapter{}, proofs...) }
func BenchmarkText(b *testing.B) { channeltest.Benchmark(b, Adapter{}, "signature_sample", proofs...) }

// signWith computes the HMAC that Meta and 360dialog put into their headers.
func signWith(key string) func(channel.Keyed, channel.Inbound) string {
	return func(ch channel.Keyed, in channel.Inbound) string {
		mac := hmac.New(sha256.New, []byte(ch.Secrets.Current(key)))
		mac.Write(in.Body)
		return hex.EncodeToString(mac.Sum(nil))
	}
}
