package cluster

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
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

const (
	phone, account = "109876543210987", "100200300400501"
	secret         = "check-check-check-check"
)

// provider is WhatsApp as the gateway sees it: it takes messages, and sends signed receipts of each.
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
	l, err := net.Listen("tcp", s.node+":0")
	if err != nil {
		s.Fatal(err)
	}
	p := &provider{stand: s, url: "http://" + l.Addr().String(), sent: map[string]int{}}
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	s.Cleanup(func() {
		_ = server.Close()
		p.work.Wait()
	})
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		To   string
		Text struct{ Body string }
	}
	b, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(b, &in) != nil || !strings.HasSuffix(r.URL.Path, "/messages") || in.Text.Body == "" {
		w.WriteHeader(http.StatusOK) // whatever else is asked
		_, _ = io.WriteString(w, "{}")
		return
	}
	p.mu.Lock()
	p.sent[in.Text.Body]++
	p.n++
	id := fmt.Sprintf("wamid.out.%d", p.n)
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"messaging_product":"whatsapp","contacts":[{"input":%q,"wa_id":%q}],"messages":[{"id":%q}]}`, in.To, in.To, id)
	p.work.Go(func() {
		for _, status := range []string{"sent", "delivered", "read"} {
			value := fmt.Sprintf(`"statuses":[{"id":%q,"status":%q,"timestamp":"%d","recipient_id":%q}]`, id, status, time.Now().Unix(), in.To)
			for p.post(value) != nil && p.Context().Err() == nil {
				time.Sleep(200 * time.Millisecond)
			}
		}
	})
}

// counts is how often each text was sent.
func (p *provider) counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.sent)
}

// post sends a webhook as the provider signs it; anything but 200 is an error.
func (p *provider) post(value string) error {
	body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":"15550102233","phone_number_id":%q},%s}}]}]}`, account, phone, value)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(context.WithoutCancel(p.Context()), http.MethodPost, p.stand.url("/webhooks/whatsapp/"+p.channel), bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := fresh.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("%d %s", resp.StatusCode, text)
	}
	return nil
}

// write is a person's message; n is its number.
func (p *provider) write(n int) error {
	from := person(n)
	return p.post(fmt.Sprintf(`"contacts":[{"profile":{"name":"Person"},"wa_id":%q}],"messages":[{"from":%q,"id":"wamid.in.%d","timestamp":"%d","type":"text","text":{"body":%q}}]`,
		from, from, n, time.Now().Unix(), text(n)))
}

func person(n int) string { return fmt.Sprintf("491511%06d", n%20) }

func text(n int) string { return fmt.Sprintf("in %d", n) }
