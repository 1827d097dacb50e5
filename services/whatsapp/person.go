package whatsapp

import (
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// person is somebody under all ids that one event proves. The number comes first where it is known: it is what people
// recognise; the BSUID is an alias then.
type person struct {
	peer    string
	aliases []string
	profile *event.Profile
}

// somebody makes a person of a number and user ids, any of which may be missing.
func somebody(number channel.Opaque, users ...channel.Opaque) person {
	n := strings.TrimPrefix(string(number), "+")
	ids := make([]string, 0, 4)
	for _, id := range append([]channel.Opaque{channel.Opaque(n)}, users...) {
		ids = add(ids, string(id))
	}
	for _, v := range channel.Spellings(n) {
		ids = add(ids, v)
	}
	if len(ids) == 0 {
		return person{}
	}
	return person{peer: ids[0], aliases: ids[1:]}
}

func add(ids []string, id string) []string {
	if id == "" || slices.Contains(ids, id) {
		return ids
	}
	return append(ids, id)
}

// known completes a person from the contacts of the same value: matched by user id, else by number, never by position.
func (p person) known(contacts []contact) person {
	i := slices.IndexFunc(contacts, func(c contact) bool { return c.UserID != "" && p.has(c.UserID) })
	if i < 0 {
		i = slices.IndexFunc(contacts, func(c contact) bool { return c.WaID != "" && p.has(c.WaID) })
	}
	p.profile = &event.Profile{Phone: phone(p.peer)}
	if i < 0 {
		return p.settled()
	}
	c := contacts[i]
	all := somebody(c.WaID, c.UserID, c.ParentUserID)
	ids := append([]string{p.peer}, p.aliases...)
	for _, id := range append([]string{all.peer}, all.aliases...) {
		ids = add(ids, id)
	}
	p.aliases = ids[1:]
	p.profile.Name, p.profile.Username = c.Profile.Name, strings.TrimPrefix(c.Profile.Username, "@")
	if p.profile.Phone == "" {
		p.profile.Phone = phone(strings.TrimPrefix(string(c.WaID), "+"))
	}
	return p.settled()
}

// settled drops an empty profile.
func (p person) settled() person {
	if *p.profile == (event.Profile{}) {
		p.profile = nil
	}
	return p
}

func (p person) has(id channel.Opaque) bool {
	return p.peer == string(id) || slices.Contains(p.aliases, string(id))
}

// inGroup makes the group the peer and the person its author.
func (p person) inGroup(group channel.Opaque) person {
	if group == "" {
		return p
	}
	profile := event.Profile{}
	if p.profile != nil {
		profile = *p.profile
	}
	profile.Author = p.peer
	return person{peer: string(group), profile: &profile}
}

func phone(peer string) string {
	if digits(peer) {
		return "+" + peer
	}
	return ""
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// scopedID reports whether id is a business-scoped user id: a country code, then ENT for a parent id, then 1–128 letters and
// digits, with dots between.
func scopedID(id string) bool {
	country, rest, ok := strings.Cut(id, ".")
	rest = strings.TrimPrefix(rest, "ENT.")
	upper := len(country) == 2 && country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' && country[1] <= 'Z'
	return ok && upper && len(rest) >= 1 && len(rest) <= 128 && strings.IndexFunc(rest, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}
