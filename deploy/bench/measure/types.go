package measure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/provider"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
)

// byType are the types that are compared with the first: those that let so many messages go at once. WeChat's pushes come in clear and encrypted.
var byType = []string{"whatsapp", "facebook", "instagram", "wechat", "wechat-safe", "x"}

// bursts is how many messages are sent: as many as the channels' limits let go at once, which on X are 50 for each of the accounts.
const bursts = 40 * numbers

// Types measures every type the same way, so that what a type costs more than another shows.
func (b *Bench) Types(ctx context.Context) (*report.Table, error) {
	t := &report.Table{
		Title: "By type", Header: []string{"type", "accepted/s", "of WhatsApp's", "CPU/webhook", "goal", "sends/s", "of WhatsApp's", "CPU/send", "not accepted"},
		Note: fmt.Sprintf("Each type's service alone on broker and store. Webhooks: one text each over 64 connections, %s after %s. Sends: %d records on `tributary.outbound.<type>` "+
			"for %d channels, to a provider that takes them at once. *wechat-safe* is WeChat's safe mode: pushes are AES in XML. None is below half of WhatsApp's without its reason.",
			b.For, b.Warm, bursts, numbers),
	}
	var first, firstSent float64
	for _, typ := range byType {
		rate, cost, err := b.acceptsAlone(ctx, typ)
		if err != nil {
			return t, fmt.Errorf("accept %s: %w", typ, err)
		}
		if first == 0 {
			first = rate
		}
		row := []any{typ, rate, share(rate, first), cost, b.goal(rate >= first/2, "≥ half of WhatsApp's")}
		if strings.Contains(typ, "-") { // it sends as its type does
			t.Add(append(row, "", "", "", "")...)
			continue
		}
		res, err := b.sent(ctx, typ, bursts, 0)
		if err != nil {
			return t, fmt.Errorf("sends %s: %w", typ, err)
		}
		if firstSent == 0 {
			firstSent = res.rate
		}
		t.Add(append(row, res.rate, share(res.rate, firstSent), each(res.theirs, bursts), res.failed)...)
		b.say("%s: %.0f accepted/s, CPU %s; %.0f sends/s", typ, rate, report.Milliseconds(cost), res.rate)
	}
	return t, nil
}

func share(rate, of float64) string { return fmt.Sprintf("%.0f %%", 100*rate/of) }

// acceptsAlone is how many webhooks a second the type's service answers by itself over 64 connections, and their CPU.
func (b *Bench) acceptsAlone(ctx context.Context, typ string) (rate float64, cost time.Duration, err error) {
	p, err := provider.Start()
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	s, err := b.part(ctx, "types-"+typ, "admin", stand.Service(typ))
	if err != nil {
		return 0, 0, err
	}
	defer b.done(s, &err)
	to, err := s.TargetAt(ctx, typ, apiOf(p, stand.Service(typ)))
	if err != nil {
		return 0, 0, err
	}
	if err := s.End("admin"); err != nil { // it was needed to make the channel
		return 0, 0, err
	}
	_, j, err := aim(to)
	if err != nil {
		return 0, 0, err
	}
	s.Settle(ctx, time.Minute)
	var m *meter
	r, err := load.Closed(ctx, j, 64, b.Warm, b.For, func() {
		m = measure(s)
		s.Profile(b.Profiles, "types-"+typ, b.For)
	})
	if err != nil {
		return 0, 0, err
	}
	if r.Bad() > 0 {
		return 0, 0, fmt.Errorf("%d webhooks were refused", r.Bad())
	}
	theirs, _, _ := m.read()
	return r.Rate(), each(theirs, r.OK), nil
}
