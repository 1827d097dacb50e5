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
	"github.com/tributaryhq/tributary/deploy/bench/target"
)

// Answers measures sends through everything: an API call, until the provider has accepted the message.
func (b *Bench) Answers(ctx context.Context) (t *report.Table, err error) {
	t = &report.Table{
		Title: "API sends", Header: []string{"conns", "API calls/s", "p50", "p95", "p99", "sent/s", "caught up after", "CPU/send", "generator", "refused"},
		Note: fmt.Sprintf("`POST /v1/conversations/{id}/messages` over 2,000 conversations on %d numbers, for %s, until an instant provider has accepted every message that "+
			"was answered 202. sent/s counts from the first call to the provider's last. 64 API keys share the load, as each may make 200 calls a second.", numbers, b.For),
	}
	p, err := provider.Start()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	s, err := b.full(ctx, "answers")
	if err != nil {
		return nil, err
	}
	defer b.done(s, &err)
	to, err := b.writers(ctx, s, p.URL)
	if err != nil {
		return nil, err
	}
	_, j, err := aim(to)
	if err != nil {
		return nil, err
	}
	for _, conns := range b.Conns {
		if conns == 1 {
			continue
		}
		if err := b.answers(ctx, t, s, j, p, conns); err != nil {
			return t, err
		}
	}
	return t, nil
}

// writers has 2,000 people write, and aims at their conversations.
func (b *Bench) writers(ctx context.Context, s *stand.Stand, providerURL string) (*target.Target, error) {
	rows, err := s.Channels(ctx, "whatsapp", numbers, providerURL)
	if err != nil {
		return nil, err
	}
	to, err := target.Load("whatsapp")
	if err != nil {
		return nil, err
	}
	_, j, err := aim(to.With(map[string]string{"base": s.URL("whatsapp"), "secret": rows[0]["secret"]}, rows...))
	if err != nil {
		return nil, err
	}
	if _, err := load.Open(ctx, j, 16, 500, time.Duration(to.People)*2*time.Millisecond); err != nil {
		return nil, err
	}
	s.Settle(ctx, time.Minute)
	ids, err := conversations(ctx, s, "")
	if err != nil {
		return nil, err
	}
	if len(ids) != to.People {
		return nil, fmt.Errorf("%d people wrote, there are %d conversations", to.People, len(ids))
	}
	keys, err := s.Keys(ctx, 64)
	if err != nil {
		return nil, err
	}
	calls := make([]map[string]string, len(ids))
	for i, id := range ids {
		calls[i] = map[string]string{"conversation": id, "key": keys[i%len(keys)]}
	}
	api := target.Target{
		Name: "send", Method: "POST", URL: "{{base}}/v1/conversations/{{conversation}}/messages", People: len(ids),
		Header: map[string]string{"Authorization": "Bearer {{key}}", "Content-Type": "application/json", "Idempotency-Key": "{{id}}"},
		Body:   `{"text":"{{text}}"}`, Text: "Thank you for waiting. Your parcel is on its way and arrives tomorrow.",
	}
	return api.With(map[string]string{"base": s.URL("inbox")}, calls...), nil
}

func (b *Bench) answers(ctx context.Context, t *report.Table, s *stand.Stand, j load.Job, p *provider.Provider, conns int) error {
	s.Settle(ctx, 30*time.Second)
	var acked counter
	j.OK = acked.ok
	before, began, m := p.Calls(), time.Now(), measure(s)
	s.Profile(b.Profiles, fmt.Sprintf("answers-%d", conns), b.For)
	r, err := load.Closed(ctx, j, conns, 0, b.For, func() {})
	if err != nil {
		return err
	}
	ended := time.Now()
	for until := ended.Add(2 * time.Minute); p.Calls()-before < acked.n.Load(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) || ctx.Err() != nil {
			return fmt.Errorf("the provider got %d of %d messages", p.Calls()-before, acked.n.Load())
		}
	}
	took := time.Since(began)
	theirs, mine, _ := m.read()
	n := int(acked.n.Load())
	rate := float64(n) / took.Seconds()
	t.Add(conns, r.Rate(), r.Lat.At(.5), r.Lat.At(.95), r.Lat.At(.99), rate, time.Since(ended), each(theirs, n), each(mine, n), strings.Trim(fmt.Sprint(r.Refused), "map[]"))
	b.say("API sends over %d connections: %.0f calls/s, %.0f sent/s", conns, r.Rate(), rate)
	return nil
}
