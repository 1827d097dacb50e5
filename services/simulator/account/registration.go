package account

import (
	"fmt"

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
