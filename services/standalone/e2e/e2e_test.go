package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/proof"
)

const (
	phoneID   = "209876543210987"
	appSecret = "0123456789abcdef0123456789abcdef"
)

type conversation struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Handler  string `json:"handler"`
	Peer     string `json:"peer"`
	Seq      int64  `json:"seq"`
	Assignee *struct {
		ID string `json:"id"`
	} `json:"assignee"`
}

type message struct {
	ID          string   `json:"id"`
	Seq         int64    `json:"seq"`
	Direction   string   `json:"direction"`
	Text        string   `json:"text"`
	Status      string   `json:"status"`
	ExternalIDs []string `json:"external_ids"`
	Statuses    []struct {
		Status string `json:"status"`
	} `json:"statuses"`
}

type page[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
	PrevCursor *string `json:"prev_cursor"`
}

// test is a platform with a connected WhatsApp channel.
type test struct {
	*testing.T
	*platform
	channel string
}

// each runs a test against one process and against separate ones, at once: they wait more than they work.
func each(t *testing.T, f func(t *test)) {
	t.Parallel()
	bin := os.Getenv("BIN")
	if bin == "" {
		t.Skip("BIN is not set: make test-e2e builds the binaries and sets it")
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"one process", "separate processes"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			log := &bytes.Buffer{}
			dir := t.TempDir()
			if keep := os.Getenv("KEEP"); keep != "" { // to look at what a failure left
				var err error
				if dir, err = os.MkdirTemp(keep, "e2e"); err != nil {
					t.Fatal(err)
				}
			}
			p, err := newPlatform(bin, dir, mode != "one process", &locked{w: log})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := p.stop(); err != nil {
					t.Error(err)
				}
				if t.Failed() {
					t.Logf("log:\n%.8000s", log)
				}
			})
			began := time.Now()
			if err := p.start(); err != nil {
				t.Fatal(err)
			}
			t.Logf("ready after %d ms", time.Since(began).Milliseconds())
			x := &test{T: t, platform: p}
			x.connect()
			f(x)
		})
	}
}

type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (t *test) do(method, path, key string, in, out any) {
	t.Helper()
	if err := t.call(t.Context(), method, path, key, in, out); err != nil {
		t.Fatal(err)
	}
}

// connect makes a channel and tells the simulator about it; the type's service may have to announce itself first.
func (t *test) connect() {
	t.Helper()
	settings := map[string]any{"provider": "cloud", "phone_number_id": phoneID, "waba_id": "1", "api_base_url": t.url + "/simulator/whatsapp"}
	secrets := map[string]string{"app_secret": appSecret, "access_token": "token-of-the-test", "verify_token": "verify-of-the-test"}
	var ch struct {
		ID  string `json:"id"`
		URL string `json:"webhook_url"`
	}
	t.eventually("a channel can be made", func() bool {
		return t.call(t.Context(), "POST", "/v1/channels", "channel", map[string]any{"type": "whatsapp", "name": "Test", "settings": settings, "secrets": secrets}, &ch) == nil
	})
	t.channel = ch.ID
	t.register()
}

// register tells the simulator about the account; it keeps nothing over a restart.
func (t *test) register() {
	t.Helper()
	settings := map[string]any{"provider": "cloud", "phone_number_id": phoneID, "waba_id": "1", "api_base_url": t.url + "/simulator/whatsapp"}
	secrets := map[string]string{"app_secret": appSecret, "access_token": "token-of-the-test", "verify_token": "verify-of-the-test"}
	t.do("POST", "/simulator/accounts", "", map[string]any{"type": "whatsapp", "settings": settings, "secrets": secrets, "webhook_url": t.url + "/webhooks/whatsapp/" + t.channel}, nil)
}

