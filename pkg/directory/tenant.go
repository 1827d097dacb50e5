package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Tenant returns a tenant with its settings.
func (d *Directory) Tenant(ctx context.Context, id string) (Tenant, error) {
	return d.tenants.find(ctx, id)
}

// Unit returns an organization unit.
func (d *Directory) Unit(ctx context.Context, tenant, id string) (Unit, error) {
	u, err := d.units.find(ctx, id)
	if err == nil && u.Tenant != tenant {
		return Unit{}, errGone
	}
	return u, err
}

// UnitsBelow returns the ids of an organization unit and of all units below it.
func (d *Directory) UnitsBelow(ctx context.Context, tenant, id string) ([]string, error) {
	ids := []string{id}
	q := store.Query{Where: []store.Eq{{Field: "tenant", Value: tenant}}, Order: "name", Limit: store.MaxLimit}
	for {
		page, err := d.db.Query(ctx, Units.Name, q)
		if err != nil {
			return nil, fmt.Errorf("organization units of %s: %w", tenant, err)
		}
		for _, raw := range page.Docs {
			u, err := d.Unit(ctx, tenant, raw.ID)
			if err != nil && !errors.Is(err, errGone) {
				return nil, err
			}
			if err == nil && raw.ID != id && slices.Contains(u.Path, id) {
				ids = append(ids, raw.ID)
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return ids, nil
		}
	}
}

// Agent returns what is known of an agent; the name is its user's.
func (d *Directory) Agent(ctx context.Context, tenant, id string) (Named, error) {
	u, err := d.User(ctx, tenant, UserOf(id))
	if err != nil {
		return Named{}, err
	}
	a, err := d.agents.find(ctx, id)
	if err != nil && !errors.Is(err, errGone) {
		return Named{}, err
	}
	a.ID, a.Tenant, a.Name, a.OUID = id, tenant, u.Name, u.OUID
	return a, nil
}

// Queue returns a queue.
func (d *Directory) Queue(ctx context.Context, tenant, id string) (Named, error) {
	return namedOf(tenant)(d.queues.find(ctx, id))
}

// Calendar returns a calendar.
func (d *Directory) Calendar(ctx context.Context, tenant, id string) (Named, error) {
	return namedOf(tenant)(d.calendars.find(ctx, id))
}

// BotByAccessCode returns the bot of the tenant with an access code.
func (d *Directory) BotByAccessCode(ctx context.Context, tenant, code string) (Named, error) {
	where := []store.Eq{{Field: "tenant", Value: tenant}, {Field: "access_code", Value: code}}
	page, err := d.db.Query(ctx, Bots.Name, store.Query{Where: where, Limit: 1})
	if err != nil {
		return Named{}, &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
	}
	if len(page.Docs) == 0 {
		return Named{}, errGone
	}
	return d.Bot(ctx, tenant, page.Docs[0].ID)
}

// Bot returns a bot.
func (d *Directory) Bot(ctx context.Context, tenant, id string) (Named, error) {
	return namedOf(tenant)(d.bots.find(ctx, id))
}

func within(tenant string) func(User, error) (User, error) {
	return func(u User, err error) (User, error) {
		if err == nil && u.Tenant != tenant {
			return User{}, errGone
		}
		return u, err
	}
}

func namedOf(tenant string) func(Named, error) (Named, error) {
	return func(n Named, err error) (Named, error) {
		if err == nil && n.Tenant != tenant {
			return Named{}, errGone
		}
		return n, err
	}
}
