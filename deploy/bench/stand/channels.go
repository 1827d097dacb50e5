package stand

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/target"
)

// secret is what the channels of a stand are verified by.
const secret = "0123456789abcdef0123456789abcdef"

// account is the settings and secrets of the i-th channel of a type. provider is where its sends go.
func (s *Stand) account(typ string, i int, provider string) (settings map[string]any, secrets map[string]string, name string) {
	switch typ {
	case "whatsapp":
		name = fmt.Sprint(100_000_000_000_000 + s.salt*1000 + int64(i))
		settings = map[string]any{"provider": "cloud", "phone_number_id": name, "waba_id": "100200300400501"}
		secrets = map[string]string{"app_secret": secret, "access_token": "token-of-the-bench", "verify_token": "verify-of-the-bench"}
	case "telegram":
		name = fmt.Sprintf("bench_%d_%d_bot", s.salt, i)
		settings = map[string]any{"bot_username": name}
		secrets = map[string]string{"bot_token": fmt.Sprintf("%d:%s", 7_000_000+i, secret), "webhook_secret": secret}
	default:
		return map[string]any{}, map[string]string{}, ""
	}
	if provider != "" {
		settings["api_base_url"] = provider
	}
	return settings, secrets, name
}

// Channels makes n channels of a type, or finds them made before, and returns the rows of a target's template for them. The
// type's service may have to announce itself first.
func (s *Stand) Channels(ctx context.Context, typ string, n int, provider string) (rows []map[string]string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for i := range n {
		settings, secrets, name := s.account(typ, i, provider)
		in := map[string]any{"type": typ, "name": fmt.Sprintf("Bench %s %d", typ, i), "settings": settings, "secrets": secrets}
		var made struct {
			ID string `json:"id"`
		}
		for {
			key := map[string]string{"Idempotency-Key": fmt.Sprintf("bench-%s-%d-%d", typ, i, s.salt)}
			if err = s.Call(ctx, "admin", "POST", "/v1/channels", key, in, &made); err == nil || i > 0 || ctx.Err() != nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, map[string]string{"channel": made.ID, "account": name, "secret": secret})
	}
	return rows, nil
}

// Target aims a built-in target at channels of this stand.
func (s *Stand) Target(ctx context.Context, typ string) (*target.Target, error) {
	t, err := target.Load(typ)
	if err != nil {
		return nil, err
	}
	vars := map[string]string{"base": s.URL(typ), "secret": secret}
	if typ == "webchat" {
		rows, err := s.visitors(ctx, visitors)
		if err != nil {
			return nil, err
		}
		t = t.With(vars, rows...)
		t.People = len(rows)
		return t, nil
	}
	rows, err := s.Channels(ctx, typ, 1, "")
	if err != nil {
		return nil, err
	}
	return t.With(vars, rows...), nil
}
