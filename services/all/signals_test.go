package all_test

import (
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/services/all"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// A channel type claims only what is sent to it: a signal that the inbox never sends is dead code in the adapter and a false promise in
// GET /v1/channel-types.
func TestEveryClaimedSignalIsSent(t *testing.T) {
	t.Parallel()
	for _, a := range all.Adapters() {
		for _, s := range a.Info().Send.Signals {
			if !slices.Contains(record.Signals, s) {
				t.Errorf("%s claims the signal %q, which the inbox never sends", a.Info().Title, s)
			}
		}
	}
}

// The same for actions: what a channel type says that it can do to messages is what the inbox asks of it.
func TestEveryClaimedActionIsSent(t *testing.T) {
	t.Parallel()
	for _, a := range all.Adapters() {
		sets := []channel.SendRules{a.Info().Send}
		if comments := a.Info().Comments; comments != nil {
			sets = append(sets, *comments)
		}
		for _, set := range sets {
			for kind := range set.Actions {
				if !slices.Contains(record.Actions, kind) {
					t.Errorf("%s claims the action %q, which the inbox never sends", a.Info().Title, kind)
				}
			}
		}
	}
}
