package profile

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// Who is shown by which event, and what is said of them.
func TestWhoIsLookedUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   event.Inbound
		want []string
	}{
		"a person who writes":     {wrote("ann", ""), []string{"ch_a|ann  N of /who/ann/ https://pictures.example/1"}},
		"a member of a group":     {wrote("grp", "ann"), []string{"ch_a|grp  N of /who/grp/ https://pictures.example/1", "ch_a|grp ann N of /who/grp/ann https://pictures.example/1"}},
		"a person who follows":    {member("ann", "followed", ""), []string{"ch_a|ann  N of /who/ann/ https://pictures.example/1"}},
		"a person who unblocks":   {member("ann", "unblocked", ""), []string{"ch_a|ann  N of /who/ann/ https://pictures.example/1"}},
		"the account joins":       {member("grp", "joined", ""), []string{"ch_a|grp  N of /who/grp/ https://pictures.example/1"}},
		"a person who blocks":     {member("ann", "blocked", ""), nil},
		"a member who leaves":     {member("grp", "left", "ann"), nil},
		"whom the type cannot":    {wrote("nobody", ""), nil},
		"an echo":                 {event.Inbound{Type: event.MessageEchoed, Peer: "ann"}, nil},
		"news about the account":  {event.Inbound{Type: event.AccountChanged}, nil},
		"typing":                  {event.Inbound{Type: event.ContactTyping, Peer: "ann"}, nil},
		"a membership without it": {event.Inbound{Type: event.ContactMembership, Peer: "ann"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, named)
			w := o.replica(true)
			w.Note(o.ch.Channel, c.in)
			o.idle(w)
			same(t, "told", o.told(), c.want)
			for _, a := range o.auth {
				if a != "Bearer "+gatewaytest.APIToken+"ch_a" {
					t.Errorf("authorization %q", a)
				}
			}
		})
	}
}

// One call for a person, however many events and replicas show them, until the answer is a day old; 6 hours if there was none.
func TestAPersonIsAskedForOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		fresh  time.Duration
	}{"found": {200, 24 * time.Hour}, "not found": {404, 6 * time.Hour}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(path string, n int) (int, string, string) {
				_, body, _ := named(path, n)
				return c.status, body, ""
			})
			a, b := o.replica(true), o.replica(true)
			for range 20 {
				for _, w := range []*Worker{a, b} {
					w.Note(o.ch.Channel, wrote("ann", ""))
				}
			}
			o.idle(a, b)
			again := o.replica(true) // it was killed and started again: it remembers nothing itself
			again.Note(o.ch.Channel, wrote("ann", ""))
			o.idle(again)
			same(t, "calls", o.made(), []string{"/who/ann/"})
			o.pass(c.fresh - time.Minute)
			a.Note(o.ch.Channel, wrote("ann", ""))
			o.idle(a)
			if until, ok := a.asked.Get(person{tenant: "acme", channelID: "ch_a", who: channel.Who{Peer: "ann"}}.key()); ok && until.Sub(o.now()) > time.Hour {
				t.Errorf("remembered for another %s", until.Sub(o.now()))
			}
			same(t, "calls before it is old", o.made(), []string{"/who/ann/"})
		})
	}
}

// Without Redis each process remembers for itself, for the same times.
func TestAnOldAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, named)
	w := o.replica(false)
	for _, step := range []struct {
		pass time.Duration
		want int
	}{{0, 1}, {23 * time.Hour, 1}, {2 * time.Hour, 2}} {
		o.pass(step.pass)
		w.Note(o.ch.Channel, wrote("ann", ""))
		o.idle(w)
		if n := len(o.made()); n != step.want {
			t.Errorf("%d calls after %s more, want %d", n, step.pass, step.want)
		}
	}
}

