package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

const secret = "0123456789abcdef0123456789abcdef"

// peer is the id of the nth person.
func (l *life) peer(i int) string { return kinds[l.people[i].kind].peer(l.n, i) }

// write lets a person write: copies of a webhook go out at once, the next one only after it was acknowledged.
func (l *life) write(i int, p person) {
	var later sync.WaitGroup
	defer later.Wait()
	var n int
	l.note(func() { n = len(l.acked[l.peer(i)]) })
	for k, post := range p.posts {
		time.Sleep(post.pause) // the plan's time
		if !kinds[p.kind].batch {
			post.messages = 1
		}
		var refs []string
		for range post.messages {
			n++
			refs = append(refs, l.ref(i, n))
		}
		body := l.webhook(i, n-post.messages+1, n)
		l.note(func() {
			for _, r := range refs {
				l.tried[r] = true
			}
		})
		var copies sync.WaitGroup
		for c := range post.copies {
			copies.Go(func() { l.deliver(i+k+c, p.kind, body) })
		}
		copies.Wait()
		l.note(func() { l.acked[l.peer(i)] = append(l.acked[l.peer(i)], refs...) })
		if post.late {
			later.Go(func() {
				time.Sleep(time.Duration(100+rand.IntN(500)) * time.Millisecond) // a provider's late repeat
				l.deliver(i+k+1, p.kind, body)
			})
		}
	}
}

// ref is the provider's id of a person's nth message.
func (l *life) ref(i, n int) string { return kinds[l.people[i].kind].ref(l.peer(i), n) }

func (l *life) webhook(i, from, to int) []byte {
	var refs []string
	for n := from; n <= to; n++ {
		refs = append(refs, l.ref(i, n))
	}
	return kinds[l.people[i].kind].webhook(l, l.peer(i), refs)
}

// entry wraps what happened on the life's WhatsApp number.
func (l *life) entry(what string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":%q},%s}}]}]}`, l.phone(), what)
}

// deliver posts a webhook until it is acknowledged, as providers do.
func (l *life) deliver(n int, kind string, body []byte) {
	insist(func() int {
		n++
		ahead := l.ahead.Load()
		s := l.once(n, kind, body)
		if s == http.StatusUnauthorized && l.ahead.Load() != ahead {
			return s // the clock was set between the signature, which may have a time, and the look at it
		}
		if s == http.StatusUnauthorized || s == http.StatusNotFound || s == http.StatusBadRequest {
			l.wronged("P1: a signed webhook was answered %d", s)
		}
		if s == http.StatusOK {
			l.note(func() { l.webhooks++ })
		}
		return s
	})
}

func (l *life) once(n int, kind string, body []byte) int {
	req, err := http.NewRequest(http.MethodPost, l.url(n)+"/webhooks/"+kind+"/"+l.channels[kind], bytes.NewReader(body))
	if err != nil {
		return 0
	}
	kinds[kind].sign(l, req, body)
	status, _ := l.ask(req)
	return status
}

// ask makes a request; status 0 says that no answer came.
func (p *platform) ask(req *http.Request) (status int, body string) {
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(b)
}

// chat posts a message of a visitor of the web chat, who begins a session with the first.
func (l *life) chat(n, i int, ref string) int {
	base := l.url(n) + "/chat/" + l.channels["webchat"]
	ask := func(path, token string, body any) (int, string) {
		b, err := json.Marshal(body)
		l.ok(err)
		req, err := http.NewRequest(http.MethodPost, base+path, bytes.NewReader(b))
		if err != nil {
			return 0, ""
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		return l.ask(req)
	}
	l.mu.Lock()
	token := l.visitors[i]
	l.mu.Unlock()
	if token == "" {
		status, text := ask("/sessions", "", map[string]any{})
		var began struct {
			Token string `json:"token"`
		}
		if status != http.StatusCreated || json.Unmarshal([]byte(text), &began) != nil {
			return status
		}
		token = began.Token
		l.note(func() { l.visitors[i] = token })
	}
	status, _ := ask("/messages", token, map[string]string{"t": "message", "clientId": ref, "text": "text " + ref})
	return status
}

// report tells what became of a message at WhatsApp: in any order, some twice, some together in one webhook.
func (l *life) report(m shown) {
	statuses := []event.DeliveryStatus{event.Sent, event.Delivered, event.Read}[:1+rand.IntN(3)]
	if rand.IntN(3) == 0 {
		l.receive(m, statuses...)
		return
	}
	for _, i := range rand.Perm(len(statuses)) {
		for range 1 + rand.IntN(2) {
			l.receive(m, statuses[i])
		}
	}
}

func (l *life) receive(m shown, statuses ...event.DeliveryStatus) {
	var parts []string
	for _, s := range statuses {
		part := map[string]any{"id": m.id, "status": s, "timestamp": fmt.Sprint(time.Now().Unix()), "recipient_id": m.to}
		if m.ref != "" {
			part["biz_opaque_callback_data"] = m.ref
		}
		b, err := json.Marshal(part)
		l.ok(err)
		parts = append(parts, string(b))
	}
	l.deliver(rand.IntN(8), "whatsapp", l.entry(`"statuses":[`+strings.Join(parts, ",")+`]`))
	l.note(func() {
		if l.receipts[m.text] == nil {
			l.receipts[m.text] = set[event.DeliveryStatus]{}
		}
		for _, s := range statuses {
			l.receipts[m.text][s] = true
		}
	})
}

// conversationOf is the person's newest conversation, "" if there is none yet or nobody answers.
func (l *life) conversationOf(n, person int) string {
	for _, c := range l.conversations(n) {
		if c.Peer == l.peer(person) {
			return c.ID
		}
	}
	return ""
}
