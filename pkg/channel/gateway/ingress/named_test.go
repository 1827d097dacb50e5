package ingress

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/event"
)

// What a call names costs a bounded number of look-ups until a channel proves the call, and whatever stands around the name of a
// channel that is known, it is found.
func TestNamesThatSomebodyMadeUpStarveNoChannel(t *testing.T) {
	t.Parallel()
	madeUp := func(n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprint("acct_made_up_", i))
		}
		return names
	}
	known, fresh := "acct_ch_a", "acct_ch_b"
	for name, c := range map[string]struct {
		names   []string
		hushed  []string // channels that nothing was heard of yet
		by      string   // whose secret signs the call
		want    []string // the channels that take it
		guesses int      // look-ups of what nothing was heard of, at most
	}{
		"a stranger's":                             {madeUp(5000), nil, "ch_stranger", nil, maxUnheard},
		"a stranger's that names a channel":        {append(madeUp(900), known), nil, "ch_stranger", nil, maxUnheard},
		"a known channel behind many made up":      {append(madeUp(channel.MaxNamed-1), known), nil, "ch_a", []string{"ch_a"}, channel.MaxNamed},
		"a known channel in front of them":         {append([]string{known}, madeUp(100)...), nil, "ch_a", []string{"ch_a"}, 100},
		"beyond what a call may name":              {append(madeUp(channel.MaxNamed), known), nil, "ch_a", nil, maxUnheard},
		"a new channel beside few others":          {append(madeUp(maxUnheard-1), fresh), []string{fresh}, "ch_b", []string{"ch_b"}, maxUnheard},
		"a new channel beside one that proves it":  {append(madeUp(100), fresh, known), []string{fresh}, "both", []string{"ch_a", "ch_b"}, 101},
		"the same name again and again":            {slices.Repeat([]string{known}, 500), nil, "ch_a", []string{"ch_a"}, 0},
		"two known channels, of which one is ours": {[]string{fresh, known}, nil, "ch_a", []string{"ch_a"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			signer := gatewaytest.Channel(event.Telegram, c.by, "acme", "")
			if c.by == "both" { // channels of one app have its secret
				for _, id := range []string{"ch_a", "ch_b"} {
					ch := gatewaytest.Channel(event.Telegram, id, "acme", "")
					ch.Secrets["secret"] = signer.Secrets["secret"]
					r.channels.Put(ch)
				}
			}
			for _, value := range c.hushed {
				r.channels.Hush(value)
			}
			w := r.post("/webhooks/telegram", signer, body(t, map[string]any{"account": c.names, "events": []event.Inbound{message("m1", "hi")}}))
			if want := len(c.want) > 0; (w.Code == 200) != want {
				t.Errorf("answered %d", w.Code)
			}
			var got []string
			for _, rec := range r.bus.Topic(event.TopicWebhooks) {
				got = append(got, rec.Subject)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("taken by %v, want %v", got, c.want)
			}
			if n := r.channels.Guesses(); n > c.guesses {
				t.Errorf("%d look-ups of what nothing was heard of, want at most %d", n, c.guesses)
			}
		})
	}
}

// An app that has one URL for all of its accounts may have that of one of the channels: what is for the others reaches them, each proved by
// its own secret.
func TestTheURLOfOneChannelTakesWhatIsForOthersOfItsApp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		names   []string
		of      map[string]string // event → the channel that it is for
		foreign []string          // channels of another app
		want    []string          // channel and event
		guesses int
	}{
		"all its own":         {[]string{"acct_ch_a"}, map[string]string{"1": "ch_a"}, nil, []string{"ch_a 1"}, 0},
		"one of another":      {[]string{"acct_ch_b"}, map[string]string{"1": "ch_b"}, nil, []string{"ch_b 1"}, 0},
		"several of several":  {[]string{"acct_ch_a", "acct_ch_b", "acct_ch_x"}, map[string]string{"1": "ch_a", "2": "ch_b", "3": "ch_x"}, nil, []string{"ch_a 1", "ch_b 2", "ch_x 3"}, 0},
		"a foreign app's":     {[]string{"acct_ch_a", "acct_ch_b"}, map[string]string{"1": "ch_a", "2": "ch_b"}, []string{"ch_b"}, []string{"ch_a 1"}, 0},
		"one that is off":     {[]string{"acct_ch_off"}, map[string]string{"1": "ch_off"}, nil, nil, 0},
		"one that is unknown": {[]string{"acct_ch_none"}, map[string]string{"1": "ch_none"}, nil, nil, 1},
		"no name of its own":  {nil, map[string]string{"1": "ch_b"}, nil, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			for _, id := range []string{"ch_b", "ch_x", "ch_off"} {
				ch := gatewaytest.Channel(event.Telegram, id, "acme", "")
				if ch.Enabled = id != "ch_off"; !slices.Contains(c.foreign, id) {
					ch.Secrets["secret"] = r.ch.Secrets["secret"]
				}
				r.channels.Put(ch)
			}
			var es []event.Inbound
			for ref, of := range c.of {
				e := message(ref, "hi")
				e.ChannelID = of
				es = append(es, e)
			}
			w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, map[string]any{"account": c.names, "events": es}))
			if w.Code != 200 {
				t.Errorf("answered %d", w.Code)
			}
			var got []string
			for _, rec := range r.bus.Topic(event.TopicInbound) {
				in, err := event.Decode[event.Inbound](rec)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, in.ChannelID+" "+in.Ref)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("taken %v, want %v", got, c.want)
			}
			for _, rec := range r.bus.Topic(event.TopicWebhooks) {
				if j, _ := event.Decode[event.Webhook](rec); j.Dropped["forged"] != 0 {
					t.Errorf("the journal of %s tells of a forgery", j.ChannelID)
				}
			}
			if n := r.channels.Guesses(); n != c.guesses {
				t.Errorf("%d look-ups of what nothing was heard of, want %d", n, c.guesses)
			}
		})
	}
}
