package gatewaytest

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// Answer is what the provider does with a call.
type Answer struct {
	Status int  // 0: 200
	Taken  bool // the message arrives although the status says otherwise, or no answer comes
	Silent bool // the connection is cut instead of an answer
	After  string
	Scope  fault.Scope   // of a 429
	Wait   chan struct{} // the answer comes when it is closed
}

// Provider is the toy's provider: an HTTP server that remembers what reached a person.
type Provider struct {
	*httptest.Server

	mu      sync.Mutex
	script  func(s Sending, call int) Answer
	taken   map[string]int      // by id of the part: how often it reached the person
	order   map[string][]string // by recipient: the ids in the order in which they arrived
	calls   map[string]int      // by id: calls seen
	handles map[string]int      // by reply handle: how often a message with it reached a person
	open    int                 // calls being answered
	most    int
	auth    []string
	uploads []string
	signals []string
	states  map[string]string    // by message: what the last action has made of it
	at      map[string]time.Time // by id of the part: when it reached the person last

	over chan struct{} // the provider ends: nothing waits any more
	once sync.Once
}

// NewProvider starts a provider that ends with the test. script decides about the nth call (1 …) of a part; nil takes all.
func NewProvider(t testing.TB, script func(s Sending, call int) Answer) *Provider {
	p := &Provider{script: script, taken: map[string]int{}, order: map[string][]string{}, calls: map[string]int{}, handles: map[string]int{},
		states: map[string]string{}, at: map[string]time.Time{}, over: make(chan struct{})}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// Close ends the provider, and the calls that still wait for their answer: a test that has failed must not hang.
func (p *Provider) Close() {
	p.once.Do(func() { close(p.over) })
	p.Server.Close()
}

// Script replaces the script.
func (p *Provider) Script(script func(s Sending, call int) Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.script = script
}

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/send", "/reply", "/act":
		p.send(w, r)
	case "/upload":
		p.upload(w, r)
	case "/signal":
		b, _ := io.ReadAll(r.Body)
		p.note(func() { p.signals = append(p.signals, string(b)) })
	default:
		http.NotFound(w, r)
	}
}

func (p *Provider) note(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *Provider) send(w http.ResponseWriter, r *http.Request) {
	var s Sending
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	a := p.decide(s, r)
	defer p.note(func() { p.open-- })
	if a.Wait != nil {
		select {
		case <-a.Wait:
		case <-p.over:
		}
	}
	if a.Taken || a.Status == 0 && !a.Silent {
		p.note(func() {
			p.taken[s.ID]++
			if s.With != "" {
				p.handles[s.With]++
			}
			p.at[s.ID] = time.Now()
			p.order[s.To] = append(p.order[s.To], s.ID)
			p.act(s)
		})
	}
	if a.Silent {
		panic(http.ErrAbortHandler)
	}
	if a.After != "" {
		w.Header().Set("Retry-After", a.After)
	}
	w.Header().Set("X-Scope", string(a.Scope))
	if a.Status == 0 {
		_, _ = io.WriteString(w, "ref-"+s.ID)
		return
	}
	w.WriteHeader(a.Status)
}

// act makes an action's effect the message's. It holds the lock.
func (p *Provider) act(s Sending) {
	if s.Act != "" {
		p.states[s.Target] = string(s.Act) + ":" + s.Text
	}
}

// State tells what the last action has made of a message: its kind and text, with a colon between.
func (p *Provider) State(target string) string {
	return get(p, func() string { return p.states[target] })
}

func (p *Provider) decide(s Sending, r *http.Request) Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[s.ID]++
	p.open++
	p.most = max(p.most, p.open)
	p.auth = append(p.auth, r.Header.Get("Authorization"))
	if p.script == nil {
		return Answer{}
	}
	return p.script(s, p.calls[s.ID])
}

func (p *Provider) upload(w http.ResponseWriter, r *http.Request) {
	length := r.ContentLength
	if err := r.ParseMultipartForm(1 << 20); err != nil || len(r.MultipartForm.File["file"]) == 0 {
		http.Error(w, "bad form", http.StatusBadRequest)
		return
	}
	h := r.MultipartForm.File["file"][0]
	f, err := h.Open()
	if err != nil {
		http.Error(w, "bad file", http.StatusBadRequest)
		return
	}
	b, _ := io.ReadAll(f)
	p.note(func() {
		p.uploads = append(p.uploads, strings.Join([]string{r.FormValue("id"), h.Filename, h.Header.Get("Content-Type"), string(b), strconv.FormatBool(length > 0)}, "|"))
	})
	_, _ = io.WriteString(w, "ref-upload")
}

// Taken tells how often a part reached the person.
func (p *Provider) Taken(id string) int { return get(p, func() int { return p.taken[id] }) }

// Handles tells how often messages with a reply handle reached a person, by handle.
func (p *Provider) Handles() map[string]int {
	return get(p, func() map[string]int { return maps.Clone(p.handles) })
}

// TakenAt tells when a part reached the person last; zero if it has not.
func (p *Provider) TakenAt(id string) time.Time {
	return get(p, func() time.Time { return p.at[id] })
}

// Calls tells how often a part was called.
func (p *Provider) Calls(id string) int { return get(p, func() int { return p.calls[id] }) }

// Order tells what reached a person, in order.
func (p *Provider) Order(to string) []string {
	return get(p, func() []string { return slices.Clone(p.order[to]) })
}

// Most tells how many calls there were at once, at most.
func (p *Provider) Most() int { return get(p, func() int { return p.most }) }

// Auth lists the Authorization headers of all calls.
func (p *Provider) Auth() []string { return get(p, func() []string { return slices.Clone(p.auth) }) }

// Uploads lists what was uploaded: id, file name, type, content, and whether the length was announced.
func (p *Provider) Uploads() []string {
	return get(p, func() []string { return slices.Clone(p.uploads) })
}

// Signals lists the signals.
func (p *Provider) Signals() []string {
	return get(p, func() []string { return slices.Clone(p.signals) })
}

func get[T any](p *Provider, f func() T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return f()
}

// Egress is a client that may call this machine; it is closed with the test.
func Egress(t testing.TB) *egress.Client {
	c := egress.New(egress.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Blobs is a blob store in the test's own directory; it is closed with the test.
func Blobs(t testing.TB) *blob.Store {
	s, err := blob.Open(context.Background(), "file://"+t.TempDir(), storetest.New(t, blob.Specs...), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
