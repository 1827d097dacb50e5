package wechat

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // WeChat's own scheme
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// signed checks a signature over the parameters of the query, and what else it covers, under each live token: the SHA-1 of all of them,
// sorted and written one after the other.
func signed(ch channel.Keyed, query url.Values, got string, more ...string) error {
	var live []string
	for _, token := range ch.Secrets["token"] {
		if token != "" {
			live = append(live, signature(append([]string{token, query.Get("timestamp"), query.Get("nonce")}, more...)...))
		}
	}
	return channel.SameSecret(got, live)
}

func signature(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// block is what plain texts are padded to, twice the block of AES: PKCS#7 with values of 1 to 32.
const block = 32

// lead is how many random bytes stand before the length of a plain text.
const lead = 16

// open returns the message of a text that is encrypted under one of the live AES keys and names the channel's own app: 16 random bytes,
// the length of the message (4 bytes, big-endian), the message, the app's id, padding.
func open(ch channel.Keyed, encrypted string) ([]byte, error) {
	sealed, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(sealed) == 0 || len(sealed)%aes.BlockSize != 0 {
		return nil, channel.ErrForged
	}
	for _, encoded := range ch.Secrets["encoding_aes_key"] {
		key := aesKey(encoded)
		if key == nil {
			continue
		}
		c, err := aes.NewCipher(key)
		if err != nil {
			return nil, channel.ErrForged
		}
		plain := make([]byte, len(sealed))
		cipher.NewCBCDecrypter(c, key[:aes.BlockSize]).CryptBlocks(plain, sealed)
		if msg, app, ok := unpack(plain); ok && string(app) == ch.Settings.Text("app_id") {
			return msg, nil
		}
	}
	return nil, channel.ErrForged
}

// aesKey reads a key of 43 characters; nil if it is none. The last character may have bits that no byte needs, which a strict decoder
// refuses.
func aesKey(encoded string) []byte {
	key, err := base64.StdEncoding.DecodeString(encoded + "=")
	if err != nil || len(key) != 32 {
		return nil
	}
	return key
}

// unpack takes a plain text apart.
func unpack(plain []byte) (msg, app []byte, ok bool) {
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > block || len(plain)-pad < lead+4 {
		return nil, nil, false
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, nil, false
		}
	}
	rest := plain[lead : len(plain)-pad]
	n := binary.BigEndian.Uint32(rest)
	if rest = rest[4:]; uint64(n) > uint64(len(rest)) {
		return nil, nil, false
	}
	return rest[:n], rest[n:], true
}
