package channel

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// ErrForged is returned by Verify for a call whose origin cannot be proved. It says nothing about what was expected.
var ErrForged error = fault.New(fault.Denied, "forged", "the signature does not match")

// SameSecret reports whether got is one of the live values, in constant time. No values, or an empty one, never match.
func SameSecret(got string, live []string) error {
	ok := 0
	for _, want := range live {
		if want != "" {
			ok |= subtle.ConstantTimeCompare([]byte(got), []byte(want))
		}
	}
	if ok != 1 {
		return ErrForged
	}
	return nil
}

// HMACSHA256Hex checks a hex HMAC-SHA256 of body, with prefix ("sha256=" or "") before it, against the live secrets.
func HMACSHA256Hex(body []byte, got, prefix string, live []string) error {
	digits, found := strings.CutPrefix(got, prefix)
	sum, err := hex.DecodeString(digits)
	if !found || err != nil {
		return ErrForged
	}
	return SameMAC(sha256.New, body, sum, live)
}

// HMACSHA256Base64 checks a base64 HMAC-SHA256 of body against the live secrets.
func HMACSHA256Base64(body []byte, got string, live []string) error {
	sum, err := base64.StdEncoding.Strict().DecodeString(got)
	if err != nil {
		return ErrForged
	}
	return SameMAC(sha256.New, body, sum, live)
}

// SameMAC checks the HMAC of body with any hash function against the live secrets, in constant time.
func SameMAC(hash func() hash.Hash, body, sum []byte, live []string) error {
	ok := false
	for _, secret := range live {
		if secret == "" {
			continue
		}
		mac := hmac.New(hash, []byte(secret))
		mac.Write(body)
		ok = hmac.Equal(mac.Sum(nil), sum) || ok
	}
	if !ok {
		return ErrForged
	}
	return nil
}
