package whatsapp

import (
	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Parse reads a batch: every message, status and other news in it that is addressed to ch.
func (Adapter) Parse(ch channel.Keyed, in channel.Inbound) (channel.Parsed, error) {
	if in.Method == "GET" {
		return channel.HubChallenge(in.Query, ch.Secrets["verify_token"]), nil
	}
	var b batch
	err := json.Unmarshal(in.Body, &b)
	if err != nil && !channel.Malformed(err) {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not JSON: %w", err)
	}
	r := reader{number: ch.Settings.Text("phone_number_id"), account: ch.Settings.Text("waba_id"), body: in.Body}
	if b.Object != "whatsapp_business_account" {
		r.out.Ignore("object", b.Object)
	}
	for i, e := range b.Entry {
		for j, c := range e.Changes {
			if b.Object == "whatsapp_business_account" {
				r.change(place{entry: i, change: j, account: string(e.ID), field: c.Field}, c.Value)
			}
		}
	}
	if err != nil && len(r.out.Events) == 0 {
		return channel.Parsed{}, fault.New(fault.Invalid, "unreadable", "the body is not a WhatsApp batch: %w", err)
	}
	if err != nil {
		r.out.Ignore("malformed", "")
	}
	return r.out, nil
}

// reader collects what one batch says to one channel.
type reader struct {
	number, account string // the channel's
	body            []byte
	raws            [][]json.RawMessage // the changes of each entry as they came, once they were asked for
	out             channel.Parsed
}

// place is where in the batch a change stands.
type place struct {
	entry, change  int
	account, field string
}

// change reads one change, if its number, or for news without a number its account, is the channel's.
func (r *reader) change(at place, v value) {
	switch {
	case v.Metadata.Number != "" && string(v.Metadata.Number) != r.number, v.Metadata.Number == "" && at.account != r.account:
		r.out.Ignore(channel.OtherAccount, "")
		return
	case accountField(at.field):
		r.accountNews(at)
		return
	}
	n := len(r.out.Events)
	standby := at.field == "standby" // another agent has the number: record, do not answer
	switch at.field {
	case "messages", "standby", "smb_message_echoes":
		r.messages(v)
	case "user_preferences":
		r.preferences(v)
	case "user_id_update":
		r.idUpdates(v)
	case "contacts":
		r.contacts(at, v)
	case "calls":
		r.calls(v)
	default:
		r.out.Ignore("field", at.field)
	}
	for i := n; standby && i < len(r.out.Events); i++ {
		r.out.Events[i].Standby = true
	}
	if len(v.Errors) > 0 && len(v.Messages)+len(v.Statuses)+len(v.Echoes) == 0 {
		r.accountError(at, v.Errors[0])
	}
}

func (r *reader) messages(v value) {
	for _, m := range v.Messages {
		r.message(m, v.Contacts, false)
	}
	for _, m := range v.Echoes {
		r.message(m, v.Contacts, true)
	}
	for _, s := range v.Statuses {
		r.status(s, v.Contacts)
	}
}

func (r *reader) add(e event.Inbound) { r.out.Events = append(r.out.Events, e) }

// raw is a change as it came.
func (r *reader) raw(at place) json.RawMessage {
	if r.raws == nil {
		var b struct {
			Entry []struct {
				Changes []json.RawMessage `json:"changes"`
			} `json:"entry"`
		}
		_ = json.Unmarshal(r.body, &b) // it was read before
		r.raws = make([][]json.RawMessage, len(b.Entry))
		for i, e := range b.Entry {
			r.raws[i] = e.Changes
		}
	}
	if at.entry < len(r.raws) && at.change < len(r.raws[at.entry]) {
		return r.raws[at.entry][at.change]
	}
	return nil
}
