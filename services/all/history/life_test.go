package history

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// life is one history being lived, in a tenant's world of its own: channels, a queue, agents.
type life struct {
	*platform
	plan
	n        int
	channels map[string]string // by type
	queue    string
	staff    []member
	stream   *listener
	record   *store.Collection[record.Conversation] // for looking

	mu       sync.Mutex
	webhooks int                                  // acknowledged
	acked    map[string][]string                  // by person: provider ids of messages, in order of acknowledgement
	tried    map[string]bool                      // provider ids that were sent at all
	sent     map[string]string                    // text of an answer → the message's id
	maybe    map[string]bool                      // texts of answers that nobody acknowledged
	receipts map[string]set[event.DeliveryStatus] // by text of the answer: statuses acknowledged
	wrong    []string                             // what was wrong on the way
	visitors map[int]string                       // tokens of people on web chat
	posting  sync.WaitGroup
}

type set[T comparable] map[T]bool

type member struct{ agentID, userID string }

const phone = "109876543210987"

func newLife(p *platform, pl plan) *life {
	lives++
	n := lives
	l := &life{
		platform: p, plan: pl, n: n, record: store.NewCollection[record.Conversation](p.db.DB, record.ConversationSpec, store.Facts(nil)), channels: map[string]string{}, acked: map[string][]string{}, tried: map[string]bool{}, sent: map[string]string{}, visitors: map[int]string{},
		maybe: map[string]bool{}, receipts: map[string]set[event.DeliveryStatus]{},
	}
	var made struct {
		ID string `json:"id"`
	}
	p.must("POST", "/v1/queues", l.key("queue"), map[string]any{"name": l.key("queue")}, &made)
	l.queue = made.ID
	for _, ch := range []struct {
		kind     string
		settings map[string]any
		secrets  map[string]string
	}{
		{"whatsapp", map[string]any{"provider": "cloud", "phone_number_id": l.phone(), "waba_id": "1", "api_base_url": p.provider.URL + "/whatsapp"},
			map[string]string{"app_secret": secret, "access_token": "token-of-the-test", "verify_token": "verify-of-the-test"}},
		{"telegram", map[string]any{"bot_username": fmt.Sprintf("history_%d_bot", n), "api_base_url": p.provider.URL + "/telegram"},
			map[string]string{"bot_token": fmt.Sprintf("70%d:abcdefghijklmnopqrstuvwxyz", n), "webhook_secret": secret}},
		{"line", map[string]any{"destination": l.bot(), "api_base_url": p.provider.URL + "/line"},
			map[string]string{"channel_secret": secret, "channel_access_token": fmt.Sprintf("token-of-line-%d", n)}},
		{"instagram", map[string]any{"account_id": l.account(), "login": "instagram", "app_id": "1", "api_base_url": p.provider.URL + "/instagram"},
			map[string]string{"app_secret": secret, "access_token": fmt.Sprintf("token-of-the-account-%d", n), "verify_token": fmt.Sprintf("verify-the-account-%d", n)}},
		{"facebook", map[string]any{"page_id": l.page(), "app_id": "1", "api_base_url": p.provider.URL + "/facebook"},
			map[string]string{"app_secret": secret, "page_access_token": fmt.Sprintf("token-of-the-page-%d", n), "verify_token": fmt.Sprintf("verify-the-page-%d", n)}},
		{"wechat", map[string]any{"app_id": fmt.Sprintf("wx%016x", n), "original_id": l.original(), "api_base_url": p.provider.URL + "/wechat"},
			map[string]string{"app_secret": "secret-of-wechat", "token": secret}},
		{"x", map[string]any{"user_id": l.user(), "api_base_url": p.provider.URL + "/x"}, map[string]string{
			"consumer_key": "key", "consumer_secret": secret, "access_token": fmt.Sprintf("%s-token", l.user()), "access_token_secret": "token-secret"}},
		{"rcs", map[string]any{"provider": "maap", "chatbot_id": l.chatbot(), "api_base_url": p.provider.URL + "/rcs"},
			map[string]string{"access_token": fmt.Sprintf("token-of-the-agent-%d", n), "webhook_secret": secret}},
		{"webchat", map[string]any{"allowed_origins": []string{"https://shop.example"}}, map[string]string{"identity_secret": secret}},
	} {
		p.must("POST", "/v1/channels", l.key(ch.kind), map[string]any{"type": ch.kind, "name": ch.kind, "settings": ch.settings, "secrets": ch.secrets}, &made)
		p.must("PATCH", "/v1/channels/"+made.ID, "", map[string]any{"queue_id": l.queue, "reopen": l.reopen}, nil)
		l.channels[ch.kind] = made.ID
	}
	for i := range l.agents {
		var u struct {
			ID      string `json:"id"`
			AgentID string `json:"agent_id"`
		}
		p.must("POST", "/v1/users", l.key(fmt.Sprint("agent", i)), map[string]any{"name": fmt.Sprint("Agent ", i), "email": fmt.Sprintf("agent%d-%d@example.com", i, n), "role": "supervisor"}, &u)
		l.staff = append(l.staff, member{u.AgentID, u.ID})
		p.must("PATCH", "/v1/agents/"+u.AgentID, "", map[string]any{"limit": l.limit, "queue_ids": []string{l.queue}}, nil)
		p.must("PUT", "/v1/agents/"+u.AgentID+"/presence", "", map[string]any{"state": "idle"}, nil)
	}
	p.provider.say = func(m shown) { l.posting.Go(func() { l.report(m) }) }
	p.provider.mu.Lock()
	p.provider.plan = append([]mood{}, l.moods...)
	p.provider.mu.Unlock()
	l.stream = p.listen()
	return l
}

