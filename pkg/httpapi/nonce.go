package httpapi

import (
	"crypto/rand"
	"encoding/hex"
)

// NewNonce returns 32 random hex digits.
func NewNonce() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}
