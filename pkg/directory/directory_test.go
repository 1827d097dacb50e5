package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

type office struct {
	t        *testing.T
	db       store.DB
	sealer   *auth.Sealer
	channels *store.Collection[Channel]
	claims   *store.Collection[Claim]
}

func newOffice(t *testing.T) *office {
	t.Helper()
	sealer, err := auth.NewSealer(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.New(t, append(Others, Specs...)...)
	return &office{t, db, sealer, store.NewCollection[Channel](db, Channels), store.NewCollection[Claim](db, Claims)}
}

func (o *office) directory(b bus.Bus) *Directory { return New(o.db, b, o.sealer, time.Now) }

func (o *office) add(id, tenant, account string, enabled bool) {
	o.t.Helper()
	c := &Channel{
		Type: event.Telegram, Name: id, Enabled: enabled, Settings: channel.Settings{"bot": account}, Version: 1, CreatedAt: event.At(time.Now()),
		Verify: VerifyHash("token of " + id), Sealed: map[string][]string{"k": {o.sealer.Seal("new", tenant, id, "k"), o.sealer.Seal("old", tenant, id, "k")}},
	}
	c.ID, c.Tenant = id, tenant
	if err := o.channels.Insert(o.t.Context(), c); err != nil {
		o.t.Fatal(err)
	}
	o.claim(account, tenant, id)
}

func (o *office) claim(account, tenant, id string) {
	o.t.Helper()
	_, err := o.claims.Upsert(o.t.Context(), AccountClaim(event.Telegram, "bot", account), func() *Claim { return &Claim{} }, func(c *Claim) error {
		c.Tenant, c.ChannelID = tenant, id
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) change(id string, f func(*Channel)) *Channel {
	o.t.Helper()
	c, err := o.channels.Update(o.t.Context(), id, func(c *Channel) error { c.Version++; f(c); return nil })
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

func TestChannelsAreFoundByAccountTokenAndType(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.add("ch_a", "t1", "alpha", true)
	o.add("ch_b", "t2", "beta", true)
	o.add("ch_off", "t1", "gamma", false)
	d, ctx := o.directory(nil), t.Context()
	k, err := d.ByAccount(ctx, event.Telegram, "bot", "alpha")
	if err != nil || k.ID != "ch_a" || len(k.Secrets["k"]) != 2 || k.Secrets["k"][0] != "new" || k.Secrets["k"][1] != "old" {
		t.Errorf("by account: %+v (%v)", k, err)
	}
	if k, err := d.BySecret(ctx, event.Telegram, "token of ch_b"); err != nil || k.ID != "ch_b" {
		t.Errorf("by token: %s (%v)", k.ID, err)
	}
	for name, f := range map[string]func() (channel.Keyed, error){
		"account": func() (channel.Keyed, error) { return d.ByAccount(ctx, event.Telegram, "bot", "nobody's") },
		"type":    func() (channel.Keyed, error) { return d.ByAccount(ctx, event.WhatsApp, "bot", "alpha") },
		"token":   func() (channel.Keyed, error) { return d.BySecret(ctx, event.Telegram, "nobody's") },
	} {
		if k, err := f(); !fault.Is(err, fault.Gone) {
			t.Errorf("%s: %s (%v), want gone", name, k.ID, err)
		}
	}
	all, err := d.Of(ctx, event.Telegram)
	if err != nil || len(all) != 2 || all[0].ID != "ch_a" || all[1].ID != "ch_b" {
		t.Errorf("enabled channels: %v (%v)", all, err)
	}
}

func TestP10_AnAccountThatMovedIsNotTheOldTenantsAnyMore(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.add("ch_a", "t1", "alpha", true)
	d, ctx := o.directory(nil), t.Context()
	if k, err := d.ByAccount(ctx, event.Telegram, "bot", "alpha"); err != nil || k.ID != "ch_a" {
		t.Fatalf("%s (%v)", k.ID, err)
	}
	c := o.change("ch_a", func(c *Channel) { c.Settings = channel.Settings{"bot": "other"} })
	d.Changed(event.Config{Entity: EntityChannel, ID: c.ID, Version: c.Version})
	o.add("ch_b", "t2", "alpha", true)
	if k, err := d.ByAccount(ctx, event.Telegram, "bot", "alpha"); err != nil || k.ID != "ch_b" {
		t.Errorf("%s (%v), want the channel that has it now", k.ID, err)
	}
}

func TestReplicasHearOfChanges(t *testing.T) {
	t.Parallel()
	o, b := newOffice(t), bustest.New(t)
	o.add("ch_a", "t1", "alpha", true)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	here, there := o.directory(b), o.directory(b.Broker.Open(t))
	for _, d := range []*Directory{here, there} {
		go func() { done <- d.Run(ctx) }()
		if _, err := d.Channel(ctx, "ch_a"); err != nil {
			t.Fatal(err)
		}
	}
	heard := make(chan event.Config, 4)
	there.Watch(func(c event.Config) { heard <- c })
	c := o.change("ch_a", func(c *Channel) { c.Name = "renamed" })
	news := event.Config{Entity: EntityChannel, ID: c.ID, Version: c.Version}
	err := b.Publish(ctx, event.Record{Topic: event.TopicConfig, Key: c.ID, Event: event.New("evt_1", event.ConfigChanged, "admin", "t1", c.ID, event.At(time.Now()), news)})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Directory{here, there} {
		bustest.Eventually(t, "both replicas know the new name", func() bool {
			k, err := d.Channel(ctx, "ch_a")
			return err == nil && k.Name == "renamed"
		})
	}
	if got := <-heard; got.ID != "ch_a" || got.Version != 2 {
		t.Errorf("watchers heard %+v", got)
	}
	cancel()
	for range 2 {
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestATypeAnnouncedAnewIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d, ctx := o.directory(nil), t.Context()
	if _, err := d.Type(ctx, event.Telegram); !fault.Is(err, fault.Gone) {
		t.Fatalf("%v, want gone", err)
	}
	for _, title := range []string{"Telegram", "Telegram 2"} {
		if err := d.Announce(ctx, channel.Info{Type: event.Telegram, Title: title}); err != nil {
			t.Fatal(err)
		}
		if info, err := d.Type(ctx, event.Telegram); err != nil || info.Title != title {
			t.Errorf("%q (%v), want %q", info.Title, err, title)
		}
	}
	if all, err := d.AllTypes(ctx); err != nil || len(all) != 1 {
		t.Errorf("%v (%v)", all, err)
	}
}

func TestP10_UsersQueuesAndUnitsOfOthersAreNotThere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	put := func(collection, id string, doc any) {
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.db.Batch(ctx, []store.Op{{Kind: store.Insert, Collection: collection, ID: id, JSON: b}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	put("tenants", "t1", map[string]any{"_id": "t1", "tenant": "t1", "roles": map[string]any{"agent": []string{"reports.read"}}})
	put("users", "usr_1", map[string]any{"_id": "usr_1", "tenant": "t1", "name": "Ana", "email": "ana@example.com", "role": "agent"})
	put("agents", "agt_1", map[string]any{"_id": "agt_1", "tenant": "t1", "queue_ids": []string{"q_1"}})
	put("queues", "q_1", map[string]any{"_id": "q_1", "tenant": "t1", "name": "Q"})
	put("bots", "bot_1", map[string]any{"_id": "bot_1", "tenant": "t1", "name": "B"})
	put("organization_units", "ou_1", map[string]any{"_id": "ou_1", "tenant": "t1", "name": "O"})
	put("user_emails", EmailClaim("ana@example.com"), map[string]any{"tenant": "t1", "user_id": "usr_1"})
	put("user_emails", EmailClaim("old@example.com"), map[string]any{"tenant": "t1", "user_id": "usr_1"})
	d := o.directory(nil)
	for tenant, ok := range map[string]bool{"t1": true, "t2": false} {
		for name, f := range map[string]func() error{
			"user":  func() error { _, err := d.User(ctx, tenant, "usr_1"); return err },
			"login": func() error { _, err := d.UserByID(ctx, tenant, "usr_1"); return err },
			"agent": func() error { _, err := d.Agent(ctx, tenant, "agt_1"); return err },
			"queue": func() error { _, err := d.Queue(ctx, tenant, "q_1"); return err },
			"bot":   func() error { _, err := d.Bot(ctx, tenant, "bot_1"); return err },
			"unit":  func() error { _, err := d.Unit(ctx, tenant, "ou_1"); return err },
		} {
			if err := f(); ok != (err == nil) || (!ok && !fault.Is(err, fault.Gone)) {
				t.Errorf("%s's %s: %v", tenant, name, err)
			}
		}
	}
	u, err := d.UserByEmail(ctx, "ANA@example.com")
	if err != nil || u.AgentID != "agt_1" || len(u.Queues) != 1 || len(u.Permissions) != 1 || u.Permissions[0] != auth.ReportsRead {
		t.Errorf("%+v (%v), want the role as the tenant has it", u, err)
	}
	if _, err := d.UserByEmail(ctx, "old@example.com"); !fault.Is(err, fault.Gone) {
		t.Errorf("an address that was given up: %v, want gone", err)
	}
}
