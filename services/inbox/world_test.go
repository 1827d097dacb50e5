package inbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/services/inbox"
	"github.com/tributaryhq/tributary/services/inbox/feed"
	"github.com/tributaryhq/tributary/services/inbox/intake"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// house is what all tests share: a broker, a Redis, a store, and two replicas of the service on them.
type house struct {
	*bustest.Bus
	db       store.DB
	dir      *directory.Directory
	auth     *auth.Authenticator
	record   *record.Store // of the first replica's store, for looking and for making things happen
	replicas []*replica
	env      run.Env // of one more replica
	spec     *httpapi.Spec
	tenants  atomic.Int64
	end      func()
}

type replica struct {
	*httptest.Server
	parts    *run.Parts
	stopping chan struct{}
}

var (
	opened sync.Once
	shared *house
)

// TestMain ends the house after the last test.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if all := flag.Lookup("test.run"); code == 0 && all.Value.String() == "" && flag.Lookup("test.list").Value.String() == "" {
		code = called.missing(open().spec)
	}
	if shared != nil {
		shared.end()
	}
	os.Exit(code)
}

// must is for setting up.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func open() *house {
	opened.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		dir := must(os.MkdirTemp("", "inbox"))
		t := &standing{dir: dir}
		h := &house{Bus: bustest.New(t), db: must(storetest.Open(ctx, dir)), spec: must(httpapi.LoadSpec(must(os.ReadFile("openapi.yaml"))))}
		if err := h.db.Ensure(ctx, slices.Concat(directory.Others, []store.Spec{provider.CallSpec}, directory.Specs, blob.Specs)...); err != nil {
			panic(err)
		}
		sealer := must(auth.NewSealer(make([]byte, 32)))
		h.dir = directory.New(h.db, h.Bus, sealer, time.Now)
		h.auth = must(auth.NewAuthenticator(h.dir, make([]byte, 32), nil, time.Now))
		redis := must(embedded.StartRedis(ctx, ""))
		c, b := must(cache.Open(redis.URL())), must(blob.Open(ctx, "file:"+filepath.Join(dir, "blobs"), h.db, time.Now))
		for _, info := range types {
			if err := h.dir.Announce(ctx, info); err != nil {
				panic(err)
			}
		}
		var loops sync.WaitGroup
		for range 2 {
			env := run.Env{
				Bus: h.Broker.Open(t), DB: h.db, Cache: c, Blob: b, Directory: h.dir, Auth: h.auth, Sealer: sealer, Now: time.Now,
				Log: slog.New(slog.DiscardHandler),
			}
			h.env = env
			h.replicas = append(h.replicas, h.replica(ctx, &env, &loops, nil))
		}
		h.record = record.New(h.db, feed.Fanout{To: h.Bus}, nil)
		loops.Go(func() { _ = h.record.Applier.Run(ctx) })
		h.end = func() {
			for _, r := range h.replicas {
				r.stop()
				r.Server.Close()
			}
			cancel()
			loops.Wait()
			_ = c.Close()
			_ = redis.Close()
			_ = b.Close()
			_ = h.db.Close()
			t.end()
		}
		shared = h
	})
	return shared
}

// replica starts a replica without some of its loops.
func (h *house) replica(ctx context.Context, env *run.Env, loops *sync.WaitGroup, without map[string]bool) *replica {
	r := &replica{stopping: make(chan struct{})}
	env.Stopping = r.stopping
	r.parts = must(inbox.New(ctx, env))
	engine := httpapi.New()
	r.parts.Routes(engine)
	r.Server = httptest.NewServer(httpapi.Handler(engine))
	for _, l := range r.parts.Loops {
		if without[l.Name] {
			continue
		}
		loops.Go(func() {
			if err := l.Run(ctx); err != nil && ctx.Err() == nil {
				panic(fmt.Sprintf("loop %s: %v", l.Name, err))
			}
		})
	}
	return r
}

// timed are the loops that do what is due by the clock, for all tenants: only the replicas of the house run them, whose clock is right.
// One with a clock that is ahead would end the snoozes of other tests.
var timed = map[string]bool{"echoes": true, "files": true, "timers": true}

// another starts one more replica, with a bus of its own kind, that ends with the test.
func (w *tenant) another(b bus.Bus) *replica { return w.anotherAt(b, time.Now) }

