package record

import (
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Origin is who says something about a peer.
type Origin string

// The sources, from the weakest to the strongest: a stronger one's word is not overwritten by a weaker one's.
const (
	FromCard     Origin = "own_card" // the peer's own contact card
	FromProvider Origin = "provider"
	FromPerson   Origin = "person" // an agent, or an application of the business
)

func (o Origin) rank() int { return slices.Index([]Origin{"", FromCard, FromProvider, FromPerson}, o) }

// Trait is one thing that is known of a peer. A trait with a source and no value says that the peer has none any more.
type Trait struct {
	Value  string     `json:"value,omitempty"`
	Source Origin     `json:"source"`
	At     event.Time `json:"at,omitzero"` // when it was said
}

// take lets the trait become value, unless a stronger source or a newer word says otherwise. It reports whether it changed.
func (t *Trait) take(value string, from Origin, at event.Time) bool {
	if value == "" || from.rank() < t.Source.rank() || from == t.Source && (at.Before(t.At) || value == t.Value) {
		return false
	}
	*t = Trait{Value: value, Source: from, At: at}
	return true
}

// beats reports whether a contact takes t rather than u.
func (t Trait) beats(u Trait) bool {
	return t.Source.rank() > u.Source.rank() || t.Source == u.Source && t.At.After(u.At)
}

// Traits is what is known of a thread's peer, a person or a group.
type Traits struct {
	Name        Trait      `json:"name,omitzero"` // of a group: its subject
	Username    Trait      `json:"username,omitzero"`
	Phone       Trait      `json:"phone,omitzero"`
	Email       Trait      `json:"email,omitzero"`
	Avatar      Trait      `json:"avatar,omitzero"` // a URL of https
	Group       bool       `json:"group,omitempty"`
	Unreachable string     `json:"unreachable,omitempty"` // the peer blocked us, left, unfollowed, is gone, or wants no messages (OptedOut)
	ReachAt     event.Time `json:"reach_at,omitzero"`     // when that was said, or the contrary
	OptedInAt   event.Time `json:"opted_in_at,omitzero"`  // when they last took an opt-out back
}

// OptedOut is why a peer cannot be written to who wants no messages on the channel.
const OptedOut = "opted_out"

// Reach says whether the peer can be written to: an empty state says yes. Who has opted out stays so whatever else they do, until they
// opt in.
type Reach struct {
	State   string
	OptedIn bool
}

// Observed is what an event, or a person of the business, says about the peer of a thread.
type Observed struct {
	Profile *event.Profile
	Source  Origin   // of the profile; empty: the provider
	Card    string   // the phone number on the peer's own card
	Group   bool     // the peer is a group
	Left    []string // ids that are not the peer's any more
	Reach   *Reach
	At      event.Time
}

// observe takes over what was observed. It reports whether there was anything new in it.
func (t *Traits) observe(o Observed) (news bool) {
	note := func(changed bool) { news = news || changed }
	source := o.Source
	if source == "" {
		source = FromProvider
	}
	if number := strings.TrimPrefix(t.Phone.Value, "+"); slices.Contains(o.Left, number) && t.Phone.Source != FromPerson {
		t.Phone = Trait{Source: FromProvider, At: o.At}
		news = true
	}
	if p := o.Profile; p != nil {
		note(t.Name.take(p.Name, source, o.At))
		note(t.Username.take(p.Username, source, o.At))
		note(t.Phone.take(p.Phone, source, o.At))
		note(t.Email.take(p.Email, source, o.At))
		note(t.Avatar.take(picture(p.AvatarRef), source, o.At))
	}
	note(t.Phone.take(o.Card, FromCard, o.At))
	note(o.Group && !t.Group)
	t.Group = t.Group || o.Group
	if r := o.Reach; r != nil && !o.At.Before(t.ReachAt) && (r.State != t.Unreachable || t.ReachAt.IsZero()) && (t.Unreachable != OptedOut || r.OptedIn) {
		if t.Unreachable == OptedOut {
			t.OptedInAt = o.At
		}
		t.Unreachable, t.ReachAt, news = r.State, o.At, true
	}
	return news
}

// maxPicture is how many bytes a picture's URL may have.
const maxPicture = 2048

// picture is the URL of a picture that a browser can show on a page of https; empty for any other reference.
func picture(ref string) string {
	if !strings.HasPrefix(ref, "https://") || len(ref) > maxPicture {
		return ""
	}
	return ref
}

// absorb takes over what another thread of the same peer knows.
func (t *Traits) absorb(o Traits) (news bool) {
	for _, x := range []struct{ mine, other *Trait }{{&t.Name, &o.Name}, {&t.Username, &o.Username}, {&t.Phone, &o.Phone}, {&t.Email, &o.Email}, {&t.Avatar, &o.Avatar}} {
		news = x.mine.take(x.other.Value, x.other.Source, x.other.At) || news
	}
	return news
}

// observe changes the thread by what was observed of its peer; the contact has to be projected then.
func (t *Thread) observe(o Observed) bool {
	if !t.Traits.observe(o) {
		return false
	}
	t.UsernameKey, t.Unprojected = usernameKey(t.Traits.Username.Value), true
	return true
}

// usernameKey is a username as it is looked up: providers do not tell capital letters apart.
func usernameKey(username string) string { return strings.ToLower(username) }
