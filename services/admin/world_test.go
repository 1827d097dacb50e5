package admin

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// logged is all that this test binary logs.
var logged = &record{}

type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	os.Exit(m.Run())
}

const (
	ownerKey   = "trb_first_0123456789abcdef0123456789abcdef"
	otherKey   = "trb_other_0123456789abcdef0123456789abcdef"
	ownerEmail = "owner@example.com"
	ownerWord  = "correct horse battery"
)

// form is a channel type with one of everything.
var form = channel.Info{
	Type: event.Telegram, Title: "Toy", Account: []string{"bot", "page"},
	Settings: []channel.Field{
		{Key: "mode", Label: "Mode", OneOf: []string{"plain", "fancy"}, Default: "plain"},
		{Key: "bot", Label: "Bot", Pattern: `^[a-z0-9]+$`},
		{Key: "page", Label: "Page", Optional: true},
		{Key: "size", Label: "Size", Kind: "number", Optional: true},
		{Key: "theme", Label: "Theme", Kind: "object", Optional: true},
		{Key: "pages", Label: "Pages", Kind: "list", Item: "origin", Optional: true},
		{Key: "token", Label: "Token", Secret: true},
		{Key: "verify_token", Label: "Verify token", Secret: true, Names: true, Optional: true},
		{Key: "charm", Label: "Charm", Secret: true, When: map[string]string{"mode": "fancy"}},
	},
	RuleSet:  ruled(4),
	Inbound:  channel.InboundRules{MaxMedia: 20 << 20},
	Variants: []channel.Variant{{When: map[string]string{"mode": "fancy"}, MaxMedia: 2000 << 20, RuleSet: ruled(1)}},
}

func ruled(atOnce int) channel.RuleSet {
	rates := []channel.Rate{{Per: "channel", N: 10, Every: channel.Duration(time.Second), Burst: 10, Setting: "size"}}
	return channel.RuleSet{Send: channel.SendRules{Concurrency: atOnce, Rates: rates}}
}

// world is service admin with two tenants, on a real store and a broker in memory.
type world struct {
	*testing.T
	env     *run.Env
	broker  *bustest.Broker
	handler http.Handler
	spec    *httpapi.Spec

	mu      sync.Mutex
	clock   time.Time
	called  map[string]bool // operations
	answers bytes.Buffer    // everything that was answered
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, "")
}

// newWorldOf is a world whose first tenant has an owner who signs in with ownerWord. It costs the hash of a password.
func newWorldOf(t *testing.T, email string) *world {
	t.Helper()
	b := bustest.New(t)
	w := &world{T: t, broker: b.Broker, clock: time.Now(), called: map[string]bool{}}
	sealer, err := auth.NewSealer(bytes.Repeat([]byte("k"), 32))
	w.ok(err)
	db := storetest.New(t, append(directory.Others, directory.Specs...)...)
	cfg := &config.Config{EncryptionKey: base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))}
	cfg.With(&Bootstrap{APIKey: ownerKey, AdminEmail: email, AdminPassword: ownerWord})
	w.env = &run.Env{Service: "admin", Config: cfg, Log: slog.Default(), Bus: b, DB: db, Sealer: sealer, PublicURL: "https://example.com", Now: w.now}
	w.env.Directory = directory.New(db, b, sealer, w.now)
	w.env.Auth, err = auth.NewAuthenticator(w.env.Directory, bytes.Repeat([]byte("k"), 32), nil, w.now)
	w.ok(err)
	w.ok(w.env.Directory.Announce(t.Context(), form))
	w.build()
	w.tenant("other", otherKey)
	w.spec, err = httpapi.LoadSpec(openapi)
	w.ok(err)
	return w
}

