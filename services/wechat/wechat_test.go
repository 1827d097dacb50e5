package wechat

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
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

// sealed encrypts a push for a channel that has a key.
var sealed = channeltest.Wrapped(func(ch channel.Keyed, in channel.Inbound) (channel.Inbound, bool) {
	key := aesKey(ch.Secrets.Current("encoding_aes_key"))
	if key == nil {
		return in, false
	}
	plain := binary.BigEndian.AppendUint32(make([]byte, lead), uint32(len(in.Body))) //nolint:gosec // as long as a body
	plain = append(append(plain, in.Body...), ch.Settings.Text("app_id")...)
	pad := block - len(plain)%block
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	c, err := aes.NewCipher(key)
	if err != nil {
		return in, false
	}
	cipher.NewCBCEncrypter(c, key[:aes.BlockSize]).CryptBlocks(plain, plain)
	in.Body = []byte("<xml><Encrypt><![CDATA[" + base64.StdEncoding.EncodeToString(plain) + "]]></Encrypt></xml>")
	return in, true
})

func Test(t *testing.T)       { channeltest.Run(t, Adapter{}, clearProof, sealedProof, sealed) }
func Fuzz(f *testing.F)       { channeltest.Fuzz(f, Adapter{}, clearProof, sealedProof, sealed) }
func FuzzVerify(f *testing.F) { channeltest.FuzzVerify(f, Adapter{}, clearProof, sealedProof) }
func FuzzSettle(f *testing.F) { channeltest.FuzzSettle(f, Adapter{}, clearProof, sealedProof) }
func BenchmarkText(b *testing.B) {
	channeltest.Benchmark(b, Adapter{}, "text", clearProof, sealedProof)
}
