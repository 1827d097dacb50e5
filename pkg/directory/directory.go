// Package directory is the read side of a tenant's configuration: channels, keys, users, settings. It caches, and follows the
// topic of configuration changes so that no replica uses a value older than one it has heard of.
package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Directory answers what is configured. All methods return an error of kind Gone for what is not there, and of kind
// Unavailable when it could not be found out.
type Directory struct {
	db     store.DB
	bus    bus.Bus
	sealer *auth.Sealer
	now    func() time.Time
	holds  holds

	channels  *table[opened]
	claims    *table[string]
	secrets   *table[string]
	keys      *table[auth.Key]
	users     *table[User]
	tenants   *table[Tenant]
	units     *table[Unit]
	agents    *table[Named]
	queues    *table[Named]
	calendars *table[Named]
	bots      *table[Named]
	types     *table[channel.Info]

	heard heard

	mu       sync.Mutex
	watchers []func(event.Config)
}

// New returns a Directory over the collections of admin and routing.
func New(db store.DB, b bus.Bus, sealer *auth.Sealer, now func() time.Time) *Directory {
	d := &Directory{db: db, bus: b, sealer: sealer, heard: heard{more: make(chan struct{}, 1)}, now: now, holds: holds{byID: map[string]map[*hold]struct{}{}}}
	d.channels = newTable(now, d.loadChannel)
	d.claims = newTable(now, func(ctx context.Context, id string) (string, int64, error) {
		c, err := read[Claim](ctx, db, Claims.Name, id)
		return c.ChannelID, 0, err
	})
	d.secrets = newTable(now, d.loadSecret)
	d.keys = newTable(now, d.loadKey)
	d.users = newTable(now, func(ctx context.Context, id string) (User, int64, error) {
		u, err := read[User](ctx, db, Users.Name, id)
		return u, u.Version, err
	})
	d.tenants = newTable(now, func(ctx context.Context, id string) (Tenant, int64, error) {
		t, err := read[Tenant](ctx, db, Tenants.Name, id)
		return t, t.Version, err
	})
	d.units = newTable(now, func(ctx context.Context, id string) (Unit, int64, error) {
		u, err := read[Unit](ctx, db, Units.Name, id)
		return u, u.Version, err
	})
	named := func(collection string) *table[Named] {
		return newTable(now, func(ctx context.Context, id string) (Named, int64, error) {
			n, err := read[Named](ctx, db, collection, id)
			if err == nil && n.Deleted {
				err = errGone
			}
			return n, 0, err
		})
	}
	d.types = newTable(now, d.loadType)
	d.agents, d.queues, d.calendars, d.bots = named(Agents.Name), named(Queues.Name), named(Calendars.Name), named(Bots.Name)
	return d
}

func read[T any](ctx context.Context, db store.DB, collection, id string) (v T, err error) {
	raws, err := db.Get(ctx, collection, id)
	if err != nil {
		return v, fmt.Errorf("%s %s: %w", collection, id, err)
	}
	if len(raws) == 0 || raws[0].JSON == nil {
		return v, errGone
	}
	if err := json.Unmarshal(raws[0].JSON, &v); err != nil {
		return v, fmt.Errorf("%s %s: %w", collection, id, err)
	}
	return v, nil
}

func (d *Directory) loadKey(ctx context.Context, id string) (auth.Key, int64, error) {
	doc, err := read[APIKey](ctx, d.db, APIKeys.Name, "key_"+id)
	if err == nil && doc.Revoked {
		err = errGone
	}
	return auth.Key{ID: id, Tenant: doc.Tenant, Name: doc.Name, Hash: doc.Hash, Scopes: doc.Scopes, OUID: doc.OUID, ExpiresAt: doc.KeyEnds.Time}, doc.Version, err
}

// Watch calls f for every change that is heard of. f must return at once.
func (d *Directory) Watch(f func(event.Config)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers = append(d.watchers, f)
}

// Changed notes a change: from the topic, or by whoever made it in this process.
func (d *Directory) Changed(c event.Config) {
	switch c.Entity {
	case EntityChannel:
		d.channels.changed(c.ID, c.Version)
		d.heard.note(c.ID)
	case EntityAPIKey:
		d.keys.changed(strings.TrimPrefix(c.ID, "key_"), c.Version)
	case EntityUser:
		d.users.changed(c.ID, c.Version)
	case EntityTenant:
		d.tenants.changed(c.ID, c.Version)
	case EntityUnit:
		d.units.changed(c.ID, c.Version)
	case EntityAgent:
		d.agents.changed(c.ID, c.Version)
	case EntityQueue:
		d.queues.changed(c.ID, c.Version)
	case EntityCalendar:
		d.calendars.changed(c.ID, c.Version)
	case EntityBot:
		d.bots.changed(c.ID, c.Version)
	}
	d.holds.changed(c)
	d.mu.Lock()
	ws := d.watchers
	d.mu.Unlock()
	for _, w := range ws {
		w(c)
	}
}

// Channel returns a channel with its secrets.
func (d *Directory) Channel(ctx context.Context, id string) (channel.Keyed, error) {
	c, err := d.channels.find(ctx, id)
	if err == nil && !c.until.IsZero() && !d.now().Before(c.until) {
		d.channels.changed(id, 0) // it has a secret that has expired since
		c, err = d.channels.find(ctx, id)
	}
	if err != nil {
		return channel.Keyed{}, err
	}
	return c.usable()
}

