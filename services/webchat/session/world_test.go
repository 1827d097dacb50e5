package session_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/webchat"
	"github.com/tributaryhq/tributary/services/webchat/session"
)

const (
	patient  = time.Minute // longer than anything takes on a busy machine
	identity = "wc-identity-secret-invented"
	tenant   = "tnt_1"
	shop     = "https://shop.example"
)

// socketsOfAddress are more than all other tests, which come from one address, have open at a time.
const socketsOfAddress = 100

// deaf is a replica whose Redis is away.
const deaf = 2

// world is three replicas of the service on one broker, Redis and store.
type world struct {
	key      []byte
	env      *run.Env // of the tests themselves
	urls     [3]string
	redis    *embedded.Redis
	mu       sync.Mutex
	seen     []bus.Message
	channels int
}

var w world

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := func() int {
		dir, err := os.MkdirTemp("", "webchat")
		must(err)
		defer os.RemoveAll(dir)
		stop := w.start(dir)
		defer stop()
		return m.Run()
	}()
	// A client whose Redis is away tries once more, a second after it was closed.
	if err := goleak.Find(goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial")); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (w *world) start(dir string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	broker, err := embedded.StartBroker(ctx, "", "")
	must(err)
	w.redis, err = embedded.StartRedis(ctx, "")
	must(err)
	w.key = bytes.Repeat([]byte{7}, 32)
	cfg := &config.Config{
		KafkaBrokers: broker.Addrs(), RedisURL: w.redis.URL(), StoreURL: "sqlite:" + filepath.Join(dir, "store.db"), BlobURL: "file://" + dir + "/blobs",
		EncryptionKey: base64.StdEncoding.EncodeToString(w.key), ShutdownDrain: 5 * time.Second,
		PublicURL: "https://chat.tributary.example", TrustedProxies: []string{"127.0.0.0/8"},
	}
	log := slog.New(slog.DiscardHandler)
	var running sync.WaitGroup
	var closes []func() error
	open := func(cfg config.Config) *run.Env {
		cfg.With(&gateway.Settings{})
		env, shut, err := run.Open(ctx, &cfg, log)
		must(err)
		closes = append(closes, shut)
		return env
	}
	w.env = open(*cfg)
	must(w.env.Bus.EnsureTopics(ctx, embedded.Topics()))
	must(w.env.DB.Ensure(ctx, slices.Concat(append(directory.Specs, store.Spec{Name: "webchat_visitors", Expires: true}), blob.Specs)...))
	limits := session.DefaultLimits
	ample := budget.Rate{N: 1e6, Per: time.Minute, Burst: 1e6}
	limits.Sessions, limits.Visitors, limits.Connects, limits.Address = ample, ample, ample, ample
	limits.Sockets.Address = socketsOfAddress
	service := gateway.Service(webchat.Adapter{}, gateway.With(session.With(limits)))
	for i := range w.urls {
		public, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		admin, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		w.urls[i] = "http://" + public.Addr().String()
		ready, mine, service := make(chan struct{}), *cfg, service
		if i == deaf {
			mine.RedisURL = "redis://127.0.0.1:1"
			service.New = silent(service.New)
		}
		p := &run.Process{Env: *open(mine), Metrics: http.NotFoundHandler(), Public: public, Admin: admin, Started: func() { close(ready) }}
		running.Go(func() { must(p.Run(ctx, service)) })
		<-ready
	}
	for _, topic := range []string{event.TopicInbound, event.TopicReceipts, event.TopicWebhooks} {
		caught := make(chan struct{})
		running.Go(func() {
			_ = w.env.Bus.Follow(ctx, topic, bus.Beginning, func(_ context.Context, m bus.Message) error { // ends with ctx
				w.mu.Lock()
				defer w.mu.Unlock()
				w.seen = append(w.seen, m)
				return nil
			}, func() { close(caught) })
		})
		<-caught
	}
	return func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		running.Wait()
		for _, shut := range slices.Backward(closes) {
			must(shut())
		}
		_ = w.redis.Close()
		must(broker.Close())
	}
}

