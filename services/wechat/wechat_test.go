package wechat

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
)

// The signature of a plain push covers the query only, that of an encrypted one what is encrypted.
var (
	clearProof  = channeltest.Proof{Query: "signature", Loose: true, Sign: func(ch channel.Keyed, in channel.Inbound) string { return signatureOf(ch, in) }}
	sealedProof = channeltest.Proof{Query: "msg_signature", Loose: true, Sign: func(ch channel.Keyed, in channel.Inbound) string {
		e, _ := readEnvelope(in.Body)
		return signatureOf(ch, in, e.Encrypted)
	}}
)

func signatureOf(ch channel.Keyed, in channel.Inbound, more ...string) string {
	return signature(append([]string{ch.Secrets.Current("token"), in.Query.Get("timestamp"), in.Query.Get("nonce")}, more...)...)
}

func Test(t *testing.T)       { channeltest.Run(t, Adapter{}, clearProof, sealedProof) }
func Fuzz(f *testing.F)       { channeltest.Fuzz(f, Adapter{}, clearProof, sealedProof) }
func FuzzVerify(f *testing.F) { channeltest.FuzzVerify(f, Adapter{}, clearProof, sealedProof) }
func FuzzSettle(f *testing.F) { channeltest.FuzzSettle(f, Adapter{}, clearProof, sealedProof) }
func BenchmarkText(b *testing.B) {
	channeltest.Benchmark(b, Adapter{}, "text", clearProof, sealedProof)
}
