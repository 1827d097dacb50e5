package stand

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/target"
)

// secret is what the channels of a stand are verified by; those of WeChat have one app, and in safe mode one key.
const (
	secret = "0123456789abcdef0123456789abcdef"
	app    = "wx0123456789abcdef"
	aesKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
)

// Service is the channel type of a target: wechat-safe is one of WeChat.
func Service(typ string) string {
	typ, _, _ = strings.Cut(typ, "-")
	return typ
}

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
	case "facebook":
		name = fmt.Sprint(200_000_000_000_000 + s.salt*1000 + int64(i))
		settings = map[string]any{"page_id": name, "app_id": "1029384756"}
		secrets = map[string]string{"app_secret": secret, "page_access_token": "token-of-the-bench", "verify_token": "verify-of-the-bench"}
	case "instagram":
		name = fmt.Sprint(17_841_000_000_000_000 + s.salt*1000 + int64(i))
		settings = map[string]any{"account_id": name, "login": "instagram", "app_id": "1029384756"}
		secrets = map[string]string{"app_secret": secret, "access_token": "token-of-the-bench", "verify_token": "verify-of-the-bench"}
	case "wechat", "wechat-safe":
		name = fmt.Sprintf("gh_%d%04d", s.salt, i)
		settings = map[string]any{"app_id": app, "original_id": name}
		secrets = map[string]string{"app_secret": secret, "token": secret}
		if typ == "wechat-safe" {
			secrets["encoding_aes_key"] = aesKey
		}
	case "x":
		name = fmt.Sprint(1_650_000_000_000_000_000 + s.salt*1000 + int64(i))
		settings = map[string]any{"user_id": name}
		secrets = map[string]string{"consumer_key": "key-of-the-bench", "consumer_secret": secret, "access_token": name + "-bench", "access_token_secret": secret}
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
		in := map[string]any{"type": Service(typ), "name": fmt.Sprintf("Bench %s %d", typ, i), "settings": settings, "secrets": secrets}
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

// Target aims a built-in target at channels of this stand, whose provider is nowhere.
func (s *Stand) Target(ctx context.Context, typ string) (*target.Target, error) {
	return s.TargetAt(ctx, typ, "")
}

// TargetAt is a target whose channels have a provider: types whose provider is asked who people are ask it.
func (s *Stand) TargetAt(ctx context.Context, typ, provider string) (*target.Target, error) {
	t, err := target.Load(typ)
	if err != nil {
		return nil, err
	}
	vars := map[string]string{"base": s.URL(Service(typ)), "secret": secret, "app": app, "aes_key": aesKey}
	if typ == "webchat" {
		rows, err := s.visitors(ctx, visitors)
		if err != nil {
			return nil, err
		}
		t = t.With(vars, rows...)
		t.People = len(rows)
		return t, nil
	}
	rows, err := s.Channels(ctx, typ, 1, provider)
	if err != nil {
		return nil, err
	}
	return t.With(vars, rows...), nil
}
