package dispatch

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestALimitHoldsWhatItsScopeNames(t *testing.T) {
	t.Parallel()
	now := time.Now()
	type refusal struct {
		key   string
		scope fault.Scope
		after time.Duration // since the beginning
	}
	const span = time.Minute // of every refusal
	for name, c := range map[string]struct {
		refusals []refusal
		held     bool
	}{
		"a recipient's":                       {[]refusal{{"ann", fault.ScopePeer, 0}, {"bob", fault.ScopePeer, 0}}, false},
		"the channel's":                       {[]refusal{{"ann", fault.ScopeChannel, 0}}, true},
		"the account's":                       {[]refusal{{"ann", fault.ScopeAccount, 0}}, true},
		"unknown, one recipient":              {[]refusal{{"ann", "", 0}}, false},
		"unknown, one recipient again":        {[]refusal{{"ann", "", 0}, {"ann", "", time.Second}}, false},
		"unknown, two recipients":             {[]refusal{{"ann", "", 0}, {"bob", "", time.Second}}, true},
		"unknown, another when it is over":    {[]refusal{{"ann", "", 0}, {"bob", "", span}}, false},
		"unknown, and another's known as own": {[]refusal{{"ann", "", 0}, {"bob", fault.ScopePeer, time.Second}}, false},
	} {
		var h hold
		for _, r := range c.refusals {
			at := now.Add(r.after)
			h.refuse(r.key, r.scope, at.Add(span), at)
		}
		last := now.Add(c.refusals[len(c.refusals)-1].after)
		if held := h.left(last) > 0; held != c.held || held != h.probe {
			t.Errorf("%s: held %v for %s, probe %v", name, held, h.left(last), h.probe)
		}
	}
}
