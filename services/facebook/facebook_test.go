package facebook

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
