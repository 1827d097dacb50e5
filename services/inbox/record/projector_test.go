package record

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

var day = event.At(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))

func TestATraitIsTheStrongestSourcesNewestWord(t *testing.T) {
	t.Parallel()
	type word struct {
		value string
		from  Origin
		after time.Duration
	}
	for name, c := range map[string]struct {
		words []word
		want  string
	}{
		"the newest of one source":            {[]word{{"a", FromProvider, 0}, {"b", FromProvider, time.Hour}}, "b"},
		"an older word that comes later":      {[]word{{"b", FromProvider, time.Hour}, {"a", FromProvider, 0}}, "b"},
		"nothing said takes nothing away":     {[]word{{"a", FromProvider, 0}, {"", FromProvider, time.Hour}}, "a"},
		"a provider knows better than a card": {[]word{{"card", FromCard, time.Hour}, {"a", FromProvider, 0}}, "a"},
		"a card does not correct a provider":  {[]word{{"a", FromProvider, 0}, {"card", FromCard, time.Hour}}, "a"},
		"a person's word stays":               {[]word{{"p", FromPerson, 0}, {"a", FromProvider, time.Hour}, {"card", FromCard, time.Hour}}, "p"},
		"a person corrects a provider":        {[]word{{"a", FromProvider, time.Hour}, {"p", FromPerson, 0}}, "p"},
	} {
		var x Trait
		for _, w := range c.words {
			x.take(w.value, w.from, day.Add(w.after))
		}
		if x.Value != c.want {
			t.Errorf("%s: got %q, want %q", name, x.Value, c.want)
		}
	}
}

func TestWhatIsObservedOfAPeer(t *testing.T) {
	t.Parallel()
	said := func(name, phone string) *event.Profile { return &event.Profile{Name: name, Phone: phone} }
	for name, c := range map[string]struct {
		seen []Observed
		want Traits
	}{
		"a number that is somebody else's now": {
			[]Observed{{Profile: said("Mo", "+491"), At: day}, {Left: []string{"491"}, At: day.Add(1e9)}},
			Traits{Name: Trait{"Mo", FromProvider, day}, Phone: Trait{"", FromProvider, day.Add(1e9)}},
		},
		"a number that was changed": {
			[]Observed{{Profile: said("", "+491"), At: day}, {Left: []string{"491"}, Profile: said("", "+492"), At: day.Add(1e9)}},
			Traits{Phone: Trait{"+492", FromProvider, day.Add(1e9)}},
		},
		"a number that a person gave is theirs": {
			[]Observed{{Profile: said("", "+491"), Source: FromPerson, At: day}, {Left: []string{"491"}, At: day.Add(1e9)}},
			Traits{Phone: Trait{"+491", FromPerson, day}},
		},
		"the number on one's own card": {
			[]Observed{{Card: "+491", At: day}}, Traits{Phone: Trait{"+491", FromCard, day}},
		},
		"blocked, and writing again": {
			[]Observed{{Reach: &Reach{State: "blocked"}, At: day.Add(1e9)}, {Reach: &Reach{}, At: day.Add(2e9)}}, Traits{ReachAt: day.Add(2e9)},
		},
		"pictures: of https alone": {
			[]Observed{
				{Profile: &event.Profile{AvatarRef: "https://pictures.example/1"}, At: day},
				{Profile: &event.Profile{AvatarRef: "http://pictures.example/2"}, At: day.Add(1e9)},
				{Profile: &event.Profile{AvatarRef: "file-id-3"}, At: day.Add(2e9)},
				{Profile: &event.Profile{AvatarRef: "https://pictures.example/" + strings.Repeat("x", maxPicture)}, At: day.Add(3e9)},
			}, Traits{Avatar: Trait{"https://pictures.example/1", FromProvider, day}},
		},
		"a message from before the block": {
			[]Observed{{Reach: &Reach{State: "blocked"}, At: day.Add(1e9)}, {Reach: &Reach{}, At: day}},
			Traits{Unreachable: "blocked", ReachAt: day.Add(1e9)},
		},
	} {
		var got Traits
		for _, o := range c.seen {
			got.observe(o)
		}
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		if again := got; again.observe(c.seen[len(c.seen)-1]) || again != got {
			t.Errorf("%s: a repeat is news", name)
		}
	}
}

