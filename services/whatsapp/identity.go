package whatsapp

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// change turns e into a change of identity. It is false for notices of other kinds, which stay messages.
func (s *system) change(e *event.Inbound, m *message, raw json.RawMessage) bool {
	old, now := []string{}, []string{}
	switch s.Type {
	case "user_changed_number", "customer_changed_number", "user_changed_user_id":
		for _, id := range []channel.Opaque{m.From, s.PreviousUserID, s.PreviousParentID} {
			old = add(old, string(id))
		}
		for _, id := range []channel.Opaque{cmp.Or(s.WaID, s.NewWaID), s.UserID, s.ParentUserID} {
			now = add(now, string(id))
		}
		if len(now) == 0 {
			return false
		}
	case "customer_identity_changed", "user_identity_changed": // a new device or key; the ids stay
	default:
		return false
	}
	e.Type, e.Identity = event.ContactIdentified, &event.Identity{Old: without(old, now), New: now, Reason: s.Type}
	e.Aliases = others(e.Peer, e.Aliases, old, now)
	e.Sender, e.Profile = nil, numbered(e.Sender, now)
	e.Raw = raw // the notice is worded there
	return true
}

// numbered is what is known of somebody after a change: the phone number is the one among the ids that they have now.
func numbered(p *event.Profile, now []string) *event.Profile {
	out := event.Profile{}
	if p != nil {
		out = *p
	}
	if len(now) > 0 {
		out.Phone = ""
	}
	for _, id := range now {
		if digits(id) {
			out.Phone = phone(id)
		}
	}
	if out == (event.Profile{}) {
		return nil
	}
	return &out
}

// idUpdates reads changes of user ids that come in a field of their own.
func (r *reader) idUpdates(v value) {
	for _, it := range v.IDUpdates {
		u := it.V
		old := add(add([]string{}, string(u.UserID.Previous)), string(u.ParentID.Previous))
		now := add(add(add([]string{}, strings.TrimPrefix(string(u.WaID), "+")), string(u.UserID.Current)), string(u.ParentID.Current))
		if len(old) == 0 || len(now) == 0 {
			r.out.Ignore("malformed", "user_id_update")
			continue
		}
		r.add(event.Inbound{Type: event.ContactIdentified, Ref: "user_id_update:" + event.Hash(string(it.Raw)), Peer: old[0],
			Aliases: others(old[0], old, now), ProviderAt: u.Timestamp.Time(), Profile: numbered(nil, now),
			Identity: &event.Identity{Old: old, New: now, Reason: "user_id_update"}})
	}
}

// contacts reads people whose ids are told without a message.
func (r *reader) contacts(at place, v value) {
	for _, c := range v.Contacts {
		who := somebody(c.WaID, c.UserID, c.ParentUserID).known(v.Contacts)
		if len(who.aliases) == 0 {
			r.out.Ignore("field", at.field)
			continue
		}
		ids := append([]string{who.peer}, who.aliases...)
		r.add(event.Inbound{Type: event.ContactIdentified, Ref: at.account + ":" + at.field + ":" + event.Hash(ids...), Peer: who.peer,
			Aliases: who.aliases, Sender: who.profile, Identity: &event.Identity{Old: []string{}, New: ids, Reason: at.field}})
	}
}

// preferences reads opt-outs and opt-ins.
func (r *reader) preferences(v value) {
	for _, it := range v.Preferences {
		p := it.V
		who := somebody(p.WaID, p.UserID, p.ParentID).known(v.Contacts)
		value := map[string]string{"stop": "out", "resume": "in", "signup": "in"}[p.Value]
		if who.peer == "" || value == "" {
			r.out.Ignore("user_preferences", p.Value)
			continue
		}
		ref := strings.Join([]string{cmp.Or(string(p.UserID), string(p.WaID)), p.Category, p.Value, p.Timestamp.Time().String()}, ":")
		r.add(event.Inbound{Type: event.ContactConsented, Ref: ref, Peer: who.peer, Aliases: who.aliases, Sender: who.profile,
			ProviderAt: p.Timestamp.Time(), Consent: &event.Consent{Category: strings.TrimSuffix(p.Category, "_messages"), Value: value}})
	}
}

// calls reads calls of customers: they open the window like a message does [from memory of Meta's Calling API].
func (r *reader) calls(v value) {
	for _, it := range v.Calls {
		c := it.V
		who := somebody(c.From, c.FromUserID).known(v.Contacts)
		if c.Event != "connect" || c.Direction == "BUSINESS_INITIATED" || c.ID == "" || who.peer == "" {
			r.out.Ignore("call", c.Event)
			continue
		}
		r.add(event.Inbound{Type: event.ContactReferred, Ref: string(c.ID), ExternalID: string(c.ID), Peer: who.peer, Aliases: who.aliases,
			Sender: who.profile, ProviderAt: c.Timestamp.Time(), Referral: &event.Referral{Source: "call"}, OpensWindow: "call", Raw: it.Raw})
	}
}

// others joins lists of ids without the peer and without repetitions.
func others(peer string, lists ...[]string) []string {
	var out []string
	for _, ids := range lists {
		for _, id := range ids {
			if id != peer {
				out = add(out, id)
			}
		}
	}
	return out
}

func without(ids, gone []string) []string {
	out := []string{}
	for _, id := range ids {
		if len(add(gone[:len(gone):len(gone)], id)) > len(gone) {
			out = append(out, id)
		}
	}
	return out
}
