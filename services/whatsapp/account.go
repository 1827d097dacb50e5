package whatsapp

import (
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

// accountField reports whether a field is about the account: templates, quality, limits, alerts.
func accountField(field string) bool {
	for _, prefix := range []string{"message_template_", "template_", "phone_number_", "account_", "business_"} {
		if strings.HasPrefix(field, prefix) {
			return true
		}
	}
	return field == "security" || field == "payment_configuration_update"
}

// accountNews passes such a change on. It has no id, so an equal one later is the same event.
func (r *reader) accountNews(at place) {
	raw := r.raw(at)
	var c struct {
		Value struct {
			Event       string         `json:"event"`
			Name        string         `json:"message_template_name"`
			Language    string         `json:"message_template_language"`
			Reason      string         `json:"reason"`
			Quality     string         `json:"new_quality_score"`
			Category    string         `json:"new_category"`
			Limit       channel.Opaque `json:"current_limit"`
			Description string         `json:"alert_description"`
			AlertInfo   struct {
				Type        string `json:"alert_type"`
				Description string `json:"alert_description"`
			} `json:"alert_info"`
		} `json:"value"`
	}
	_ = json.Unmarshal(raw, &c) // what fits is enough: raw goes along
	v := c.Value
	var detail []string
	for _, s := range []string{v.Event, v.Name, v.Language, v.Category, v.Quality, string(v.Limit), v.AlertInfo.Type, v.AlertInfo.Description, v.Description, v.Reason} {
		if s != "" && s != "NONE" {
			detail = append(detail, s)
		}
	}
	r.told(at, &event.Account{What: at.field, Detail: strings.Join(detail, ", ")}, raw)
}

// accountError reads a problem that belongs to no message.
func (r *reader) accountError(at place, p meta.Problem) {
	r.told(at, &event.Account{What: "error", Detail: p.Title, Error: failure([]meta.Problem{p})}, r.raw(at))
}

func (r *reader) told(at place, a *event.Account, raw json.RawMessage) {
	r.add(event.Inbound{Type: event.AccountChanged, Ref: at.account + ":" + at.field + ":" + event.Hash(string(raw)), Account: a, Raw: raw})
}
