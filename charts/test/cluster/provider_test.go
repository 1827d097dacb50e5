package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// provider is WhatsApp, Telegram and LINE as the gateway sees them: it takes messages, and as WhatsApp sends signed receipts of each.
type provider struct {
	*stand
	url  string
	work sync.WaitGroup

	mu   sync.Mutex
	sent map[string]int // by text
	n    int
}

func newProvider(s *stand) *provider {
	s.Helper()
	p := &provider{stand: s, sent: map[string]int{}}
	p.url = s.serve(p)
	s.Cleanup(p.work.Wait)
	return p
}

// serve answers at an address that pods reach, until the test ends.
func (s *stand) serve(h http.Handler) (url string) {
	s.Helper()
	l, err := net.Listen("tcp", s.node+":0")
	if err != nil {
		s.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	s.Cleanup(func() { _ = server.Close() })
	return "http://" + l.Addr().String()
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		To       string
		Text     any // a text, or an object with one
		Messages []struct{ Text string }
	}
	b, err := io.ReadAll(r.Body)
	if err == nil {
		_ = json.Unmarshal(b, &in) // whatever is no message
	}
	w.Header().Set("Content-Type", "application/json")
	switch body, _ := in.Text.(map[string]any); {
	case strings.HasPrefix(r.URL.Path, "/bot"):
		answer := "true"
		if said, _ := in.Text.(string); strings.HasSuffix(r.URL.Path, "/sendMessage") {
			answer = fmt.Sprintf(`{"message_id":%d,"date":1,"chat":{"id":1,"type":"private"}}`, 1_000_000+p.took(said))
		}
		_, _ = fmt.Fprintf(w, `{"ok":true,"result":%s}`, answer)
	case strings.HasPrefix(r.URL.Path, "/v2/bot/message/") && len(in.Messages) == 1:
		_, _ = fmt.Fprintf(w, `{"sentMessages":[{"id":"%d","quoteToken":"q"}]}`, p.took(in.Messages[0].Text))
	case body != nil && strings.HasSuffix(r.URL.Path, "/messages"):
		id := fmt.Sprintf("wamid.out.%d", p.took(fmt.Sprint(body["body"])))
		_, _ = fmt.Fprintf(w, `{"messaging_product":"whatsapp","contacts":[{"input":%q,"wa_id":%[1]q}],"messages":[{"id":%q}]}`, in.To, id)
		p.work.Go(func() { p.receipts(id, in.To) })
	default:
		_, _ = io.WriteString(w, "{}") // whatever else is asked
	}
}

// took notes a message, and returns its number.
func (p *provider) took(text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[text]++
	p.n++
	return p.n
}

// receipts sends all that WhatsApp has to tell of a message, each until it is taken.
func (p *provider) receipts(id, to string) {
	for _, status := range []string{"sent", "delivered", "read"} {
		body := change(fmt.Sprintf(`"statuses":[{"id":%q,"status":%q,"timestamp":"%d","recipient_id":%q}]`, id, status, time.Now().Unix(), to))
		for p.post(fresh, whatsApp, body) != nil && p.Context().Err() == nil {
			time.Sleep(200 * time.Millisecond)
		}
	}
}

// counts is how often each text was sent.
func (p *provider) counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.sent)
}

// post sends a webhook as the provider proves it; anything but 200 is an error.
func (p *provider) post(by *http.Client, k *kind, body string) error {
	req, err := http.NewRequestWithContext(context.WithoutCancel(p.Context()), http.MethodPost, p.stand.url("/webhooks/"+k.name+"/"+p.channels[k.name]), strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	k.prove(req.Header, body)
	resp, err := by.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1000)) // to its end: the connection is kept
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %s", resp.StatusCode, text)
	}
	return nil
}
