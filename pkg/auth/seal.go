package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Sealer encrypts secrets at rest: a fresh AES-256-GCM data key per value, itself sealed with the key-encryption key. The
// record names the key it was sealed with, so that several can be live while they are rotated (promise P11).
type Sealer struct {
	keys    map[string]cipher.AEAD
	macs    map[string][]byte // keys of [Sealer.MAC], derived from the others
	current string
}

// NewSealer returns a Sealer that seals with the first key and opens with any. Keys have 32 bytes.
func NewSealer(keys ...[]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("sealer: no key")
	}
	s := &Sealer{keys: map[string]cipher.AEAD{}, macs: map[string][]byte{}}
	for i, k := range keys {
		a, err := aead(k)
		if err != nil {
			return nil, fmt.Errorf("sealer: key %d: %w", i, err)
		}
		sum := sha256.Sum256(k)
		id := hex.EncodeToString(sum[:4])
		if s.macs[id], err = hkdf.Key(sha256.New, k, nil, "tributary mac", sha256.Size); err != nil {
			return nil, fmt.Errorf("sealer: key %d: %w", i, err)
		}
		s.keys[id] = a
		if i == 0 {
			s.current = id
		}
	}
	return s, nil
}

func aead(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("want 32 bytes, got %d", len(key))
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// Seal returns "v1.<key id>.<sealed data key>.<ciphertext>". The context (tenant, channel, field …) is authenticated: a value
// moved to another place does not open.
func (s *Sealer) Seal(plain string, context ...string) string {
	dek := make([]byte, 32)
	_, _ = rand.Read(dek) // never fails (crypto/rand)
	inner, err := aead(dek)
	if err != nil {
		panic(err) // 32 bytes always make a key
	}
	ad := []byte(strings.Join(context, "\x00"))
	enc := base64.RawURLEncoding
	return "v1." + s.current + "." + enc.EncodeToString(box(s.keys[s.current], dek, ad)) + "." + enc.EncodeToString(box(inner, []byte(plain), ad))
}

func box(a cipher.AEAD, plain, ad []byte) []byte {
	nonce := make([]byte, a.NonceSize(), a.NonceSize()+len(plain)+a.Overhead())
	_, _ = rand.Read(nonce)
	return a.Seal(nonce, nonce, plain, ad)
}

func unbox(a cipher.AEAD, b, ad []byte) ([]byte, error) {
	if len(b) < a.NonceSize() {
		return nil, errors.New("too short")
	}
	return a.Open(nil, b[:a.NonceSize()], b[a.NonceSize():], ad)
}

// Open reverses Seal. It fails if the key is not there, or the value or its context was changed.
func (s *Sealer) Open(sealed string, context ...string) (string, error) {
	parts := strings.Split(sealed, ".")
	if len(parts) != 4 || parts[0] != "v1" {
		return "", errors.New("sealed value: not in our format")
	}
	kek, ok := s.keys[parts[1]]
	if !ok {
		return "", fmt.Errorf("sealed value: sealed with key %s, which is not configured", parts[1])
	}
	ad := []byte(strings.Join(context, "\x00"))
	enc := base64.RawURLEncoding
	wrapped, err1 := enc.DecodeString(parts[2])
	body, err2 := enc.DecodeString(parts[3])
	if err := errors.Join(err1, err2); err != nil {
		return "", errors.New("sealed value: not in our format")
	}
	dek, err := unbox(kek, wrapped, ad)
	if err != nil {
		return "", errors.New("sealed value: does not open in this place")
	}
	inner, err := aead(dek)
	if err != nil {
		return "", errors.New("sealed value: does not open in this place")
	}
	plain, err := unbox(inner, body, ad)
	if err != nil {
		return "", errors.New("sealed value: does not open in this place")
	}
	return string(plain), nil
}

// MAC authenticates a text for one purpose, with the current key. It returns "<key id>.<HMAC-SHA256>", the same every time.
func (s *Sealer) MAC(text, purpose string) string {
	return s.current + "." + base64.RawURLEncoding.EncodeToString(s.mac(s.current, text, purpose))
}

// Proves reports whether a MAC is that of a text and a purpose, made with any of the keys.
func (s *Sealer) Proves(mac, text, purpose string) bool {
	id, sum, _ := strings.Cut(mac, ".")
	got, err := base64.RawURLEncoding.Strict().DecodeString(sum)
	return err == nil && s.macs[id] != nil && hmac.Equal(got, s.mac(id, text, purpose))
}

func (s *Sealer) mac(id, text, purpose string) []byte {
	h := hmac.New(sha256.New, s.macs[id])
	_, _ = h.Write([]byte(purpose + "\x00" + text)) // never fails (hash.Hash)
	return h.Sum(nil)
}

// ID names the key that seals: the beginning of its SHA-256.
func (s *Sealer) ID() string { return s.current }

// KeyOf names the key that sealed a value.
func KeyOf(sealed string) string {
	parts := strings.Split(sealed, ".")
	if len(parts) != 4 {
		return "unknown"
	}
	return parts[1]
}

// Current reports whether a sealed value was sealed with the current key; if not, it is to be sealed again.
func (s *Sealer) Current(sealed string) bool { return strings.HasPrefix(sealed, "v1."+s.current+".") }