// build makes the service anew, as a restart does.
func (w *world) build() {
	w.Helper()
	parts, err := New(w.Context(), w.env)
	w.ok(err)
	e := httpapi.New()
	sessions, err := httpapi.Sessions(w.env.PublicURL)
	w.ok(err)
	e.Use(sessions, func(c *gin.Context) {
		w.mu.Lock()
		w.called[c.Request.Method+" "+strings.ReplaceAll(c.FullPath(), ":id", "{id}")] = true
		w.mu.Unlock()
	})
	parts.Routes(e)
	w.handler = e
	ctx, stop := newContext(w.T)
	var loops sync.WaitGroup
	for _, l := range parts.Loops {
		loops.Go(func() {
			if err := l.Run(ctx); err != nil && ctx.Err() == nil {
				w.Errorf("loop %s: %v", l.Name, err)
			}
		})
	}
	w.Cleanup(func() { stop(); loops.Wait() })
}

// rekey makes the service anew with other encryption keys, each of which is one letter; the first seals.
func (w *world) rekey(letters string) {
	w.Helper()
	var keys [][]byte
	for _, l := range letters {
		keys = append(keys, bytes.Repeat([]byte(string(l)), 32))
	}
	var err error
	w.env.Sealer, err = auth.NewSealer(keys...)
	w.ok(err)
	cfg := *w.env.Config
	cfg.EncryptionKey, cfg.EncryptionKeysAccepted = base64.StdEncoding.EncodeToString(keys[0]), nil
	for _, k := range keys[1:] {
		cfg.EncryptionKeysAccepted = append(cfg.EncryptionKeysAccepted, base64.StdEncoding.EncodeToString(k))
	}
	w.env.Config = &cfg
	w.build()
}

func (w *world) tenant(id, key string) {
	w.Helper()
	t := &directory.Tenant{Name: id, Settings: directory.DefaultSettings(id), Version: 1, CreatedAt: event.At(w.now())}
	t.ID, t.Tenant = id, id
	w.ok(store.NewCollection[directory.Tenant](w.env.DB, directory.Tenants).Insert(w.Context(), t))
	name, _ := auth.SplitAPIKey(key)
	k := &directory.APIKey{Name: "first", Hash: auth.HashAPIKey(key), Scopes: auth.All, Version: 1, CreatedAt: event.At(w.now())}
	k.ID, k.Tenant = "key_"+name, id
	w.ok(store.NewCollection[directory.APIKey](w.env.DB, directory.APIKeys).Insert(w.Context(), k))
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// object is a JSON object.
type object map[string]any

// answer is what came back.
type answer struct {
	*testing.T
	status int
	header http.Header
	object
	raw string
}

// call makes a request with a bearer token; header holds names and values. Every answer must be one the document describes.
func (w *world) call(bearer, method, path string, body any, header ...string) answer {
	w.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		w.ok(err)
		in = bytes.NewReader(b)
	}
	req := httptest.NewRequest(method, path, in).WithContext(w.Context())
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	if err := w.spec.CheckResponse(req, rec.Code, rec.Header(), rec.Body.Bytes()); err != nil {
		w.Errorf("%v\n%s", err, rec.Body)
	}
	a := answer{T: w.T, status: rec.Code, header: rec.Header(), raw: rec.Body.String()}
	if rec.Body.Len() > 0 {
		w.ok(json.Unmarshal(rec.Body.Bytes(), &a.object))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers.WriteString(a.raw)
	return a
}

func (a answer) is(status int, code ...string) answer {
	a.Helper()
	if a.status != status || (len(code) > 0 && a.text("code") != code[0]) {
		a.Fatalf("%d %s, want %d %v", a.status, a.raw, status, code)
	}
	return a
}

func (a answer) text(key string) string { s, _ := a.object[key].(string); return s }

// pointers lists the fields that a problem names.
func (a answer) pointers() (out []string) {
	errs, _ := a.object["errors"].([]any)
	for _, e := range errs {
		out = append(out, e.(map[string]any)["pointer"].(string))
	}
	return out
}

func (a answer) list() (out []object) {
	data, _ := a.object["data"].([]any)
	for _, d := range data {
		out = append(out, d.(map[string]any))
	}
	return out
}

func toy(bot string) object {
	return object{"type": "telegram", "name": "Toy " + bot, "settings": object{"bot": bot}, "secrets": object{"token": "token of " + bot}}
}

func newContext(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(context.WithoutCancel(t.Context()))
}