func TestAContactIsProjectedFromItsThreads(t *testing.T) {
	t.Parallel()
	old := &Thread{Peer: "491", Traits: Traits{Name: Trait{"Mo", FromProvider, day}, Phone: Trait{"+491", FromProvider, day}}}
	old.ID = "thr_1"
	newer := &Thread{Peer: "803", Traits: Traits{Name: Trait{"Mo K.", FromProvider, day.Add(1e9)}, Username: Trait{"mo", FromProvider, day}, Unreachable: "blocked", ReachAt: day}}
	newer.ID = "thr_2"
	c := &Contact{Projected: true, Identities: []Identity{{ThreadID: "thr_1"}, {ThreadID: "thr_2"}}}
	if !c.project([]*Thread{old, newer}) || c.Name != "Mo K." || c.Phone != "+491" || c.Identities[0].Phone != "+491" ||
		c.Identities[1].Username != "mo" || c.Identities[1].Unreachable != "blocked" || c.Identities[0].Unreachable != "" {
		t.Errorf("got %+v", c)
	}
	if c.project([]*Thread{old, newer}) {
		t.Error("projected again it has changed")
	}
	newer.Traits.Avatar = Trait{"https://pictures.example/1", FromProvider, day}
	if c.project([]*Thread{old, newer}); c.AvatarURL != "https://pictures.example/1" {
		t.Errorf("the picture is %q", c.AvatarURL)
	}
	c.Name, c.Phone, c.AvatarURL = "Dr Mo", "", "https://ours.example/mo"
	c.mark(FieldName, FieldPhone, FieldAvatar)
	old.Traits.Phone = Trait{"+492", FromProvider, day.Add(1e9)}
	newer.Traits.Avatar = Trait{"https://pictures.example/2", FromProvider, day.Add(1e9)}
	if c.project([]*Thread{old, newer}); c.Name != "Dr Mo" || c.Phone != "" || c.AvatarURL != "https://ours.example/mo" || c.Identities[0].Phone != "+492" {
		t.Errorf("what a person has set, or emptied, was overwritten: %+v", c)
	}
	if (&Contact{Projected: true, Identities: []Identity{{Username: "zed.z", Peer: "EG.1"}}}).Display() != "@zed.z" {
		t.Error("who has only a username is not shown by it")
	}
}

// Contacts and threads of the first versions have no traits, and no marks of who set what.
func TestContactsOfEarlierVersionsAreRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		contact, thread   string
		said              Observed
		shown, phone      string
		edited            []string
		unreachable       string
		unchangedIfSilent bool
	}{
		"a provider's number follows a change": {
			`{"_id":"c","name":"Mo","phone":"+491","identities":[{"peer":"491","thread_id":"t"}]}`, `{"_id":"t","peer":"491","aliases":["491"],"profile":"hash"}`,
			Observed{Profile: &event.Profile{Name: "Mo", Phone: "+492"}, At: day}, "Mo", "+492", nil, "", true,
		},
		"a person's number stays": {
			`{"_id":"c","name":"Mo","phone":"+49 30 1","identities":[{"peer":"491","thread_id":"t"}]}`, `{"_id":"t","peer":"491","aliases":["491"]}`,
			Observed{Profile: &event.Profile{Name: "Mo K.", Phone: "+491"}, At: day}, "Mo K.", "+49 30 1", []string{FieldPhone}, "", true,
		},
		"a name that a person gave stays": {
			`{"_id":"c","name":"Dr Mo","named":true,"email":"mo@x.example","identities":[{"peer":"491","thread_id":"t"}]}`, `{"_id":"t","peer":"491"}`,
			Observed{Profile: &event.Profile{Name: "mo"}, At: day}, "Dr Mo", "", []string{FieldEmail, FieldName}, "", true,
		},
		"a group is no longer its last writer": {
			`{"_id":"c","name":"Ben","phone":"+492","identities":[{"peer":"GRP","thread_id":"t"}]}`, `{"_id":"t","peer":"GRP","aliases":["GRP"]}`,
			Observed{Group: true, At: day}, "GRP", "", nil, "", false,
		},
		"a block is known": {
			`{"_id":"c","name":"Mo","unreachable":"blocked","identities":[{"peer":"803","thread_id":"t"}]}`, `{"_id":"t","peer":"803"}`,
			Observed{Profile: &event.Profile{Username: "mo"}, At: day}, "Mo", "", nil, "blocked", true,
		},
	} {
		contact, thread := &Contact{}, &Thread{}
		for v, text := range map[any]string{contact: c.contact, thread: c.thread} {
			if err := json.Unmarshal([]byte(text), v); err != nil {
				t.Fatal(err)
			}
		}
		was := contact.Display() + contact.Phone
		thread.observe(Observed{Profile: &event.Profile{}, Group: c.said.Group, At: day})
		if contact.project([]*Thread{thread}); c.unchangedIfSilent && contact.Display()+contact.Phone != was {
			t.Errorf("%s: a thread that says nothing made it %s %s", name, contact.Display(), contact.Phone)
		}
		thread.observe(c.said)
		contact.project([]*Thread{thread})
		if contact.Display() != c.shown || contact.Phone != c.phone || !slices.Equal(contact.Edited, c.edited) || contact.Identities[0].Unreachable != c.unreachable {
			t.Errorf("%s: got %s, %s, edited %v, %+v", name, contact.Display(), contact.Phone, contact.Edited, contact.Identities[0])
		}
	}
}