// What a provider refuses for now is asked for again, a few times; then the person's next event asks.
func TestAProviderThatIsAwayIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []int // the last one for ever
		after   string
		calls   int
		found   bool
	}{
		"after one failure":      {[]int{500, 200}, "", 2, true},
		"never":                  {[]int{503}, "", maxTries, false},
		"throttled many times":   {[]int{429, 429, 429, 429, 429, 200}, "", 6, true},
		"throttled for a moment": {[]int{429, 200}, "0.01", 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(path string, n int) (int, string, string) {
				status := c.answers[min(n, len(c.answers))-1]
				_, body, _ := named(path, n)
				return status, body, c.after
			})
			w := o.replica(true)
			w.Note(o.ch.Channel, wrote("ann", ""))
			o.idle(w)
			if n := len(o.made()); n != c.calls || len(o.told()) > 0 != c.found {
				t.Errorf("%d calls, told %q", n, o.told())
			}
			if w.Note(o.ch.Channel, wrote("ann", "")); !c.found {
				o.idle(w)
				if n := len(o.made()); n != 2*c.calls {
					t.Errorf("%d calls after the next event, want %d: it must be asked again", n, 2*c.calls)
				}
			}
		})
	}
}

// Credentials that the provider refuses end the look-ups of that channel alone, until it changes.
func TestRefusedCredentialsRestUntilTheChannelChanges(t *testing.T) {
	t.Parallel()
	var sound sync.Map
	o := newOffice(t, nil)
	o.answer = func(path string, n int) (int, string, string) {
		if _, ok := sound.Load("yes"); !ok && !strings.HasPrefix(path, "/who/b") {
			return 401, "", ""
		}
		return named(path, n)
	}
	w := o.replica(true)
	for _, peer := range []string{"ann", "cat", "dan"} {
		w.Note(o.ch.Channel, wrote(peer, ""))
	}
	o.idle(w)
	same(t, "calls", o.made(), []string{"/who/ann/"})
	other := o.ch
	other.ID = "ch_b"
	w.Note(other.Channel, wrote("bea", ""))
	o.idle(w)
	same(t, "another channel", o.told(), []string{"ch_b|bea  N of /who/bea/ https://pictures.example/1"})
	sound.Store("yes", true)
	w.Note(o.ch.Channel, wrote("ann", ""))
	o.idle(w)
	if n := len(o.made()); n != 2 {
		t.Errorf("%d calls, want no further one before the channel changes", n)
	}
	changed := o.ch
	changed.Version++
	o.channels.Put(changed)
	w.Note(o.ch.Channel, wrote("ann", ""))
	o.idle(w)
	if n := len(o.made()); n != 3 {
		t.Errorf("%d calls, want one more after the change", n)
	}
}

// A channel's budget, a provider that is away, and a channel that is gone hold up nobody else, and never who notes an event.
func TestALineIsBoundedAndHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	stuck := make(chan struct{})
	release := sync.OnceFunc(func() { close(stuck) })
	defer release()
	o := newOffice(t, nil)
	o.answer = func(path string, n int) (int, string, string) {
		if strings.HasPrefix(path, "/who/a") {
			<-stuck
		}
		return named(path, n)
	}
	w := o.replica(true)
	for i := range 3 * lineLength {
		w.Note(o.ch.Channel, wrote("a"+strconv.Itoa(i), ""))
	}
	other := o.ch
	other.ID = "ch_b"
	w.Note(other.Channel, wrote("bea", ""))
	storetest.Eventually(t, "the other channel's person is found", func() bool { return len(o.told()) == 1 })
	w.mu.Lock()
	waiting, line := w.waiting, len(w.lines["ch_a"].people)
	w.mu.Unlock()
	if line > lineLength || waiting > lineLength {
		t.Errorf("%d wait at the channel, %d in all", line, waiting)
	}
	gone := o.ch
	gone.ID = "ch_gone"
	w.Note(gone.Channel, wrote("x", ""))
	release()
	o.idle(w)
	if n := len(o.told()); n > lineLength+3 || n < lineLength {
		t.Errorf("%d were told", n)
	}
}