func (t *test) eventually(what string, ok func() bool) {
	t.Helper()
	limit := time.Minute
	if t.real != nil {
		limit *= 3 // a real broker misses a member that was killed only after its session, 30 s, and each that joined meanwhile after another
	}
	until := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(until) {
			t.Fatalf("did not happen: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// post sends a signed webhook with one text message and returns the status.
func (t *test) post(from, id, text string) int {
	body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":%q},"contacts":[{"profile":{"name":"P"},"wa_id":%q}],"messages":[{"from":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]}}]}]}`,
		phoneID, from, from, id, time.Now().Unix(), text)
	return t.webhook(body, appSecret)
}

func (t *test) webhook(body, secret string) int {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(t.Context(), "POST", t.url+"/webhooks/whatsapp/"+t.channel, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func (t *test) find(peer string) *conversation {
	var list page[conversation]
	if t.call(t.Context(), "GET", "/v1/conversations?limit=200", "", nil, &list) != nil {
		return nil
	}
	for _, c := range list.Data {
		if c.Peer == peer {
			return &c
		}
	}
	return nil
}

func (t *test) accepted() (texts map[string]int) {
	var list struct {
		Data []struct {
			Text   string `json:"text"`
			Copies int    `json:"copies"`
		} `json:"data"`
	}
	texts = map[string]int{}
	if t.call(t.Context(), "GET", "/simulator/messages?type=whatsapp&limit=20000", "", nil, &list) != nil {
		return texts
	}
	for _, m := range list.Data {
		texts[m.Text] += m.Copies
	}
	return texts
}

func TestAWebhookBecomesAConversationAndItsAnswerReturns(t *testing.T) {
	each(t, func(t *test) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		events := t.listen(ctx)
		began := time.Now()
		if s := t.post("4915112345678", "wamid.first", "hello"); s != 200 {
			t.Fatalf("the webhook was answered %d", s)
		}
		var c *conversation
		t.eventually("the conversation is listed", func() bool { c = t.find("4915112345678"); return c != nil && c.Seq > 1 })
		t.Logf("visible %d ms after the webhook", time.Since(began).Milliseconds())
		var m message
		t.do("POST", "/v1/conversations/"+c.ID+"/messages", "answer-1", map[string]string{"text": "Hi! How can we help?"}, &m)
		t.eventually("the answer is read", func() bool {
			var now message
			return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == "read" && len(now.ExternalIDs) == 1
		})
		if n := t.accepted()["Hi! How can we help?"]; n != 1 {
			t.Errorf("the provider accepted the answer %d times", n)
		}
		var again message
		t.do("POST", "/v1/conversations/"+c.ID+"/messages", "answer-1", map[string]string{"text": "Hi! How can we help?"}, &again)
		if again.ID != m.ID {
			t.Errorf("a repeat made message %s beside %s", again.ID, m.ID)
		}
		t.eventually("the stream told of it", func() bool {
			return slices.Contains(events(), "message.created") && slices.Contains(events(), "message.updated")
		})
		t.badInput(c.ID)
	})
}

// listen collects the types of events from the stream.
func (t *test) listen(ctx context.Context) func() []string {
	var mu sync.Mutex
	var types []string
	ready := make(chan struct{})
	go func() {
		once := sync.OnceFunc(func() { close(ready) })
		defer once()
		req, err := http.NewRequestWithContext(ctx, "GET", t.url+"/v1/events", nil)
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer "+t.key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return
		}
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			if typ, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				mu.Lock()
				types = append(types, typ)
				mu.Unlock()
				once()
			}
		}
	}()
	<-ready
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(types)
	}
}

func (t *test) badInput(conversationID string) {
	t.Helper()
	if s := t.webhook(`{"object":"whatsapp_business_account"}`, "another secret"); s != 401 {
		t.Errorf("a forged webhook was answered %d", s)
	}
	if s := t.webhook(`this is no JSON`, appSecret); s != 200 {
		t.Errorf("a signed body that means nothing was answered %d", s)
	}
	if s := t.webhook(`{"x":"`+strings.Repeat("a", 8<<20)+`"}`, appSecret); s != 413 {
		t.Errorf("a body over the cap was answered %d", s)
	}
	real := t.channel
	t.channel = "ch_nobody"
	if s := t.post("1", "x", "x"); s != 404 {
		t.Errorf("an unknown channel was answered %d", s)
	}
	t.channel = real
	err := t.call(t.Context(), "POST", "/v1/conversations/"+conversationID+"/messages", "bad", map[string]any{"text": 5, "txt": "x"}, nil)
	if err == nil || !strings.Contains(err.Error(), "422") || !strings.Contains(err.Error(), "/text") || !strings.Contains(err.Error(), "txt") {
		t.Errorf("a bad body was answered %v", err)
	}
}

