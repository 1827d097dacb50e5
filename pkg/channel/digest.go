package channel

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// SHA256Hex returns a SHA-256 digest that a provider announced, in hex or in base64, in lower-case hex. It returns "" for a text that
// is neither: such a text says nothing about a file.
func SHA256Hex(announced string) string {
	const size = 32
	if b, err := hex.DecodeString(announced); err == nil && len(b) == size {
		return strings.ToLower(announced)
	}
	unpadded := strings.TrimRight(announced, "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(unpadded); err == nil && len(b) == size {
			return hex.EncodeToString(b)
		}
	}
	return ""
}
