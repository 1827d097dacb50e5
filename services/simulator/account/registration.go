package account

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Registration is what a channel is configured with. The simulated account gets the same.
type Registration struct {
	Type       string            `json:"type"`
	Settings   map[string]any    `json:"settings"`
	Secrets    map[string]string `json:"secrets"`
	WebhookURL string            `json:"webhook_url"`
}

// Text is a setting. Numbers stand for texts, as people write them.
func (r Registration) Text(key string) string {
	if v := r.Settings[key]; v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// Need refuses a registration without these secrets.
func (r Registration) Need(secrets ...string) error {
	for _, key := range secrets {
		if r.Secrets[key] == "" {
			return fault.At("/secrets/"+key, "required", "the simulated provider needs the same secrets as the channel")
		}
	}
	return nil
}

// Hex is random, in so many bytes.
func Hex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

// Digits is a random number of 15 digits, as the providers number their accounts.
func Digits() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(9e14)) // its source never fails
	return n.Add(n, big.NewInt(1e14)).String()
}
