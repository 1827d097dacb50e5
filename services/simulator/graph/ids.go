package graph

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/services/simulator/account"
)

// Digits reports whether a text is an id as Meta numbers things.
func Digits(s string) bool { return s != "" && len(s) <= 32 && strings.Trim(s, "0123456789") == "" }

// The scopes in which an account's people have ids.
const (
	InMessages = "messages"
	InComments = "comments"
)

// Scoped is a person's id among the account's messages, and another one among those who comment. Digits are an id among messages already,
// except after a plus sign; any other name stands for one that is made of it.
func Scoped(c *account.Config, scope, name string) string {
	if scope == InMessages && Digits(name) && len(name) >= 5 {
		return name
	}
	h := sha256.Sum256([]byte(c.ID + "\x00" + scope + "\x00" + account.Bare(name)))
	return strconv.FormatUint(1e15+binary.BigEndian.Uint64(h[:])%9e15, 10)
}

// NewMID looks like Meta's ids of messages, which have a prefix by the product.
func NewMID(prefix string) string {
	b := make([]byte, 54)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}