// silent is a replica that consumes nothing: what the deaf one took, the others would notice late.
func silent(build func(context.Context, *run.Env) (*run.Parts, error)) func(context.Context, *run.Env) (*run.Parts, error) {
	return func(ctx context.Context, env *run.Env) (*run.Parts, error) {
		p, err := build(ctx, env)
		if err == nil {
			p.Consumers = nil
		}
		return p, err
	}
}

// channel configures another channel and returns its id.
func (w *world) channel(t *testing.T, settings channel.Settings) string {
	t.Helper()
	w.mu.Lock()
	w.channels++
	id := fmt.Sprintf("ch_%d", w.channels)
	w.mu.Unlock()
	if settings == nil {
		settings = channel.Settings{"allowed_origins": []any{shop}}
	}
	if settings["identity_audience"] == nil {
		settings["identity_audience"] = "wgt_1"
	}
	d := &directory.Channel{Type: event.WebChat, Name: id, Enabled: true, Version: 1, Settings: settings,
		Sealed: map[string][]string{"identity_secret": {w.env.Sealer.Seal(identity, tenant, id, "identity_secret")}}}
	d.ID, d.Tenant = id, tenant
	if err := store.NewCollection[directory.Channel](w.env.DB, directory.Channels).Insert(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return id
}

// all are the records so far.
func (w *world) all() []bus.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// said returns the events of a channel so far, of one type.
func (w *world) said(id string, typ event.Type) (out []event.Inbound) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.seen {
		if m.Event.Type != typ {
			continue
		}
		in, err := event.Decode[event.Inbound](m.Event)
		must(err)
		if in.ChannelID == id {
			out = append(out, in)
		}
	}
	return out
}

func (w *world) settled(id string) (out []event.SendResult) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.seen {
		if m.Event.Type != event.SendSettled {
			continue
		}
		r, err := event.Decode[event.SendResult](m.Event)
		must(err)
		if r.ChannelID == id {
			out = append(out, r)
		}
	}
	return out
}

// send publishes a message of ours, as the inbox would.
func (w *world) send(t *testing.T, id, peer string, change func(*event.Outbound)) event.Outbound {
	t.Helper()
	now := event.At(time.Now())
	m := event.Outbound{
		MessageID: event.DeriveID("msg", t.Name(), fmt.Sprint(time.Now().UnixNano())), ConversationID: "cnv_1", ThreadID: "thr_1", Attempt: 1, ChannelID: id,
		ChannelType: event.WebChat, Peer: peer, Content: event.Content{Type: event.Text, Text: "Hello"}, By: event.Actor{Kind: "user", Name: "Bea"}, CreatedAt: now,
	}
	m.AttemptID = event.DeriveID("try", m.MessageID)
	typ := event.MessageSend
	if change != nil {
		change(&m)
	}
	if m.Signal != "" {
		typ = event.SignalSend
	}
	if m.Action != nil {
		typ = event.ActionSend
	}
	rec := event.Record{Topic: event.TopicOutbound(event.WebChat), Key: event.Key(id, peer),
		Event: event.New(event.DeriveID("evt", m.AttemptID, m.Signal), typ, "inbox", tenant, m.MessageID, now, m)}
	if err := w.env.Bus.Publish(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	return m
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patient); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in %s: %s", patient, what)
		}
	}
}

// frame is any frame, as browsers see it.
type frame map[string]any

func (f frame) text(key string) string { s, _ := f[key].(string); return s }
func (f frame) seq() int64             { n, _ := f["seq"].(float64); return int64(n) }

// browser is one visitor's browser.
type browser struct {
	t       *testing.T
	url     string // of a replica, with the channel
	token   string
	visitor string
	secret  string
	lastSeq int64
}