// anotherAt does so with a wall clock of its own.
func (w *tenant) anotherAt(b bus.Bus, now func() time.Time) *replica {
	ctx, cancel := context.WithCancel(context.Background())
	env, loops := w.env, sync.WaitGroup{}
	env.Bus, env.Now = b, now
	r := w.replica(ctx, &env, &loops, timed)
	w.Cleanup(func() {
		r.stop()
		r.Server.Close()
		cancel()
		loops.Wait()
	})
	return r
}

func (r *replica) stop() {
	select {
	case <-r.stopping:
	default:
		close(r.stopping)
	}
}

// standing is a testing.TB for what outlives single tests.
type standing struct {
	testing.TB
	dir  string
	mu   sync.Mutex
	done []func()
}

func (s *standing) Helper()                  {}
func (s *standing) Context() context.Context { return context.Background() }
func (s *standing) Output() io.Writer        { return io.Discard }
func (s *standing) Cleanup(f func())         { s.mu.Lock(); defer s.mu.Unlock(); s.done = append(s.done, f) }
func (s *standing) Fatalf(f string, a ...any) {
	panic(fmt.Sprintf(f, a...))
}

func (s *standing) end() {
	for i := len(s.done) - 1; i >= 0; i-- {
		s.done[i]()
	}
	_ = os.RemoveAll(s.dir)
}

// types are the channel types of the tests: one with a window, one without any limit, one where the business never writes first.
var types = []channel.Info{
	{
		Type: event.WhatsApp, Title: "WhatsApp",
		RuleSet: channel.RuleSet{
			Send: channel.SendRules{
				Types: []event.MessageType{event.Text, event.Image, event.TemplateType, event.ReactionType, event.InteractType}, ReplyTo: true, Attachments: 1,
				Text:        channel.Limit{Max: 100, Unit: channel.Runes},
				Media:       map[event.MessageType]channel.MediaRule{event.Image: {MIME: []string{"image/png"}, MaxBytes: 1 << 20}},
				Interactive: map[string]channel.InteractiveRule{"buttons": {MaxItems: 3}}, Signals: record.Signals, Actions: acts,
				Together: map[string][]string{"template": {"reply_to"}},
			},
			Window: channel.Window{Opens: map[string]channel.Opening{channel.ByMessage: {For: channel.Duration(24 * time.Hour)}, "call": {For: channel.Duration(24 * time.Hour)}}, Outside: []string{"template"}},
			Starts: channel.Starts{May: true, With: "template"},
		},
	},
	{Type: event.SMS, Title: "SMS", RuleSet: channel.RuleSet{Send: channel.SendRules{
		Types: []event.MessageType{event.Text, event.Document, event.Image}, Attachments: 3,
		Text:  channel.Limit{Max: 10, Unit: channel.Segments},
		Media: map[event.MessageType]channel.MediaRule{event.Document: {}, event.Image: {}},
	}, Starts: channel.Starts{May: true}}},
	{Type: event.RCS, Title: "RCS", RuleSet: channel.RuleSet{
		Send: channel.SendRules{Types: []event.MessageType{event.Text}}, Starts: channel.Starts{May: true},
	}, Addresses: []channel.AddressForm{
		{Kind: channel.AddressPhone, Country: "default_country", Plus: true, Example: "a phone number"},
		{Kind: channel.AddressUsername, Known: true, Example: "a @username"},
		{Kind: channel.AddressID, Pattern: "GRP[0-9]+", Known: true, Example: "the id of a group"},
	}},
	{Type: event.Instagram, Title: "Instagram", RuleSet: channel.RuleSet{
		Send: channel.SendRules{Types: []event.MessageType{event.Text}}, Window: channel.Window{Opens: map[string]channel.Opening{channel.ByMessage: {}}},
	}},
	{Type: event.WeChat, Title: "WeChat", RuleSet: channel.RuleSet{
		Send: channel.SendRules{Types: []event.MessageType{event.Text}, Text: channel.Limit{Max: 10, Unit: channel.Runes}, Split: 4},
		Window: channel.Window{Opens: map[string]channel.Opening{
			channel.ByMessage: {For: channel.Duration(48 * time.Hour), Count: 3}, "menu": {For: channel.Duration(time.Minute), Count: 2},
		}},
	}},
}

// tenant is an organisation with a channel of each type, an owner's key, agents and a queue.
type tenant struct {
	*testing.T
	*house
	id     string
	in     *intake.Intake
	key    string // an API key that may do everything
	n      atomic.Int64
	late   time.Duration // how long ago things happen
	served *replica
}