// The provider is asked no faster than the type allows, over all replicas.
func TestALookUpTakesOfTheChannelsBudget(t *testing.T) {
	t.Parallel()
	o := newOffice(t, named)
	o.rate = channel.Rate{Per: "channel", N: 1, Every: channel.Duration(time.Hour), Burst: 1}
	for name, shared := range map[string]bool{"with Redis": true, "each for itself": false} {
		a, b := o.replica(shared), o.replica(shared)
		if ok, _ := a.paceOf(name).limits.Take(t.Context()); !ok {
			t.Errorf("%s: the first call is refused", name)
		}
		if ok, wait := a.paceOf(name).limits.Take(t.Context()); ok || wait <= 0 {
			t.Errorf("%s: the second call is allowed", name)
		}
		if ok, _ := b.paceOf(name).limits.Take(t.Context()); ok == shared {
			t.Errorf("%s: the other replica's first call: %v", name, ok)
		}
		if ok, _ := a.paceOf("another channel " + name).limits.Take(t.Context()); !ok {
			t.Errorf("%s: another channel is refused", name)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if a.spend(ctx, &pace{limits: empty(cancel)}) {
			t.Errorf("%s: a call without a budget", name)
		}
	}
}

// empty is a budget that has nothing left; whoever asks is told that the process stops.
type empty context.CancelFunc

func (e empty) Take(context.Context) (bool, time.Duration) {
	e()
	return false, time.Hour
}

// While one replica asks, another does not.
func TestReplicasDoNotAskAtOnce(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	o := newOffice(t, nil)
	o.answer = func(path string, n int) (int, string, string) {
		if n == 1 {
			close(asked)
			<-answer
		}
		return named(path, n)
	}
	a, b := o.replica(true), o.replica(true)
	a.Note(o.ch.Channel, wrote("ann", ""))
	<-asked
	b.Note(o.ch.Channel, wrote("ann", ""))
	o.idle(b)
	close(answer)
	o.idle(a)
	same(t, "calls", o.made(), []string{"/who/ann/"})
	if until, ok := b.asked.Get(person{tenant: "acme", channelID: "ch_a", who: channel.Who{Peer: "ann"}}.key()); !ok || until.Sub(o.now()) > time.Minute {
		t.Errorf("the other replica believes for %s that somebody asks", until.Sub(o.now()))
	}
}

// What a provider answers fits into a contact, and a picture is one of https.
func TestAnAnswerIsBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"a picture of http":       {`{"name":"Ann","avatar_ref":"http://pictures.example/1"}`, []string{"ch_a|ann  Ann "}},
		"a script":                {`{"name":"Ann","avatar_ref":"javascript:alert(1)"}`, []string{"ch_a|ann  Ann "}},
		"with a password":         {`{"name":"Ann","avatar_ref":"https://u:p@pictures.example/1"}`, []string{"ch_a|ann  Ann "}},
		"a long URL":              {`{"name":"Ann","avatar_ref":"https://pictures.example/` + strings.Repeat("x", maxURL) + `"}`, []string{"ch_a|ann  Ann "}},
		"a long name":             {`{"name":"` + strings.Repeat("ü", 10_000) + `"}`, []string{"ch_a|ann  " + strings.Repeat("ü", maxName) + " "}},
		"blanks":                  {`{"name":"  Ann \n"}`, []string{"ch_a|ann  Ann "}},
		"nothing":                 {`{}`, nil},
		"no JSON":                 {`<html>`, nil},
		"a secret of the channel": {`{"name":"` + gatewaytest.APIToken + `ch_a"}`, []string{"ch_a|ann  [secret] "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(string, int) (int, string, string) { return 200, c.body, "" })
			w := o.replica(true)
			w.Note(o.ch.Channel, wrote("ann", ""))
			o.idle(w)
			same(t, "told", o.told(), c.want)
		})
	}
}

// What Kafka did not take is not remembered as told.
func TestWhatWasNotToldIsAskedForAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t, named)
	o.said.Fail(func([]event.Record) error { return errors.New("away") })
	w := o.replica(true)
	w.Note(o.ch.Channel, wrote("ann", ""))
	o.idle(w)
	o.said.Fail(nil)
	w.Note(o.ch.Channel, wrote("ann", ""))
	o.idle(w)
	same(t, "told", o.told(), []string{"ch_a|ann  N of /who/ann/ https://pictures.example/1"})
}
