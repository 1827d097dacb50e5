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
)

const (
	phoneID   = "209876543210987"
	appSecret = "0123456789abcdef0123456789abcdef"
)

type conversation struct {
	ID       string  `json:"id"`
	Status   string  `json:"status"`
	Handler  string  `json:"handler"`
	Standby  bool    `json:"standby"`
	Peer     string  `json:"peer"`
	Seq      int64   `json:"seq"`
	QueueID  *string `json:"queue_id"`
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

// do makes a request that has to succeed, as a client does: what is answered 503 is sent again.
func (t *test) do(method, path, key string, in, out any) {
	t.Helper()
	var err error
	t.eventually(method+" "+path+" is answered", func() bool {
		err = t.call(t.Context(), method, path, key, in, out)
		return statusOf(err) != http.StatusServiceUnavailable
	})
	if err != nil {
		t.Fatal(err)
	}
}

var whatsappChannel = simulated{
	typ: "whatsapp", account: phoneID, settings: map[string]any{"provider": "cloud", "phone_number_id": phoneID, "waba_id": "1"},
	secrets: map[string]string{"app_secret": appSecret, "access_token": "token-of-the-test", "verify_token": "verify-of-the-test"},
}

// connect makes the test's own channel.
func (t *test) connect() { t.channel = t.connects(whatsappChannel) }

// register tells the simulator about it again.
func (t *test) register() { t.registers(whatsappChannel, t.channel) }

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
	return t.hook("whatsapp", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)), body)
}

// hook posts a signed webhook to the channel; 0: it was not answered.
func (t *test) hook(family, header, signature, body string) int {
	req, err := http.NewRequestWithContext(t.Context(), "POST", t.url+"/webhooks/"+family+"/"+t.channel, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set(header, signature)
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
	if s := t.post("1", "x", "x"); s != 401 {
		t.Errorf("an unknown channel was answered %d, not as a forged call is", s)
	}
	t.channel = real
	err := t.call(t.Context(), "POST", "/v1/conversations/"+conversationID+"/messages", "bad", map[string]any{"text": 5, "txt": "x"}, nil)
	if err == nil || !strings.Contains(err.Error(), "422") || !strings.Contains(err.Error(), "/text") || !strings.Contains(err.Error(), "txt") {
		t.Errorf("a bad body was answered %v", err)
	}
}