func newTenant(t *testing.T) *tenant {
	t.Helper()
	h := open()
	w := &tenant{T: t, house: h, id: fmt.Sprintf("t%d", h.tenants.Add(1)), served: h.replicas[0]}
	w.in = &intake.Intake{Record: h.record, Channels: h.dir, Blobs: h.env.Blob, Now: func() time.Time { return time.Now().Add(-w.late) }}
	doc := &directory.Tenant{Name: w.id, Settings: directory.DefaultSettings(w.id), Version: 1}
	put(w, directory.Tenants, w.id, doc)
	for _, info := range types {
		put(w, directory.Channels, w.channel(info.Type), &directory.Channel{Type: info.Type, Name: "Shop", Enabled: true, Version: 1})
	}
	put(w, directory.Queues, w.queue(), &named{Name: "Sales"})
	put(w, directory.Bots, w.bot(), &named{Name: "Bot"})
	w.key = w.apiKey("", auth.All...)
	return w
}

type named struct {
	store.Meta
	Name   string   `json:"name"`
	OUID   string   `json:"ou_id,omitempty"`
	Queues []string `json:"queue_ids,omitempty"`
}

func (w *tenant) channel(t event.ChannelType) string { return "ch_" + w.id + "_" + string(t) }
func (w *tenant) queue() string                      { return "q_" + w.id }
func (w *tenant) bot() string                        { return "bot_" + w.id }

// put makes a document of another service.
func put[T any, P store.Document[T]](w *tenant, spec store.Spec, id string, doc P) {
	w.Helper()
	spec.Facts = false
	c := store.NewCollection[T, P](w.db, spec)
	set(doc, id, w.id)
	w.ok(c.Insert(w.Context(), doc))
}

func set(doc any, id, tenant string) {
	m := struct {
		ID     string `json:"_id"`
		Tenant string `json:"tenant"`
	}{id, tenant}
	if err := json.Unmarshal(must(json.Marshal(m)), doc); err != nil {
		panic(err)
	}
}

func (w *tenant) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *tenant) settings(change func(*directory.Settings)) {
	w.Helper()
	spec := directory.Tenants
	spec.Facts = false
	c := store.NewCollection[directory.Tenant](w.db, spec)
	doc, err := c.Update(w.Context(), w.id, func(t *directory.Tenant) error {
		change(&t.Settings)
		t.Version++
		return nil
	})
	w.ok(err)
	w.dir.Changed(event.Config{Entity: directory.EntityTenant, ID: w.id, Version: doc.Version})
}

// opensElsewhere lets conversations on channels of a type open in a queue that no agent has, and returns it.
func (w *tenant) opensElsewhere(t event.ChannelType) string {
	w.Helper()
	queue := w.queue() + "_elsewhere"
	put(w, directory.Queues, queue, &named{Name: "Elsewhere"})
	alter(w, directory.Channels, w.channel(t), directory.EntityChannel, func(c *directory.Channel) {
		c.Policy = must(json.Marshal(object{"queue_id": queue}))
		c.Version++
	})
	return queue
}

func (w *tenant) unit(name string, path ...string) string {
	id := "ou_" + w.id + "_" + name
	put(w, directory.Units, id, &directory.Unit{Name: name, Path: append(path, id), Version: 1})
	return id
}

func (w *tenant) apiKey(ou string, scopes ...auth.Permission) string {
	w.Helper()
	id, text, hash := auth.NewAPIKey()
	put(w, directory.APIKeys, "key_"+id, &directory.APIKey{Name: "test", Hash: hash, Scopes: scopes, OUID: ou, Version: 1})
	return text
}

// user signs somebody in; the agent's id has the same tail.
func (w *tenant) user(name, role, ou string, queues ...string) (token, agentID string) {
	w.Helper()
	id := fmt.Sprintf("usr_%s_%s", w.id, name)
	u := &directory.User{Name: name, Email: name + "@example.org", Role: role, OUID: ou, Version: 1}
	put(w, directory.Users, id, u)
	agentID = directory.AgentOf(id)
	put(w, directory.Agents, agentID, &named{Name: name, Queues: queues})
	token, _, err := w.auth.Session(auth.User{ID: id, Tenant: w.id})
	w.ok(err)
	return token, agentID
}

