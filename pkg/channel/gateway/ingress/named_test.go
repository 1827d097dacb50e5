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
