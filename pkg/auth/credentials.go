package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ErrUnauthenticated is the answer to every bad credential; it does not say what was wrong with it.
var ErrUnauthenticated error = fault.New(fault.Denied, "unauthenticated", "the credentials are missing, wrong or expired")

// NewAPIKey returns a key's id, its text trb_<id>_<secret>, which is shown once, and the hash to store.
func NewAPIKey() (id, text, hash string) {
	buf := make([]byte, 32)
	_, _ = rand.Read(buf)
	id = event.Hash("api key", hex.EncodeToString(buf[:16]))[:16]
	text = APIKeyText(id, buf)
	return id, text, HashAPIKey(text)
}

// APIKeyText is the text of a key with this id, which has no underscore, and 32 bytes that nobody can guess.
func APIKeyText(id string, secret []byte) string {
	return "trb_" + id + "_" + base64.RawURLEncoding.EncodeToString(secret)
}

// SplitAPIKey returns the id in a key's text. ok is false for what is no API key.
func SplitAPIKey(text string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(text, "trb_")
	if !ok {
		return "", false
	}
	id, secret, ok := strings.Cut(rest, "_")
	return id, ok && id != "" && len(secret) >= 16
}

// HashAPIKey is what is stored of a key: SHA-256, because the secret has 256 random bits.
func HashAPIKey(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// MatchAPIKey compares in constant time.
func MatchAPIKey(text, hash string) bool {
	return subtle.ConstantTimeCompare([]byte(HashAPIKey(text)), []byte(hash)) == 1
}

// argon2id parameters: OWASP's Password Storage Cheat Sheet, 19 MiB, two passes, one lane. A hash names its own, so that they can
// be raised any time.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024
	argonThreads = 1
	argonLength  = 32
)

// HashPassword returns an argon2id hash in the PHC text format.
func HashPassword(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonLength)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, enc.EncodeToString(salt), enc.EncodeToString(sum))
}

// MatchPassword reports whether password has that hash.
func MatchPassword(password, hash string) bool {
	p := strings.Split(hash, "$")
	if len(p) != 6 || p[1] != "argon2id" {
		return false
	}
	var memory, passes uint32
	var threads uint8
	if _, err := fmt.Sscanf(p[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(p[4])
	want, err2 := base64.RawStdEncoding.DecodeString(p[5])
	if err1 != nil || err2 != nil || len(want) == 0 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}