// ByAccount returns the channel that has claimed a provider's account. An account may move from one channel to another, of
// another tenant even, so what the cache says is believed only if the channel itself names the account.
func (d *Directory) ByAccount(ctx context.Context, t event.ChannelType, setting, account string) (channel.Keyed, error) {
	claim := AccountClaim(t, setting, account)
	for range 2 {
		id, err := d.claims.find(ctx, claim)
		if err != nil {
			return channel.Keyed{}, err
		}
		k, err := d.Channel(ctx, id)
		if err == nil && k.Type == t && k.Settings.Text(setting) == account {
			return k, nil
		}
		if err != nil && !errors.Is(err, errGone) {
			return channel.Keyed{}, err
		}
		d.claims.changed(claim, 0)
	}
	return channel.Keyed{}, errGone
}

// BySecret returns a channel of the type that has the value as the secret by which app-level calls name channels. What the cache says
// is believed only if the channel still has it.
func (d *Directory) BySecret(ctx context.Context, t event.ChannelType, secret string) (channel.Keyed, error) {
	hash := VerifyHash(secret)
	for range 2 {
		id, err := d.secrets.find(ctx, secretID(t, hash))
		if err != nil {
			return channel.Keyed{}, err
		}
		c, err := d.channels.find(ctx, id)
		if err == nil && c.Type == t && c.named == hash {
			return d.Channel(ctx, id)
		}
		if err != nil && !errors.Is(err, errGone) {
			return channel.Keyed{}, err
		}
		d.secrets.changed(secretID(t, hash), 0)
	}
	return channel.Keyed{}, errGone
}

// secretID is the id under which the channel with the hash of a naming secret is cached.
func secretID(t event.ChannelType, hash string) string { return string(t) + " " + hash }

// loadSecret returns the id of a channel of a type with the hash of a naming secret.
func (d *Directory) loadSecret(ctx context.Context, id string) (string, int64, error) {
	t, hash, _ := strings.Cut(id, " ")
	page, err := d.db.Query(ctx, Channels.Name, store.Query{Where: []store.Eq{{Field: "type", Value: t}, {Field: "verify_hash", Value: hash}}, Limit: 1})
	if err != nil {
		return "", 0, fmt.Errorf("channel by its secret: %w", err)
	}
	if len(page.Docs) == 0 {
		return "", 0, errGone
	}
	return page.Docs[0].ID, 0, nil
}

// Heard reports whether a channel with that account or naming secret was heard of, so that looking it up is nobody's guess.
func (d *Directory) Heard(t event.ChannelType, setting, value string) bool {
	return d.claims.heard(AccountClaim(t, setting, value)) || d.secrets.heard(secretID(t, VerifyHash(value)))
}

// Of returns the enabled channels of a type, over all tenants.
func (d *Directory) Of(ctx context.Context, t event.ChannelType) ([]channel.Keyed, error) {
	var out []channel.Keyed
	q := store.Query{Where: []store.Eq{{Field: "type", Value: string(t)}, {Field: "enabled", Value: true}}, Order: "created_at", Limit: store.MaxLimit}
	for {
		page, err := d.db.Query(ctx, Channels.Name, q)
		if err != nil {
			return nil, fmt.Errorf("channels of type %s: %w", t, err)
		}
		for _, raw := range page.Docs {
			k, err := d.Channel(ctx, raw.ID)
			unreadable := fault.Of(err) != nil && fault.Of(err).Code == "channel_unreadable" // it keeps no other from working
			if err != nil && !errors.Is(err, errGone) && !unreadable {
				return nil, err
			}
			if err == nil && k.Enabled {
				out = append(out, k)
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return out, nil
		}
	}
}

// APIKey implements auth.Source.
func (d *Directory) APIKey(ctx context.Context, id string) (auth.Key, error) {
	return d.keys.find(ctx, id)
}

// UserByID implements auth.Source.
func (d *Directory) UserByID(ctx context.Context, tenant, id string) (auth.User, error) {
	u, err := d.users.find(ctx, id)
	if err != nil {
		return auth.User{}, err
	}
	if u.Tenant != tenant {
		return auth.User{}, errGone
	}
	t, err := d.tenants.find(ctx, tenant)
	if err != nil {
		return auth.User{}, err
	}
	out := auth.User{
		ID: u.ID, Tenant: u.Tenant, Name: u.Name, Email: u.Email, Role: u.Role, AgentID: AgentOf(u.ID), OUID: u.OUID,
		Sessions: u.Sessions, Disabled: u.Disabled, Permissions: t.Permissions(u.Role),
	}
	for _, e := range u.Ended {
		out.Ended = append(out.Ended, e.ID)
	}
	if a, err := d.agents.find(ctx, out.AgentID); err == nil && a.Tenant == tenant {
		out.Queues = a.Queues
	} else if err != nil && !errors.Is(err, errGone) {
		return auth.User{}, err
	}
	return out, nil
}

// Permissions are the permissions of a role, as this tenant has it.
func (t *Tenant) Permissions(role string) []auth.Permission {
	if p, ok := t.Roles[role]; ok {
		return p
	}
	return auth.Roles[role]
}

// UserByEmail implements auth.Source.
func (d *Directory) UserByEmail(ctx context.Context, email string) (auth.User, error) {
	c, err := read[Email](ctx, d.db, Emails.Name, EmailClaim(strings.ToLower(email)))
	if err != nil {
		if !errors.Is(err, errGone) {
			err = &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
		}
		return auth.User{}, err
	}
	u, err := d.UserByID(ctx, c.Tenant, c.UserID)
	if err == nil && u.Email != strings.ToLower(email) { // the claim of an address that was given up, or never taken over
		return auth.User{}, errGone
	}
	return u, err
}

// User returns a user of a tenant.
func (d *Directory) User(ctx context.Context, tenant, id string) (User, error) {
	return within(tenant)(d.users.find(ctx, id))
}
