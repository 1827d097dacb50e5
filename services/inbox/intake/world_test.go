package intake_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/services/inbox/intake"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

var agent = event.Actor{Kind: "user", ID: "usr_a"}

var (
	shared store.DB // one store for all tests: opening one takes longer than most of them
	worlds atomic.Int64
)

var collections = slices.Concat(directory.Specs, record.Specs, blob.Specs)

// TestMain opens the store and bounds how many orders rapid tries; -rapid.checks=5000 tries more.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("40") // a number that is surely valid
	}
	dir, err := os.MkdirTemp("", "intake")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	if shared, err = storetest.Open(ctx, dir); err != nil {
		panic(err)
	}
	defer func() { _ = shared.Close() }()
	if err := shared.Ensure(ctx, collections...); err != nil {
		panic(err)
	}
	return m.Run()
}

// world is an inbox with one channel, whose time stands still unless a test moves it.
type world struct {
	testing.TB
	*intake.Intake
	db          store.DB
	blobs       *blob.Store
	log         storetest.Publisher
	id, channel string // the tenant and its channel
	n           int    // makes refs
	configured  *store.Collection[directory.Channel]
	store       *storetest.Counted // as the intake sees it, without what happens in the background

	mu     sync.Mutex
	clock  time.Time
	typing []bool
}

func newWorld(t testing.TB, policy string) *world { return newWorldOn(t, shared, policy) }

// newWorldAlone is a world with a store of its own, for tests whose time passes what is due: in the shared one that would be what
// other tests have parked as well.
func newWorldAlone(t testing.TB, policy string) *world {
	return newWorldOn(t, storetest.New(t, collections...), policy)
}

func newWorldOn(t testing.TB, db store.DB, policy string) *world {
	n := worlds.Add(1)
	w := &world{TB: t, db: db, store: &storetest.Counted{DB: db}, id: fmt.Sprintf("t%d", n), channel: fmt.Sprintf("ch_%d", n), clock: time.Now().Truncate(time.Second)}
	sealer, err := auth.NewSealer(make([]byte, 32))
	w.must(err)
	d := directory.New(w.db, nil, sealer, w.now)
	w.must(d.Announce(t.Context(), channel.Info{
		Type: event.WhatsApp, Title: "WhatsApp", Account: []string{"number"}, RuleSet: channel.RuleSet{Send: channel.SendRules{Types: []event.MessageType{event.Text}},
			Window: channel.Window{Opens: map[string]channel.Opening{
				channel.ByMessage: {For: channel.Duration(24 * time.Hour)}, channel.ByFreeEntry: {For: channel.Duration(72 * time.Hour)},
				"call": {For: channel.Duration(24 * time.Hour)},
			}}},
	}))
	ch := &directory.Channel{Type: event.WhatsApp, Name: "Shop", Enabled: true, Policy: []byte(policy), Version: 1, OUID: "ou_1"}
	ch.ID, ch.Tenant = w.channel, w.id
	w.must(store.NewCollection[directory.Channel](w.db, directory.Channels).Insert(t.Context(), ch))
	w.settings(func(*directory.Settings) {})
	w.configured = store.NewCollection[directory.Channel](w.db, directory.Channels)
	w.blobs, err = blob.Open(t.Context(), "mem://", w.db, w.now)
	w.must(err)
	w.Intake = &intake.Intake{
		Record: record.New(w.store, &w.log, slog.New(slog.DiscardHandler)), Channels: d, Blobs: w.blobs, Now: w.now,
		Typing: func(_ context.Context, _ *record.Conversation, on bool) { w.typing = append(w.typing, on) },
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Record.Applier.Run(ctx) }()
	t.Cleanup(func() { stop(); w.must(<-ended) })
	return w
}

