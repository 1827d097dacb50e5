// Package whatsapp translates between WhatsApp and the gateway, for numbers on Meta's Cloud API
// (https://developers.facebook.com/documentation/business-messaging/whatsapp) and on 360dialog
// (https://docs.360dialog.com), which speaks the same JSON under other addresses and credentials. The setting provider says
// which of the two serves a number.
package whatsapp

import (
	"encoding/json"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
)

// Adapter is the WhatsApp channel.
type Adapter struct{}

var _ interface {
	channel.Adapter
	channel.AppLevel
	channel.MediaFetcher
	channel.Setup
	channel.Expirer
} = Adapter{}

// Verify checks Meta's HMAC with the app secret; on 360dialog the partner's HMAC or the header that we registered. A GET of
// Meta carries nothing to verify but the token that Parse compares.
func (Adapter) Verify(ch channel.Keyed, in channel.Inbound) error {
	if dialog(ch.Channel) {
		live := ch.Secrets["webhook_secret"]
		if sig := in.Header.Get("X-360dialog-Signature"); sig != "" && dialogSigned(in.Body, sig, live) {
			return nil
		}
		return channel.SameSecret(in.Header.Get("Authorization"), bearers(live))
	}
	return meta.Verify(ch, in)
}

// dialogSigned checks 360dialog's HMAC, seen with and without a prefix.
func dialogSigned(body []byte, sig string, live []string) bool {
	return channel.HMACSHA256Hex(body, sig, "", live) == nil || channel.HMACSHA256Hex(body, sig, "sha256=", live) == nil
}

func bearers(live []string) []string {
	out := make([]string, 0, len(live))
	for _, v := range live {
		if v != "" {
			out = append(out, "Bearer "+v)
		}
	}
	return out
}

// Sign adds the number's key. Only setup calls carry a secret of ours in the body.
func (Adapter) Sign(ch channel.Keyed, req channel.Request, _ time.Time, _ string) (channel.Request, error) {
	if dialog(ch.Channel) {
		req.Header = req.Header.Clone()
		if req.Header == nil {
			req.Header = channel.Header{}
		}
		req.Header.Set("D360-API-KEY", ch.Secrets.Current("api_key"))
	} else {
		req = meta.Authorize(req, ch.Secrets.Current("access_token"))
	}
	if req.Tag == tagSetup {
		req.Body = fill(req.Body, ch.Secrets)
	}
	return req, nil
}

// Named lists the numbers, and for account news the business accounts, that a batch names. A subscription check names a channel by its
// verify token alone.
func (Adapter) Named(in channel.Inbound) []channel.Lookup {
	if in.Method == "GET" {
		return meta.Subscribing(in)
	}
	var b struct {
		Entry channel.Few[struct {
			ID      channel.Opaque `json:"id"`
			Changes channel.Few[struct {
				Value struct {
					Metadata metadata `json:"metadata"`
				} `json:"value"`
			}] `json:"changes"`
		}] `json:"entry"`
	}
	if err := json.Unmarshal(in.Body, &b); err != nil && !channel.Malformed(err) {
		return nil
	}
	var out []channel.Lookup
	seen := map[channel.Lookup]bool{}
	for _, e := range b.Entry {
		for _, c := range e.Changes {
			l := channel.Lookup{Setting: "phone_number_id", Value: string(c.Value.Metadata.Number)}
			if l.Value == "" {
				l = channel.Lookup{Setting: "waba_id", Value: string(e.ID)}
			}
			if l.Value != "" && !seen[l] {
				seen[l] = true
				out = append(out, l)
			}
		}
	}
	return out
}

func dialog(ch channel.Channel) bool { return ch.Settings.Text("provider") == "360dialog" }
