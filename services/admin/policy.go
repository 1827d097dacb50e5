package admin

import (
	"context"
	"slices"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// checkPolicy refuses a policy that is wrong in itself, or names what the tenant does not have. What the channel has already is left
// alone: an earlier version may have taken it, and what it names may have been deleted since, which counts as none. Neither must
// stand in the way of other changes.
func (s *server) checkPolicy(ctx context.Context, tenant string, old, in channel.Policy, bad *httpapi.Fields) error {
	before := old.Check()
	for _, e := range in.Check() {
		had := func(b *fault.Error) bool { return b.Pointer == e.Pointer && b.Detail == e.Detail }
		if !slices.ContainsFunc(before, had) {
			*bad = append(*bad, e)
		}
	}
	named := old.References()
	for _, r := range in.References() {
		if slices.Contains(named, r) {
			continue
		}
		err := httpapi.Named(s.find(ctx, tenant, r), r.Pointer, string(r.Kind), r.ID)
		if fault.Is(err, fault.Invalid) {
			*bad = append(*bad, fault.Of(err))
		} else if err != nil {
			return err
		}
	}
	return nil
}

// find returns an error of kind Gone if the tenant does not have what a policy names.
func (s *server) find(ctx context.Context, tenant string, r channel.Reference) (err error) {
	switch r.Kind {
	case channel.ToQueue:
		_, err = s.directory.Queue(ctx, tenant, r.ID)
	case channel.ToCalendar:
		_, err = s.directory.Calendar(ctx, tenant, r.ID)
	case channel.ToBot:
		_, err = s.directory.Bot(ctx, tenant, r.ID)
	case channel.ToBotCode:
		_, err = s.directory.BotByAccessCode(ctx, tenant, r.ID)
	}
	return err
}