func (w *world) settings(change func(*directory.Settings)) {
	t := func() *directory.Tenant {
		t := &directory.Tenant{Settings: directory.DefaultSettings("Acme"), Version: 1}
		t.Tenant = w.id
		return t
	}
	_, err := store.NewCollection[directory.Tenant](w.db, directory.Tenants).Upsert(w.Context(), w.id, t, func(t *directory.Tenant) error {
		change(&t.Settings)
		return nil
	})
	w.must(err)
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) at() event.Time { return event.At(w.now()) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// got stops the test on an error.
func got[T any](w *world) func(T, error) T {
	return func(v T, err error) T {
		w.Helper()
		w.must(err)
		return v
	}
}

// on makes an event of a kind; change fills it in.
func (w *world) on(typ event.Type, change func(*event.Inbound)) event.Inbound {
	w.n++
	in := event.Inbound{Type: typ, ChannelID: w.channel, ChannelType: event.WhatsApp, Peer: "p", Ref: fmt.Sprintf("r%d", w.n), ProviderAt: w.at()}
	change(&in)
	return in
}

// text is a message of a customer with the provider's id x<ref>.
func (w *world) text(peer, text string) event.Inbound {
	return w.on(event.MessageReceived, func(in *event.Inbound) {
		in.Peer, in.ExternalID, in.Content = peer, "x"+in.Ref, &event.Content{Type: event.Text, Text: text}
	})
}

func (w *world) record(in event.Inbound) bus.Message {
	id := event.DeriveID("evt", w.id, in.ChannelID, string(in.Type), in.Ref)
	return bus.Message{Topic: event.TopicInbound, Event: event.New(id, in.Type, "whatsapp", w.id, in.ChannelID, in.ProviderAt, in)}
}

// take handles an event twice: a redelivery must change nothing.
func (w *world) take(ins ...event.Inbound) {
	w.Helper()
	for _, in := range ins {
		for range 2 {
			w.must(w.Handle(w.Context(), w.record(in)))
		}
	}
}

func (w *world) attached(message event.Inbound, a event.Attachment) error {
	typ := map[event.AttachmentState]event.Type{event.Ready: event.AttachmentReady, event.Lost: event.AttachmentFailed}[a.State]
	p := event.Attached{ChannelID: w.channel, ChannelType: event.WhatsApp, Peer: message.Peer, Ref: message.Ref, Attachment: a}
	return w.Handle(w.Context(), bus.Message{Event: event.New("evt_"+a.ID, typ, "whatsapp", w.id, w.channel, w.at(), p)})
}

func (w *world) message(in event.Inbound) *record.Message {
	w.Helper()
	return got[*record.Message](w)(w.Record.Messages.Get(w.Context(), record.MessageID(w.id, w.channel, in.Ref)))
}

func (w *world) conversationOf(in event.Inbound) *record.Conversation {
	w.Helper()
	return got[*record.Conversation](w)(w.Record.Conversations.Get(w.Context(), w.message(in).ConversationID))
}

func (w *world) thread(peer string) *record.Thread {
	w.Helper()
	return got[*record.Thread](w)(w.Record.Thread(w.Context(), record.Person{Tenant: w.id, ChannelID: w.channel, ChannelType: event.WhatsApp, Peer: peer}, w.at()))
}

func (w *world) contact(peer string) *record.Contact {
	w.Helper()
	return got[*record.Contact](w)(w.Record.Contacts.Get(w.Context(), w.thread(peer).ContactID))
}

func (w *world) close(c *record.Conversation) {
	w.Helper()
	got[*record.Conversation](w)(w.Record.Conversations.Update(w.Context(), c.ID, func(c *record.Conversation) error {
		return c.Shut(agent, nil, true, "user", "", w.at())
	}))
}

// send puts a message of ours into the conversation.
func (w *world) send(c *record.Conversation, key string) *record.Message {
	w.Helper()
	m := &record.Message{Direction: record.Out, Content: event.Content{Type: event.Text, Text: key}, CreatedAt: w.at()}
	m.ID = event.DeriveID("msg", w.id, key)
	_, _, err := w.Record.Post(w.Context(), c.ID, m, func(c *record.Conversation) error {
		c.Send(m, c.Dispatch(agent, w.at().Add(time.Hour)))
		return nil
	})
	w.must(err)
	return m
}

// sent lets a message of ours get its provider id.
func (w *world) sent(m *record.Message, externalID string) {
	w.Helper()
	got[*record.Message](w)(w.Record.Messages.Update(w.Context(), m.ID, func(m *record.Message) error {
		m.Settle(event.Status{AttemptID: m.Attempts[0].ID, Seq: 1, Status: event.Sent, ExternalIDs: []string{externalID}}, w.at())
		return nil
	}))
	w.must(w.Unpark(w.Context(), w.id, w.channel, externalID))
}

func (w *world) rows(contactID, typ string) (n int, last *record.Row) {
	w.Helper()
	q := store.Query{Where: []store.Eq{{Field: "contact_id", Value: contactID}}, Order: "at", Limit: 1000}
	for r, err := range w.Record.Rows.All(w.Context(), q) {
		w.must(err)
		if r.Type == typ {
			n, last = n+1, r
		}
	}
	return n, last
}

func (w *world) parked() int {
	w.Helper()
	n := 0
	for _, target := range []string{"x", "late", "echo"} {
		q := store.Query{Where: []store.Eq{{Field: "channel_id", Value: w.channel}, {Field: "target", Value: target}}, Order: "created_at", Limit: 1000}
		ds, _, _, err := w.Record.Parked.Query(w.Context(), q)
		w.must(err)
		n += len(ds)
	}
	return n
}