// wrote lets a customer write on a channel.
func (w *tenant) wrote(t event.ChannelType, peer, text string, change ...func(*event.Inbound)) *record.Message {
	w.Helper()
	n := w.n.Add(1)
	in := event.Inbound{
		Type: event.MessageReceived, ChannelID: w.channel(t), ChannelType: t, Peer: peer, Ref: fmt.Sprintf("r%d", n), ExternalID: fmt.Sprintf("x%d", n),
		Content: &event.Content{Type: event.Text, Text: text}, Sender: &event.Profile{Name: peer},
	}
	for _, c := range change {
		c(&in)
	}
	w.takes(in)
	m, err := w.record.Messages.Get(w.Context(), record.MessageID(w.id, in.ChannelID, in.Ref))
	w.ok(err)
	return m
}

// happened lets something happen on a channel that is no message.
func (w *tenant) happened(t event.ChannelType, peer string, typ event.Type, change func(*event.Inbound)) {
	w.Helper()
	in := event.Inbound{Type: typ, ChannelID: w.channel(t), ChannelType: t, Peer: peer, Ref: fmt.Sprintf("r%d", w.n.Add(1))}
	change(&in)
	w.takes(in)
}

func (w *tenant) takes(in event.Inbound) {
	w.Helper()
	at := event.At(time.Now())
	w.ok(w.in.Handle(w.Context(), bus.Message{Event: event.New("evt_"+in.Ref, in.Type, string(in.ChannelType), w.id, in.ChannelID, at, in)}))
}

// answer is an HTTP answer, checked against the document.
type answer struct {
	*tenant
	status int
	header http.Header
	body   map[string]any
	raw    []byte
}

type header map[string]string

// call makes a request; every answer must be one that the document describes.
func (w *tenant) call(token, method, path string, body any, hs ...header) *answer {
	w.Helper()
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(must(json.Marshal(body)))
	}
	return w.request(token, method, path, "application/json", r, hs...)
}

func (w *tenant) request(token, method, path, contentType string, body io.Reader, hs ...header) *answer {
	w.Helper()
	req := must(http.NewRequestWithContext(w.Context(), method, w.served.URL+path, body))
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	for _, h := range hs {
		for k, v := range h {
			req.Header.Set(k, v)
		}
	}
	resp, err := w.served.Client().Do(req)
	w.ok(err)
	defer resp.Body.Close()
	a := &answer{tenant: w, status: resp.StatusCode, header: resp.Header}
	a.raw, err = io.ReadAll(resp.Body)
	w.ok(err)
	if err := w.spec.CheckResponse(req, a.status, a.header, a.raw); err != nil {
		w.Errorf("%v\n%s", err, a.raw)
	}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		w.ok(json.Unmarshal(a.raw, &a.body))
	}
	called.note(w.spec, req)
	return a
}

// want stops the test unless the status is as wanted, and with a code that is the problem's.
func (a *answer) want(status int, code ...string) *answer {
	a.Helper()
	if a.status != status || (len(code) > 0 && a.code() != code[0]) {
		a.Fatalf("status %d, want %d %v: %s", a.status, status, code, a.raw)
	}
	return a
}

// code is the problem's, or that of its only field.
func (a *answer) code() string {
	if errs, ok := a.body["errors"].([]any); ok && len(errs) == 1 {
		return errs[0].(map[string]any)["code"].(string)
	}
	code, _ := a.body["code"].(string)
	return code
}

// at follows a path of keys and indexes.
func (a *answer) at(path ...any) any {
	a.Helper()
	var v any = a.body
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				a.Fatalf("no %v in %s", path, a.raw)
			}
			v = m[p]
		case int:
			l, ok := v.([]any)
			if !ok || len(l) <= p {
				a.Fatalf("no %v in %s", path, a.raw)
			}
			v = l[p]
		}
	}
	return v
}

func (a *answer) text(path ...any) string {
	a.Helper()
	s, _ := a.at(path...).(string)
	return s
}

func (a *answer) ids() (out []string) {
	a.Helper()
	for i := range a.at("data").([]any) {
		out = append(out, a.text("data", i, "id"))
	}
	return out
}

func (w *tenant) get(token, path string) *answer { w.Helper(); return w.call(token, "GET", path, nil) }

func (w *tenant) post(token, path string, body any, hs ...header) *answer {
	w.Helper()
	return w.call(token, "POST", path, body, hs...)
}

// say posts a message with a fresh idempotency key.
func (w *tenant) say(token, conversation string, body any) *answer {
	w.Helper()
	return w.post(token, "/v1/conversations/"+conversation+"/messages", body, w.fresh())
}

func (w *tenant) fresh() header { return header{"Idempotency-Key": fmt.Sprintf("k%d", w.n.Add(1))} }

type object = map[string]any
