package history

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// mood is what the provider does with a call.
type mood int

const (
	takes      mood = iota
	refuses         // for good
	breaks          // 500, and nothing was sent
	breaksLate      // 500, and yet it was sent
	silent          // no answer, and nothing was sent
	silentLate      // no answer, and yet it was sent
	hesitates       // takes it, in its own time
	throttles       // not now
	moods      = iota
)

// shown is a message that reached a person.
type shown struct{ id, to, ref, text string }

// provider plays the platforms of all types: it takes messages, remembers what reached a person, and says what became of it.
type provider struct {
	*httptest.Server
	of  *platform
	say func(shown)

	mu     sync.Mutex
	plan   []mood
	faults int64
	hold   chan struct{}  // while not nil, calls wait for its end before they are answered
	holds  string         // only those of this type; empty: all
	open   int            // calls under way
	taken  map[string]int // by text: how often it reached the person
	order  map[string][]string
	keys   map[string]int // LINE's retry keys that were used: which message it was
	n      int
}

func newProvider(t testing.TB, of *platform) *provider {
	p := &provider{of: of, taken: map[string]int{}, order: map[string][]string{}, keys: map[string]int{}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// next is the mood for the call under way. After the plan the provider is well.
func (p *provider) next() mood {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.plan) == 0 {
		return takes
	}
	m := p.plan[0]
	p.plan = p.plan[1:]
	if m != takes {
		p.faults++
	}
	return m
}

func (p *provider) arrive(to, text string) (id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	p.taken[text]++
	p.order[to] = append(p.order[to], text)
	return p.n
}

// ServeHTTP implements http.Handler.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/line/v2/bot/message/"):
		p.line(w, r.Header.Get("X-Line-Retry-Key"), body)
	case strings.HasPrefix(r.URL.Path, "/line/v2/bot/profile/"):
		_, _ = fmt.Fprintf(w, `{"userId":%q,"displayName":"Named"}`, strings.TrimPrefix(r.URL.Path, "/line/v2/bot/profile/"))
	case strings.HasPrefix(r.URL.Path, "/facebook/"):
		p.meta(w, "facebook", body)
	case strings.HasPrefix(r.URL.Path, "/instagram/"):
		p.meta(w, "instagram", body)
	case strings.HasPrefix(r.URL.Path, "/wechat/"):
		p.wechat(w, r.URL.Path, body)
	case strings.HasPrefix(r.URL.Path, "/x/"):
		p.x(w, r.URL.Path, body)
	case strings.HasPrefix(r.URL.Path, "/rcs/"):
		p.rcs(w, body)
	case strings.HasSuffix(r.URL.Path, "/messages"):
		p.whatsapp(w, body)
	case strings.HasSuffix(r.URL.Path, "/sendMessage"):
		p.telegram(w, body)
	default:
		_, _ = io.WriteString(w, `{"ok":true,"result":true,"success":true}`)
	}
}

func (p *provider) whatsapp(w http.ResponseWriter, body []byte) {
	var m struct {
		To   string `json:"to"`
		Ref  string `json:"biz_opaque_callback_data"`
		Text *struct {
			Body string `json:"body"`
		} `json:"text"`
	}
	if json.Unmarshal(body, &m) != nil || m.Text == nil {
		_, _ = io.WriteString(w, `{"success":true}`)
		return
	}
	p.answer(w, m.To, m.Text.Body, answers{
		kind: "whatsapp",
		taken: func(n int) string {
			id := fmt.Sprintf("wamid.OUT%d", n)
			p.say(shown{id, m.To, m.Ref, m.Text.Body})
			return fmt.Sprintf(`{"messaging_product":"whatsapp","contacts":[{"input":%q,"wa_id":%q}],"messages":[{"id":%q}]}`, m.To, m.To, id)
		},
		refused:   `{"error":{"code":131026,"message":"undeliverable"}}`,
		throttled: `{"error":{"code":130429,"message":"too fast"}}`,
	})
}

