package target

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // WeChat's own scheme
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// sealer signs pushes as WeChat does: the query has the SHA-1 of token, time and nonce, sorted and written one after the other; with an AES
// key the body is encrypted and a second signature covers it.
type sealer struct {
	token, app string
	block      cipher.Block // nil: bodies are sent as they are
	iv         []byte
}

func newSealer(token, key, app string) *sealer {
	s := &sealer{token: token, app: app}
	if raw, err := base64.StdEncoding.DecodeString(key + "="); err == nil && len(raw) == 32 {
		s.block, _ = aes.NewCipher(raw) // fails only for another length
		s.iv = raw[:aes.BlockSize]
	}
	return s
}

const nonce = "4711" // WeChat's is another for every push, which nobody may rely on

// seal returns the body as it is sent, and the query that proves it.
func (s *sealer) seal(body []byte, now int64) (sealed []byte, query string) {
	at := strconv.FormatInt(now, 10)
	query = "?timestamp=" + at + "&nonce=" + nonce + "&signature=" + digest(s.token, at, nonce)
	if s.block == nil {
		return body, query
	}
	text := base64.StdEncoding.EncodeToString(s.encrypt(body))
	return []byte("<xml><Encrypt><![CDATA[" + text + "]]></Encrypt></xml>"), query + "&encrypt_type=aes&msg_signature=" + digest(s.token, at, nonce, text)
}

// encrypt puts 16 bytes that are random at WeChat and the length before the text, and the app and padding to 32 bytes after it.
func (s *sealer) encrypt(body []byte) []byte {
	plain := make([]byte, 16, 16+4+len(body)+len(s.app)+32)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(body))) //nolint:gosec // a target's body is short
	plain = append(append(plain, body...), s.app...)
	pad := 32 - len(plain)%32
	plain = append(plain, slices.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(s.block, s.iv).CryptBlocks(plain, plain)
	return plain
}

func digest(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}
