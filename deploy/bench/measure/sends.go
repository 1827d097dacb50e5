package measure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/provider"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
	"github.com/tributaryhq/tributary/deploy/bench/target"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
)

// WhatsApp takes 80 messages a second from one number, and 45 at once to one person, and Tributary keeps to that. A business that
// sends thousands a second has many numbers.
const (
	numbers  = 200
	perPeer  = 20
	delaySet = 20 * time.Millisecond
)

// Sends measures how fast messages that lie on outbound.<type> are sent: from the first result on receipts to the last.
func (b *Bench) Sends(ctx context.Context) (*report.Table, error) {
	t := &report.Table{
		Title: "Sends", Header: []string{"provider takes", "records", "conversations", "sends/s", "goal", "first result after", "CPU/send", "generator", "provider's calls", "not accepted"},
		Note: fmt.Sprintf("Records lie on `tributary.outbound.whatsapp`; then its service is started. sends/s is from the first result on `tributary.receipts` to the last. "+
			"%d numbers share the load, as one may send 80 a second. CPU is of all processes measured, stores included.", numbers),
	}
	for _, delay := range []time.Duration{0, delaySet} {
		if err := b.sends(ctx, t, delay); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (b *Bench) sends(ctx context.Context, t *report.Table, delay time.Duration) error {
	res, err := b.sent(ctx, "whatsapp", b.Records, delay)
	if err != nil {
		return err
	}
	least, name := 8000.0, "≥ 8,000"
	if delay > 0 {
		least, name = 4000, "≥ 4,000"
	}
	t.Add(delay, b.Records, b.Records/perPeer, res.rate, b.goal(res.rate >= least, name), res.first, each(res.theirs, b.Records), each(res.mine, b.Records), res.calls, res.failed)
	b.say("sends, provider takes %s: %.0f/s", delay, res.rate)
	return nil
}

// sent sends n messages of a type, by as many channels as there are numbers.
func (b *Bench) sent(ctx context.Context, typ string, n int, delay time.Duration) (res *settlement, err error) {
	p, err := provider.Start()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	p.Delay(delay)
	s, err := b.part(ctx, "sends-"+typ, "admin", typ)
	if err != nil {
		return nil, err
	}
	defer b.done(s, &err)
	rows, err := s.Channels(ctx, typ, numbers, apiOf(p, typ))
	if err != nil {
		return nil, err
	}
	if err := s.End("admin", typ); err != nil {
		return nil, err
	}
	k, err := kafka.Open(ctx, kafka.Config{Brokers: strings.Split(s.Servers["TRIBUTARY_KAFKA_BROKERS"], ","), ClientID: "bench", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	if err := lay(ctx, k, event.ChannelType(typ), rows, n); err != nil {
		return nil, err
	}
	if res, err = b.settled(ctx, s, k, typ, n, fmt.Sprintf("sends-%s-%d", typ, delay.Milliseconds())); err != nil {
		return nil, err
	}
	if res.calls = p.Calls(); res.calls != int64(n) {
		return nil, fmt.Errorf("the provider was called %d times for %d messages", res.calls, n)
	}
	return res, nil
}

// apiOf is where the provider plays the API of a type.
func apiOf(p *provider.Provider, typ string) string {
	if typ == "whatsapp" || typ == "telegram" {
		return p.URL
	}
	return p.URL + "/" + typ
}

// lay puts messages onto the topic as inbox does, several conversations in turn.
func lay(ctx context.Context, k bus.Bus, typ event.ChannelType, rows []map[string]string, n int) error {
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	people := max(1, n/perPeer)
	for from := 0; from < n; from += 1000 {
		recs := make([]event.Record, 0, 1000)
		for i := from; i < min(n, from+1000); i++ {
			recs = append(recs, message(run, typ, i, rows[i%people%len(rows)]["channel"], strconv.FormatInt(target.Person(i%people), 10)))
		}
		if err := k.Publish(ctx, recs...); err != nil {
			return err
		}
	}
	return nil
}

func message(run string, typ event.ChannelType, i int, channel, peer string) event.Record {
	now, id := event.At(time.Now()), event.DeriveID("msg", stand.Tenant, run, strconv.Itoa(i))
	attempt := event.DeriveID("try", stand.Tenant, id, "1")
	o := event.Outbound{
		MessageID: id, ConversationID: event.DeriveID("cnv", stand.Tenant, channel, peer), ThreadID: event.DeriveID("thr", stand.Tenant, channel, peer),
		AttemptID: attempt, Attempt: 1, ChannelID: channel, ChannelType: typ, Peer: peer,
		Content: event.Content{Type: event.Text, Text: "Thank you for waiting. Your parcel is on its way and arrives tomorrow."},
		By:      event.Actor{Kind: "user", ID: "usr_bench"}, CreatedAt: now,
	}
	e := event.New(event.DeriveID("evt", stand.Tenant, attempt, "send"), event.MessageSend, "inbox", stand.Tenant, id, now, o)
	return event.Record{Topic: event.TopicOutbound(typ), Key: event.Key(channel, peer), Event: e}
}

// settlement is what came of the records.
type settlement struct {
	rate         float64
	first        time.Duration // from the start of the service
	theirs, mine time.Duration
	failed       int64
	calls        int64 // of the provider
}

// settled starts the type's service and counts results until all of the records have one.
func (b *Bench) settled(ctx context.Context, s *stand.Stand, k bus.Bus, typ string, records int, name string) (*settlement, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	var n, failed, first, last atomic.Int64
	ready, all, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		over <- k.Follow(ctx, event.TopicReceipts, bus.End, func(_ context.Context, m bus.Message) error {
			if m.Event.Type != event.SendSettled {
				return nil
			}
			now := time.Now().UnixNano()
			first.CompareAndSwap(0, now)
			last.Store(now)
			if r, err := event.Decode[event.SendResult](m.Event); err != nil || r.Status != event.Accepted && r.Status != event.Sent {
				failed.Add(1)
			}
			if n.Add(1) == int64(records) {
				close(all)
			}
			return nil
		}, func() { close(ready) })
	}()
	<-ready
	began, m := time.Now(), measure(s)
	if err := s.Start(ctx, typ); err != nil {
		return nil, err
	}
	s.Profile(b.Profiles, name, 5*time.Second)
	select {
	case <-all:
	case err := <-over:
		return nil, fmt.Errorf("%d of %d results came: %w", n.Load(), records, errors.Join(err, ctx.Err()))
	}
	theirs, mine, _ := m.read()
	took := time.Duration(last.Load() - first.Load())
	return &settlement{
		rate: float64(records-1) / took.Seconds(), first: time.Unix(0, first.Load()).Sub(began), theirs: theirs, mine: mine, failed: failed.Load(),
	}, nil
}