func (p *provider) telegram(w http.ResponseWriter, body []byte) {
	var m struct {
		Chat json.RawMessage `json:"chat_id"`
		Text string          `json:"text"`
	}
	if json.Unmarshal(body, &m) != nil {
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	chat := strings.Trim(string(m.Chat), `"`)
	p.answer(w, chat, m.Text, answers{
		kind: "telegram",
		taken: func(n int) string {
			return fmt.Sprintf(`{"ok":true,"result":{"message_id":%d,"chat":{"id":%s}}}`, 1e6+n, chat)
		},
		refused:   `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`,
		throttled: `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 1","parameters":{"retry_after":1}}`,
	})
}

// meta takes messages of Facebook or Instagram; of people it tells nothing.
func (p *provider) meta(w http.ResponseWriter, kind string, body []byte) {
	var m struct {
		Recipient struct {
			ID string `json:"id"`
		} `json:"recipient"`
		Message *struct {
			Text string `json:"text"`
		} `json:"message"`
	}
	if json.Unmarshal(body, &m) != nil || m.Message == nil {
		_, _ = io.WriteString(w, `{}`)
		return
	}
	p.answer(w, m.Recipient.ID, m.Message.Text, answers{
		kind: kind,
		taken: func(n int) string {
			return fmt.Sprintf(`{"recipient_id":%q,"message_id":"m_OUT%d"}`, m.Recipient.ID, n)
		},
		refused:   `{"error":{"code":551,"message":"This person isn't available right now."}}`,
		throttled: `{"error":{"code":613,"message":"too fast"}}`,
	})
}

// wechat takes messages and gives a token; of people it tells nothing. Its errors have the status 200.
func (p *provider) wechat(w http.ResponseWriter, path string, body []byte) {
	var m struct {
		To   string `json:"touser"`
		Text struct {
			Content string `json:"content"`
		} `json:"text"`
	}
	switch {
	case strings.HasSuffix(path, "/stable_token"):
		_, _ = io.WriteString(w, `{"access_token":"token","expires_in":7200}`)
	case json.Unmarshal(body, &m) != nil || m.To == "":
		_, _ = io.WriteString(w, `{"errcode":40003,"errmsg":"invalid openid"}`)
	default:
		p.answer(w, m.To, m.Text.Content, answers{
			kind:    "wechat",
			taken:   func(int) string { return `{"errcode":0,"errmsg":"ok"}` },
			refused: `{"errcode":43004,"errmsg":"require subscribe"}`, throttled: `{"errcode":45011,"errmsg":"api minute-quota reach limit"}`, always200: true,
		})
	}
}

// x takes messages; of people it tells nothing.
func (p *provider) x(w http.ResponseWriter, path string, body []byte) {
	var m struct {
		Text string `json:"text"`
	}
	to, isSend := strings.CutPrefix(path, "/x/2/dm_conversations/with/")
	if json.Unmarshal(body, &m) != nil || !isSend {
		_, _ = io.WriteString(w, `{"errors":[{"title":"Not Found Error"}]}`)
		return
	}
	p.answer(w, strings.TrimSuffix(to, "/messages"), m.Text, answers{
		kind: "x",
		taken: func(n int) string {
			return fmt.Sprintf(`{"data":{"dm_conversation_id":"1-2","dm_event_id":"%d"}}`, 5e18+n)
		},
		refused:   `{"title":"Forbidden","detail":"You cannot send messages to this user.","status":403}`,
		throttled: `{"title":"Too Many Requests","status":429}`,
	})
}

// rcs takes messages of an agent on a platform of the GSMA.
func (p *provider) rcs(w http.ResponseWriter, body []byte) {
	var m struct {
		Message struct {
			Text string `json:"textMessage"`
		} `json:"RCSMessage"`
		Contact struct {
			Number string `json:"userContact"`
		} `json:"messageContact"`
	}
	if json.Unmarshal(body, &m) != nil || m.Message.Text == "" {
		_, _ = io.WriteString(w, `{}`)
		return
	}
	p.answer(w, m.Contact.Number, m.Message.Text, answers{
		kind:      "rcs",
		taken:     func(n int) string { return fmt.Sprintf(`{"RCSMessage":{"msgId":"MxOUT%d","status":"pending"}}`, n) },
		refused:   `{"error":{"code":"403","message":"the contact takes no messages of this agent"}}`,
		throttled: `{"error":{"code":"429","message":"too fast"}}`,
	})
}

// line takes a reply by its token, which names the person, and a push with a retry key once.
func (p *provider) line(w http.ResponseWriter, key string, body []byte) {
	var m struct {
		Token    string `json:"replyToken"`
		To       string `json:"to"`
		Messages []struct {
			Text string `json:"text"`
		} `json:"messages"`
	}
	if json.Unmarshal(body, &m) != nil || len(m.Messages) != 1 {
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	if m.To == "" {
		m.To, _, _ = strings.Cut(m.Token, "/")
	}
	sent := func(n int) string { return fmt.Sprintf(`{"sentMessages":[{"id":"%d"}]}`, 1e9+n) }
	p.mu.Lock()
	before, used := p.keys[key]
	p.mu.Unlock()
	if key != "" && used {
		w.Header().Set("X-Line-Accepted-Request-Id", "before")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, sent(before))
		return
	}
	p.answer(w, m.To, m.Messages[0].Text, answers{
		kind: "line",
		taken: func(n int) string {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.keys[key] = n
			return sent(n)
		},
		refused:   `{"message":"Failed to send messages"}`,
		throttled: `{"message":"The API rate limit has been exceeded. Try again later."}`,
	})
}

func (p *provider) enter(kind string) {
	p.mu.Lock()
	p.open++
	hold := p.hold
	if p.holds != "" && p.holds != kind {
		hold = nil
	}
	p.mu.Unlock()
	if hold != nil {
		<-hold
	}
}

func (p *provider) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
}

// busy tells how many calls are under way.
func (p *provider) busy() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

type answers struct {
	kind               string             // the channel type
	taken              func(n int) string // also lets the receipts follow
	refused, throttled string
	always200          bool // also when it refuses
}

func (p *provider) answer(w http.ResponseWriter, to, text string, a answers) {
	p.enter(a.kind)
	defer p.leave()
	switch m := p.next(); m {
	case refuses:
		if !a.always200 {
			w.WriteHeader(map[bool]int{true: 403, false: 400}[strings.Contains(a.refused, "403")])
		}
		_, _ = io.WriteString(w, a.refused)
	case throttles:
		if !a.always200 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		_, _ = io.WriteString(w, a.throttled)
	case breaks, breaksLate:
		if m == breaksLate {
			a.taken(p.arrive(to, text))
		}
		http.Error(w, "oops", http.StatusInternalServerError)
	case silent, silentLate:
		if m == silentLate {
			a.taken(p.arrive(to, text))
		}
		panic(http.ErrAbortHandler)
	default:
		if m == hesitates {
			time.Sleep(150 * time.Millisecond) // a slow provider, not a wait for anything
		}
		_, _ = io.WriteString(w, a.taken(p.arrive(to, text)))
	}
}