// visit begins a session at a replica.
func visit(t *testing.T, replica int, id string, body frame) *browser {
	t.Helper()
	b := &browser{t: t, url: w.urls[replica] + "/chat/" + id}
	status, got := b.call("POST", "/sessions", body)
	if status != http.StatusCreated {
		t.Fatalf("session: %d %v", status, got)
	}
	b.token, b.visitor, b.secret, b.lastSeq = got.text("token"), got.text("visitorId"), got.text("visitorSecret"), int64(got["lastSeq"].(float64))
	return b
}

// at is the same browser at another replica.
func (b *browser) at(replica int) *browser {
	o := *b
	o.url = w.urls[replica] + b.url[strings.Index(b.url, "/chat/"):]
	return &o
}

func (b *browser) call(method, path string, body any, head ...string) (int, frame) {
	b.t.Helper()
	var r io.Reader
	switch v := body.(type) {
	case nil:
	case io.Reader:
		r = v
	default:
		raw, err := json.Marshal(v)
		must(err)
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, r)
	must(err)
	if b.token != "" {
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(err)
	out := frame{}
	_ = json.Unmarshal(raw, &out) // files are no JSON
	out["header"], out["raw"] = resp.Header, string(raw)
	return resp.StatusCode, out
}

// line is a browser's socket. Frames are read as they come, so that a wait can be for any of them.
type line struct {
	t      *testing.T
	conn   *websocket.Conn
	frames chan frame
	ended  chan websocket.StatusCode
}

// connect opens a socket and says hello.
func (b *browser) connect(lastSeq int64) (*line, frame) {
	b.t.Helper()
	l := b.dial()
	l.say(frame{"t": "hello", "token": b.token, "lastSeq": lastSeq})
	return l, l.want("hello")
}

func (b *browser) dial() *line {
	b.t.Helper()
	conn, _, err := websocket.Dial(b.t.Context(), "ws"+strings.TrimPrefix(b.url, "http")+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {shop}}})
	if err != nil {
		b.t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	l := &line{t: b.t, conn: conn, frames: make(chan frame, 1000), ended: make(chan websocket.StatusCode, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, raw, err := conn.Read(context.Background())
			if err != nil {
				l.ended <- websocket.CloseStatus(err)
				return
			}
			var f frame
			must(json.Unmarshal(raw, &f))
			l.frames <- f
		}
	}()
	b.t.Cleanup(func() { _ = conn.CloseNow(); <-done })
	return l
}

func (l *line) say(f any) {
	l.t.Helper()
	raw, ok := f.(string)
	if !ok {
		b, err := json.Marshal(f)
		must(err)
		raw = string(b)
	}
	if err := l.conn.Write(l.t.Context(), websocket.MessageText, []byte(raw)); err != nil {
		l.t.Fatal(err)
	}
}

// want returns the next frame, which must be of one of these kinds.
func (l *line) want(kinds ...string) frame {
	l.t.Helper()
	f := l.next(kinds)
	if !slices.Contains(kinds, f.text("t")) {
		l.t.Fatalf("want %s, got %v", kinds, f)
	}
	return f
}

// next is the next frame: what came before the socket ended is read before its end.
func (l *line) next(kinds []string) frame {
	l.t.Helper()
	select {
	case f := <-l.frames:
		return f
	case c := <-l.ended:
		select {
		case f := <-l.frames:
			l.ended <- c
			return f
		default:
		}
		l.t.Fatalf("want %s, the socket ended with %d", kinds, c)
	case <-time.After(patient):
		l.t.Fatalf("no %s in %s", kinds, patient)
	}
	return nil
}

func (l *line) wantEnd(code websocket.StatusCode) {
	l.t.Helper()
	for {
		select {
		case <-l.frames:
		case c := <-l.ended:
			if c != code {
				l.t.Fatalf("the socket ended with %d, want %d", c, code)
			}
			return
		case <-time.After(patient):
			l.t.Fatalf("the socket did not end")
		}
	}
}