func TestRoutingGivesItToAnAgentWhoIsThere(t *testing.T) {
	each(t, func(t *test) {
		var user struct {
			AgentID string `json:"agent_id"`
		}
		t.do("POST", "/v1/users", "u1", map[string]string{"name": "Ana", "email": "ana@example.com", "role": "agent"}, &user)
		var queue struct {
			ID string `json:"id"`
		}
		t.do("POST", "/v1/queues", "q1", map[string]any{"name": "Support", "agent_ids": []string{user.AgentID}}, &queue)
		t.do("PATCH", "/v1/channels/"+t.channel, "", map[string]any{"queue_id": queue.ID}, nil)
		t.post("4915100000001", "wamid.r1", "is anybody there?")
		var c *conversation
		t.eventually("it waits", func() bool { c = t.find("4915100000001"); return c != nil })
		t.do("PUT", "/v1/agents/"+user.AgentID+"/presence", "", map[string]string{"state": "idle"}, nil)
		t.eventually("the agent has it", func() bool {
			c = t.find("4915100000001")
			return c != nil && c.Assignee != nil && c.Assignee.ID == user.AgentID
		})
		var why page[struct {
			Outcome string `json:"outcome"`
		}]
		t.eventually("the decision is explained", func() bool {
			return t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/routing", "", nil, &why) == nil && len(why.Data) > 0
		})
	})
}

// TestP13_KilledInTheMiddle kills everything with -9 while webhooks arrive and answers leave, and starts it again: what was
// acknowledged is there once, in order, with a gapless sequence; the provider got every answer at most once, and every answer
// has a fate.
func TestP13_KilledInTheMiddle(t *testing.T) {
	each(t, func(t *test) {
		if s := t.post("4915199999999", "wamid.k0", "text 0"); s != 200 {
			t.Fatalf("webhook %d", s)
		}
		var c *conversation
		t.eventually("the conversation is there", func() bool { c = t.find("4915199999999"); return c != nil })
		var mu sync.Mutex
		acked, sent := []string{"wamid.k0"}, map[string]string{}
		round := func(r int) {
			var wg sync.WaitGroup
			stop := make(chan struct{})
			wg.Go(func() {
				for i := range 400 {
					select {
					case <-stop:
						return
					default:
					}
					id := fmt.Sprintf("wamid.k%d-%d", r, i)
					if t.post("4915199999999", id, "text "+id) == 200 {
						mu.Lock()
						acked = append(acked, id)
						mu.Unlock()
					}
				}
			})
			wg.Go(func() {
				for i := range 14 { // WhatsApp takes 45 at once from one sender to one person, then one in six seconds
					select {
					case <-stop:
						return
					default:
					}
					time.Sleep(25 * time.Millisecond)
					var m message
					text := fmt.Sprintf("answer %d-%d", r, i)
					if t.call(t.Context(), "POST", "/v1/conversations/"+c.ID+"/messages", text, map[string]string{"text": text}, &m) == nil {
						mu.Lock()
						sent[m.ID] = text
						mu.Unlock()
					}
				}
			})
			time.Sleep(400 * time.Millisecond)
			t.kill(t.victims()...)
			close(stop)
			wg.Wait()
			if err := t.start(); err != nil {
				t.Fatal(err)
			}
			if !t.separate {
				t.register()
			}
		}
		for r := range 3 {
			round(r)
		}
		t.check(c.ID, acked, sent)
	})
}

// victims is what is killed: all that keep state. The simulated provider stays where it can, to count what it got.
func (p *platform) victims() []string {
	if !p.separate {
		return nil
	}
	out := []string{"servers"}
	for s := range services {
		if s != "simulator" {
			out = append(out, s)
		}
	}
	return out
}

func (t *test) check(id string, acked []string, sent map[string]string) {
	t.Helper()
	var all []message
	missing, open := 0, 0
	defer func() {
		if missing+open > 0 {
			t.Logf("%d acknowledged messages are not there, %d answers have no fate", missing, open)
			for _, m := range all {
				if m.Direction == "outbound" && m.Status == "queued" {
					var d any
					_ = t.call(context.Background(), "GET", "/v1/messages/"+m.ID+"/deliveries", "", nil, &d)
					t.Logf("%s %q: %v", m.ID, m.Text, d)
				}
			}
		}
	}()
	t.eventually("every acknowledged message is there and every answer has a fate", func() bool {
		all = t.everything(id)
		byRef := map[string]int{}
		missing, open = 0, 0
		for _, m := range all {
			for _, x := range m.ExternalIDs {
				byRef[x]++
			}
			if m.Direction == "outbound" && m.Status == "queued" {
				open++
			}
		}
		for _, ref := range acked {
			if byRef[ref] == 0 {
				missing++
			}
		}
		return missing+open == 0
	})
	refs, ids := map[string]int{}, map[string]bool{}
	fates := map[string]int{}
	for _, m := range all {
		ids[m.ID] = true
		if m.Direction == "inbound" {
			refs[m.ExternalIDs[0]]++
			continue
		}
		fates[m.Status]++
	}
	doubled := 0
	for _, n := range refs {
		if n > 1 {
			doubled++
		}
	}
	lost := 0
	for m := range sent {
		if !ids[m] {
			lost++
		}
	}
	twice := 0
	for _, n := range t.accepted() {
		if n > 1 {
			twice++
		}
	}
	if doubled > 0 || lost > 0 || twice > 0 {
		t.Errorf("doubled %d, answers lost %d, accepted twice by the provider %d", doubled, lost, twice)
	}
	t.gapless(id)
	proof.Report(t.T, proof.Figures{Events: len(acked) + len(sent), Faults: 3, Lost: lost, Doubled: doubled + twice})
	t.Logf("3 kills: %d webhooks acknowledged, 0 lost, %d doubled; %d answers acknowledged, %d lost, %d twice at the provider; fates %v", len(acked), doubled, len(sent), lost, twice, fates)
}

