package line

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
)

var proof = channeltest.Proof{Header: signatureHeader, Sign: signature}

func Test(t *testing.T)          { channeltest.Run(t, Adapter{}, proof) }
func Fuzz(f *testing.F)          { channeltest.Fuzz(f, Adapter{}, proof) }
func FuzzVerify(f *testing.F)    { channeltest.FuzzVerify(f, Adapter{}, proof) }
func FuzzSettle(f *testing.F)    { channeltest.FuzzSettle(f, Adapter{}, proof) }
func BenchmarkText(b *testing.B) { channeltest.Benchmark(b, Adapter{}, "signature_sample", proof) }

func signature(ch channel.Keyed, in channel.Inbound) string {
	mac := hmac.New(sha256.New, []byte(ch.Secrets.Current("channel_secret")))
	mac.Write(in.Body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