func (l *life) key(what string) string { return fmt.Sprintf("history-%d-%s", l.n, what) }

func (l *life) phone() string { return fmt.Sprintf("%s%d", phone, l.n) }

// live lets everybody say a first word, then everything happen at once, and makes all well.
func (l *life) live() {
	for i := range l.people {
		l.write(i, person{l.people[i].kind, []post{{messages: 1, copies: 1}}})
	}
	l.eventually("everybody's first word is there", func() bool { return len(l.conversations(0)) == len(l.people) })
	var done sync.WaitGroup
	for i, person := range l.people {
		done.Go(func() { l.write(i, person) })
	}
	for i, agent := range l.agents {
		done.Go(func() { l.act(i, agent) })
	}
	done.Go(l.suffer)
	done.Go(l.setClocks)
	done.Wait()
	l.provider.mu.Lock()
	l.provider.plan = nil
	l.provider.mu.Unlock()
	// Calls of the dead are given up at their deadline; nobody wants to wait for it here.
	l.ahead.Add(int64(2 * time.Minute))
	for i := range replicas {
		l.replace(i, true)
	}
	l.posting.Wait()
}

func (l *life) note(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// insist repeats until it is answered with a success, as a provider repeats its webhooks.
func insist(what func() int) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) { // the provider's pause between tries
		if s := what(); s >= 200 && s < 300 {
			return
		}
	}
}

func (l *life) wronged(format string, args ...any) {
	l.note(func() { l.wrong = append(l.wrong, fmt.Sprintf(format, args...)) })
}

// suffer lets things go wrong, one after the other.
func (l *life) suffer() {
	for _, f := range l.plan.faults {
		time.Sleep(f.before) // the plan's time, not a wait for anything
		l.platform.suffer(f)
	}
}

// setClocks sets the wall clock, time and again.
func (l *life) setClocks() {
	for _, s := range l.plan.steps {
		time.Sleep(s.before) // the plan's time
		l.platform.setClock(s)
	}
}

// token signs the agent in: a session does not last over a clock that is set by days.
func (l *life) token(m member) string {
	token, _, err := l.alive()[0].auth.Session(auth.User{ID: m.userID, Tenant: "default"})
	l.ok(err)
	return token
}

// act lets an agent work.
func (l *life) act(i int, a agent) {
	me := l.staff[i]
	for n, act := range a.acts {
		time.Sleep(act.pause) // the plan's time
		switch act.what {
		case "idle", "offline":
			l.call(i+n, l.token(me), "PUT", "/v1/agents/"+me.agentID+"/presence", "", map[string]any{"state": act.what}, nil)
			continue
		case "limit":
			l.call(i+n, apiKey, "PATCH", "/v1/agents/"+me.agentID, "", map[string]any{"limit": act.limit}, nil)
			continue
		}
		c := l.conversationOf(i+n, act.person%len(l.people))
		if c == "" {
			continue
		}
		path := "/v1/conversations/" + c
		switch act.what {
		case "answer":
			l.answer(i, n, c, me, act)
		case "close":
			l.call(i+n, l.token(me), "POST", path+"/close", "", map[string]any{}, nil)
		case "reopen", "take":
			l.call(i+n, l.token(me), "POST", path+"/"+act.what, "", nil, nil)
		case "assign", "transfer":
			to := l.staff[(i+act.limit)%len(l.staff)].agentID
			l.call(i+n, l.token(me), "POST", path+"/"+act.what, "", map[string]any{"agent_id": to}, nil)
		case "queue":
			l.call(i+n, l.token(me), "POST", path+"/assign", "", map[string]any{"queue_id": l.queue}, nil)
		}
	}
}

// answer sends a message with an Idempotency-Key and repeats the request, at several replicas: it is one message.
func (l *life) answer(i, n int, conversation string, me member, act act) {
	text := fmt.Sprintf("answer %d-%d-%d", l.n, i, n)
	l.note(func() { l.maybe[text] = true })
	for r := range act.repeats + 1 {
		for try := range 4 {
			var m struct {
				ID string `json:"id"`
			}
			s := l.call(i+n+r+try, l.token(me), "POST", "/v1/conversations/"+conversation+"/messages", text, map[string]string{"text": text}, &m)
			if s == http.StatusAccepted {
				l.note(func() {
					if was := l.sent[text]; was != "" && was != m.ID {
						l.wrong = append(l.wrong, fmt.Sprintf("P3: the repeat of %q is message %s beside %s", text, m.ID, was))
					}
					l.sent[text] = m.ID
				})
			}
			if s >= 200 && s < 500 {
				break
			}
		}
	}
}