// everything reads all messages of a conversation, page by page.
func (t *test) everything(id string) (out []message) {
	before := ""
	for {
		var list page[message]
		if t.call(t.Context(), "GET", "/v1/conversations/"+id+"/messages?limit=200"+before, "", nil, &list) != nil {
			return nil
		}
		out = append(slices.Clone(list.Data), out...)
		if list.PrevCursor == nil {
			return out
		}
		before = "&before=" + *list.PrevCursor
	}
}

// gapless checks that messages and events together are numbered 1, 2, 3 …
func (t *test) gapless(id string) {
	t.Helper()
	seqs, err := t.sequence(id)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range seqs {
		if s != int64(i+1) {
			t.Fatalf("the sequence has a gap or a repeat at %d: %d", i+1, s)
		}
	}
}

// sequence is the numbers of messages and events together, sorted.
func (t *test) sequence(id string) (seqs []int64, err error) {
	type item struct {
		Message *message `json:"message"`
		Event   *struct {
			Seq int64 `json:"seq"`
		} `json:"event"`
	}
	for before := ""; ; {
		var list page[item]
		if err := t.call(t.Context(), "GET", "/v1/conversations/"+id+"/timeline?limit=200"+before, "", nil, &list); err != nil {
			return nil, err
		}
		for _, it := range list.Data {
			if it.Message != nil {
				seqs = append(seqs, it.Message.Seq)
			} else {
				seqs = append(seqs, it.Event.Seq)
			}
		}
		if list.PrevCursor == nil {
			slices.Sort(seqs)
			return seqs, nil
		}
		before = "&before=" + *list.PrevCursor
	}
}

func TestTelegramThereAndBack(t *testing.T) {
	each(t, func(t *test) {
		settings := map[string]any{"bot_username": "e2e_bot", "api_base_url": t.url + "/simulator/telegram"}
		secrets := map[string]string{"bot_token": "700:abcdefghijklmnopqrstuvwxyz", "webhook_secret": "hook-secret"}
		var ch struct {
			ID  string `json:"id"`
			URL string `json:"webhook_url"`
		}
		t.do("POST", "/v1/channels", "tg", map[string]any{"type": "telegram", "name": "Bot", "settings": settings, "secrets": secrets}, &ch)
		t.do("POST", "/simulator/accounts", "", map[string]any{"type": "telegram", "settings": settings, "secrets": secrets, "webhook_url": t.url + "/webhooks/telegram/" + ch.ID}, nil)
		var in struct {
			Status int    `json:"status"`
			ID     string `json:"id"`
		}
		t.do("POST", "/simulator/inbound", "", map[string]any{"type": "telegram", "from": "3527065", "name": "Kim", "kind": "image", "text": "look"}, &in)
		if in.Status != 200 {
			t.Fatalf("the webhook was answered %d", in.Status)
		}
		var c *conversation
		t.eventually("the conversation is listed", func() bool { c = t.find("3527065"); return c != nil })
		t.eventually("the picture was fetched", func() bool {
			var list struct {
				Data []struct {
					Attachments []struct {
						State string `json:"state"`
					} `json:"attachments"`
				} `json:"data"`
			}
			_ = t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/messages", "", nil, &list)
			return len(list.Data) == 1 && len(list.Data[0].Attachments) == 1 && list.Data[0].Attachments[0].State == "ready"
		})
		var m message
		t.do("POST", "/v1/conversations/"+c.ID+"/messages", "tg-1", map[string]string{"text": "Nice!"}, &m)
		t.eventually("the answer is sent", func() bool {
			var now message
			return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == "sent" && len(now.ExternalIDs) == 1
		})
	})
}
