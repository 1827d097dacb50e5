package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Keys is the collection of the check value, sealed when the first process started, and of the secrets of the installation.
var Keys = store.Spec{Name: "encryption_keys"}

const (
	checkID    = "check"
	checkValue = "tributary"
)

// keyCheck is a sealed value of the installation. The one called check proves that a process has the key which sealed what is in the
// store; others are secrets, see [Secret].
type keyCheck struct {
	store.Meta
	Sealed string `json:"sealed"`
}

// sealedChannels walks over all channels that have secrets.
func sealedChannels(ctx context.Context, db store.DB, each func(*Channel) error) error {
	channels := store.NewCollection[Channel](db, Channels)
	for c, err := range channels.All(ctx, store.Query{Order: "type", Limit: 200}) {
		if err == nil && len(c.Sealed) > 0 {
			err = each(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errFound ends a walk.
var errFound = errors.New("found")

// HoldsSealed reports whether the store holds anything that an encryption key has sealed.
func HoldsSealed(ctx context.Context, db store.DB) (bool, error) {
	if _, err := store.NewCollection[keyCheck](db, Keys).Get(ctx, checkID); !errors.Is(err, store.ErrNotFound) {
		return err == nil, err
	}
	err := sealedChannels(ctx, db, func(*Channel) error { return errFound })
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}

// ProveKey fails if none of the sealer's keys opens the store's check value. Where there is none yet, at the first start or with data
// of a version before it, the channels' secrets prove the key, and the check value is written.
func ProveKey(ctx context.Context, db store.DB, s *auth.Sealer) error {
	checks := store.NewCollection[keyCheck](db, Keys)
	for {
		c, err := checks.Get(ctx, checkID)
		if err == nil {
			if _, err := s.Open(c.Sealed, checkID); err != nil {
				return wrongKey(s, c.Sealed)
			}
			return nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := proveByChannels(ctx, db, s); err != nil {
			return err
		}
		err = checks.Insert(ctx, &keyCheck{Meta: store.Meta{ID: checkID}, Sealed: s.Seal(checkValue, checkID)})
		if !errors.Is(err, store.ErrExists) { // another process was first: what it wrote is to open, too
			return err
		}
	}
}

func proveByChannels(ctx context.Context, db store.DB, s *auth.Sealer) error {
	shut := ""
	err := sealedChannels(ctx, db, func(c *Channel) error {
		for key, values := range c.Sealed {
			for _, v := range values {
				if _, err := s.Open(v, c.Tenant, c.ID, key); err == nil {
					return errFound
				}
				shut = v
			}
		}
		return nil
	})
	if err == nil && shut != "" {
		return wrongKey(s, shut)
	}
	if errors.Is(err, errFound) {
		return nil
	}
	return err
}

func wrongKey(s *auth.Sealer, sealed string) error {
	return fmt.Errorf("TRIBUTARY_ENCRYPTION_KEY is key %s, but the store's secrets are sealed with key %s: "+
		"set that key, or add it to TRIBUTARY_ENCRYPTION_KEYS_ACCEPTED. If it is lost for good: tributary keys rotate --give-up-lost",
		s.ID(), auth.KeyOf(sealed))
}

// openSecrets opens the channel's secrets and names those whose current value does not open. A predecessor that does not open
// is of no use, and no harm.
func openSecrets(s *auth.Sealer, doc *Channel) (secrets channel.Secrets, shut []string) {
	secrets = channel.Secrets{}
	for _, key := range slices.Sorted(maps.Keys(doc.Sealed)) {
		for i, v := range doc.Sealed[key] {
			plain, err := s.Open(v, doc.Tenant, doc.ID, key)
			switch {
			case err == nil:
				secrets[key] = append(secrets[key], plain)
			case i == 0:
				shut = append(shut, key)
			}
		}
	}
	return secrets, shut
}

// Unreadable names the secrets of a channel that no configured key opens: they are to be set again.
func Unreadable(s *auth.Sealer, doc *Channel) []string {
	_, shut := openSecrets(s, doc)
	return shut
}

// opened is a channel as the directory keeps it. One with a secret that does not open is there, and of no use until it is set again.
type opened struct {
	channel.Keyed
	shut  []string
	until time.Time // when a replaced secret expires first; zero: none does
	named string    // the hash of the secret by which app-level calls name it
}

func (o opened) usable() (channel.Keyed, error) {
	if len(o.shut) > 0 {
		cause := fmt.Errorf("channel %s: %s cannot be opened", o.ID, strings.Join(o.shut, ", ")) // for the log: strangers read the rest
		return channel.Keyed{}, fault.Because(cause, fault.Unavailable, "channel_unreadable",
			"secrets of the channel cannot be opened with the configured encryption keys; whoever may read the channel sees which, and sets them again")
	}
	return o.Keyed, nil
}

func (d *Directory) loadChannel(ctx context.Context, id string) (opened, int64, error) {
	doc, err := read[Channel](ctx, d.db, Channels.Name, id)
	if err != nil {
		return opened{}, 0, err
	}
	if doc.Deleted {
		return opened{}, doc.Version, errGone
	}
	k := opened{Keyed: channel.Keyed{Channel: channel.Channel{
		ID: doc.ID, Tenant: doc.Tenant, Type: doc.Type, Name: doc.Name, Settings: doc.Settings, Enabled: doc.Enabled,
		Version: doc.Version, Policy: channel.ReadPolicy(doc.Policy), OUID: doc.OUID,
	}}}
	k.until, k.named = doc.dropExpired(d.now()), doc.Verify
	if k.Secrets, k.shut = openSecrets(d.sealer, &doc); len(k.shut) > 0 {
		slog.ErrorContext(ctx, "secrets of a channel do not open with the configured encryption keys; set them again", "channel", id, "secrets", k.shut)
	}
	return k, doc.Version, nil
}

// Resealed is what became of sealed values.
type Resealed struct {
	Values  int      // sealed again
	Current int      // were sealed with the current key already
	Lost    []string // "channel ch_1: app_secret", opened by no key
}

func (r *Resealed) add(more Resealed) {
	r.Values, r.Current, r.Lost = r.Values+more.Values, r.Current+more.Current, append(r.Lost, more.Lost...)
}

// Reseal seals with the current key what other keys have sealed, the check value last: whoever stops on the way goes on later.
// Values that no key opens stop it, unless giveUp says that their key is lost for good; then they stay, and are named.
func Reseal(ctx context.Context, db store.DB, s *auth.Sealer, giveUp bool, progress func(Resealed)) (r Resealed, err error) {
	channels := store.NewCollection[Channel](db, Channels)
	err = sealedChannels(ctx, db, func(c *Channel) error {
		var one Resealed
		_, err := channels.Update(ctx, c.ID, func(c *Channel) error {
			one = resealChannel(s, c)
			if one.Values == 0 {
				return store.Unchanged
			}
			return nil
		})
		r.add(one)
		progress(r)
		return err
	})
	if err != nil {
		return r, err
	}
	own, err := resealSecrets(ctx, db, s, giveUp)
	if r.add(own); err != nil {
		return r, err
	}
	if len(r.Lost) > 0 && !giveUp {
		return r, fmt.Errorf("%d values open with none of the configured keys, the first: %s; add their key to "+
			"TRIBUTARY_ENCRYPTION_KEYS_ACCEPTED, or give them up with --give-up-lost", len(r.Lost), r.Lost[0])
	}
	if giveUp {
		return r, writeCheck(ctx, db, s)
	}
	if err := ProveKey(ctx, db, s); err != nil {
		return r, err
	}
	return r, writeCheck(ctx, db, s)
}

func resealChannel(s *auth.Sealer, c *Channel) (r Resealed) {
	for _, key := range slices.Sorted(maps.Keys(c.Sealed)) {
		for i, v := range c.Sealed[key] {
			if s.Current(v) {
				r.Current++
				continue
			}
			plain, err := s.Open(v, c.Tenant, c.ID, key)
			if err != nil {
				r.Lost = append(r.Lost, fmt.Sprintf("channel %s: %s", c.ID, key))
				continue
			}
			c.Sealed[key][i] = s.Seal(plain, c.Tenant, c.ID, key)
			r.Values++
		}
	}
	return r
}

func writeCheck(ctx context.Context, db store.DB, s *auth.Sealer) error {
	checks := store.NewCollection[keyCheck](db, Keys)
	_, err := checks.Upsert(ctx, checkID, func() *keyCheck { return &keyCheck{} }, func(c *keyCheck) error {
		if s.Current(c.Sealed) {
			return store.Unchanged
		}
		c.Sealed = s.Seal(checkValue, checkID)
		return nil
	})
	return err
}
