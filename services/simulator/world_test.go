package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/services/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keys are two tenants' API keys, and one that may not set up channels.
type keys map[string]auth.Key

func (k keys) APIKey(_ context.Context, id string) (auth.Key, error) {
	if v, ok := k[id]; ok {
		return v, nil
	}
	return auth.Key{}, fault.New(fault.Gone, "not_found", "no such key")
}

func (keys) UserByID(context.Context, string, string) (auth.User, error) {
	return auth.User{}, fault.New(fault.Gone, "not_found", "no such user")
}

func (keys) UserByEmail(context.Context, string) (auth.User, error) {
	return auth.User{}, fault.New(fault.Gone, "not_found", "no such user")
}

func (k keys) add(tenant string, scopes ...auth.Permission) (text string) {
	id, text, hash := auth.NewAPIKey()
	k[id] = auth.Key{ID: id, Tenant: tenant, Name: tenant, Hash: hash, Scopes: scopes}
	return text
}

// world is a running simulator and a gateway, played by the adapters themselves.
type world struct {
	t    *testing.T
	url  string
	http *http.Client // the world's own: servers that end elsewhere close connections of the default one
	key  string
	keys map[string]string
	spec *httpapi.Spec // every answer of the control API must be one that the document describes

	gateway *httptest.Server
	blobs   map[string]string
	db      store.DB
	dir     *directory.Directory

	mu     sync.Mutex
	ch     channel.Keyed
	adapt  channel.Adapter
	status int // of the gateway's answer to webhooks; 0: 200
	calls  int
	events []event.Inbound
	faults []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, func(*world) {})
}

// newWorldWith is a world that before has made before the simulator was started.
func newWorldWith(t *testing.T, before func(*world)) *world {
	t.Helper()
	w := &world{t: t, blobs: map[string]string{}, keys: map[string]string{}}
	k := keys{}
	w.key = k.add("one", auth.All...)
	w.keys["other"], w.keys["weak"] = k.add("two", auth.All...), k.add("one", auth.Read)
	a, err := auth.NewAuthenticator(k, bytes.Repeat([]byte("k"), 32), nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if w.spec, err = httpapi.LoadSpec(doc); err != nil {
		t.Fatal(err)
	}
	engine := httpapi.New()
	server := httptest.NewServer(engine)
	stop := make(chan struct{})
	sealer, err := auth.NewSealer(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	w.url, w.http, w.db = server.URL, server.Client(), storetest.New(t, directory.Specs...)
	w.dir = directory.New(w.db, nil, sealer, time.Now)
	before(w)
	env := &run.Env{Auth: a, Directory: w.dir, Log: slog.New(slog.DiscardHandler), Now: time.Now, PublicURL: server.URL, Stopping: stop, Config: &config.Config{EgressAllow: []string{"127.0.0.0/8"}}}
	parts, err := simulator.New(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	parts.Routes(engine)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, l := range parts.Loops {
		wg.Go(func() {
			if err := l.Run(ctx); err != nil {
				t.Errorf("loop %s: %v", l.Name, err)
			}
		})
	}
	w.gateway = httptest.NewServer(http.HandlerFunc(w.webhook))
	t.Cleanup(func() {
		close(stop)
		server.Close()
		cancel()
		wg.Wait()
		if err := parts.Close(); err != nil {
			t.Error(err)
		}
		w.gateway.Close()
	})
	return w
}

// webhook is the gateway: whatever comes must verify and parse.
func (w *world) webhook(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.status != 0 {
		rw.WriteHeader(w.status)
		return
	}
	in := channel.Inbound{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header, Body: body, URL: w.gateway.URL + strings.TrimPrefix(r.URL.RequestURI(), "/"), At: time.Now(),
	}
	if err := w.adapt.Verify(w.ch, in); err != nil {
		w.faults = append(w.faults, "verify: "+err.Error())
	}
	p, err := w.adapt.Parse(w.ch, in)
	if err != nil || len(p.Ignored) > 0 {
		w.faults = append(w.faults, fmt.Sprintf("parse: %v, ignored %v: %s", err, p.Ignored, body))
	}
	w.events = append(w.events, p.Events...)
	if p.Reply.Status != 0 {
		rw.WriteHeader(p.Reply.Status)
	}
	_, _ = rw.Write(p.Reply.Body)
}

// open registers a channel as its own simulated account.
func (w *world) open(a channel.Adapter, typ event.ChannelType, base string, settings map[string]any, secrets map[string]string) {
	w.t.Helper()
	settings["api_base_url"] = w.url + base
	w.adapt = a
	w.ch = channel.Keyed{Channel: channel.Channel{ID: "ch_1", Type: typ, Settings: settings, Enabled: true, WebhookURL: w.gateway.URL}, Secrets: channel.Secrets{}}
	for k, v := range secrets {
		w.ch.Secrets[k] = []string{v}
	}
	w.must("POST", "/simulator/accounts", map[string]any{"type": typ, "settings": settings, "secrets": secrets, "webhook_url": w.gateway.URL}, nil)
}

// call calls the control API.
func (w *world) call(key, method, path string, in, out any) (status int, text string) {
	w.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			w.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	control := w.spec.Doc.Paths.Value(req.URL.Path) != nil // the rest are the providers' own
	if err := w.spec.CheckResponse(req, resp.StatusCode, resp.Header, b); control && err != nil {
		w.t.Errorf("%s %s: %v\n%s", method, path, err, b)
	}
	if out != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(b, out); err != nil {
			w.t.Fatalf("%s %s: %v: %s", method, path, err, b)
		}
	}
	return resp.StatusCode, string(b)
}

// as calls a simulated provider with a token, and returns the status.
func (w *world) as(token, method, path string) int {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

func (w *world) must(method, path string, in, out any) {
	w.t.Helper()
	if status, text := w.call(w.key, method, path, in, out); status >= 300 {
		w.t.Fatalf("%s %s: %d: %s", method, path, status, text)
	}
}

type obj = map[string]any

// write lets a person do something and returns what the gateway made of it.
func (w *world) write(in obj) event.Inbound {
	w.t.Helper()
	w.forget()
	in["type"] = w.ch.Type
	var got struct {
		Status int
		ID     string
	}
	w.must("POST", "/simulator/inbound", in, &got)
	if got.Status/100 != 2 {
		w.t.Fatalf("the webhook of %v was answered %d", in, got.Status)
	}
	if got.ID == "" {
		return w.wait(1)[0]
	}
	var e event.Inbound
	w.until("event with the id that was told, "+got.ID, func() bool { // what is told of earlier messages may come in between
		n := slices.IndexFunc(w.events, func(e event.Inbound) bool { return e.ExternalID == got.ID })
		if n >= 0 {
			e = w.events[n]
		}
		return n >= 0
	})
	return e
}

func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = nil
}

// wait waits until the gateway has n events.
func (w *world) wait(n int) []event.Inbound {
	w.t.Helper()
	w.until(fmt.Sprintf("%d events", n), func() bool { return len(w.events) >= n })
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]event.Inbound(nil), w.events...)
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		w.mu.Lock()
		done, seen, faults := ok(), len(w.events), w.faults
		w.mu.Unlock()
		if len(faults) > 0 {
			w.t.Fatal(faults)
		}
		if done {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("no %s in time, %d events", what, seen)
		}
		time.Sleep(time.Millisecond) // polls; nothing depends on how long
	}
}

// said is what became of one part of a message.
type said struct {
	channel.Outcome
	err error
}

// send sends a message as the gateway does.
func (w *world) send(msg event.Outbound) (out []said) {
	w.t.Helper()
	reqs, err := w.adapt.Render(w.ch.Channel, msg)
	if err != nil {
		w.t.Fatal(err)
	}
	for len(reqs) > 0 {
		req := reqs[0]
		reqs = reqs[1:]
		resp, err := w.do(req)
		if err != nil {
			out = append(out, said{err: err})
			continue
		}
		o, err := w.adapt.Settle(w.ch.Channel, msg, req, resp)
		if reqs = append(o.Next, reqs...); len(o.Next) == 0 || err != nil {
			out = append(out, said{o, err})
		}
	}
	return out
}

// do signs and makes one call.
func (w *world) do(req channel.Request) (channel.Response, error) {
	w.t.Helper()
	signed, err := w.adapt.Sign(w.ch, req, time.Now(), strings.Repeat("0", 32))
	if err != nil {
		w.t.Fatal(err)
	}
	var body io.Reader = bytes.NewReader(signed.Body)
	kind := ""
	if len(signed.Form) > 0 {
		body, kind = w.form(signed.Form)
	}
	if f := signed.File; f != nil {
		body, kind = strings.NewReader(w.blobs[f.Blob]), f.MIME
	}
	r, err := http.NewRequestWithContext(w.t.Context(), signed.Method, signed.URL, body)
	if err != nil {
		w.t.Fatal(err)
	}
	for k, v := range signed.Header {
		r.Header[k] = v
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	resp, err := w.http.Do(r)
	if err != nil {
		return channel.Response{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return channel.Response{Status: resp.StatusCode, Header: resp.Header, Body: b, Tag: req.Tag}, err
}

func (w *world) form(parts []channel.Part) (io.Reader, string) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, p := range parts {
		if p.Blob == "" {
			_ = m.WriteField(p.Name, p.Value)
			continue
		}
		f, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {p.MIME},
			"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, p.Name, p.File)}})
		if err != nil {
			w.t.Fatal(err)
		}
		piece := w.blobs[p.Blob][p.Offset:]
		if p.Len > 0 {
			piece = piece[:p.Len]
		}
		_, _ = io.WriteString(f, piece)
	}
	_ = m.Close()
	return &b, m.FormDataContentType()
}

// one sends a message that is one part and must succeed, and returns its ref.
func (w *world) one(msg event.Outbound) string {
	w.t.Helper()
	out := w.send(msg)
	if len(out) != 1 || out[0].err != nil || len(out[0].Refs) != 1 {
		w.t.Fatalf("sent %+v, got %+v", msg.Content, out)
	}
	return out[0].Refs[0]
}

// fetch loads inbound media as the gateway does.
func (w *world) fetch(a event.Attachment) []byte {
	w.t.Helper()
	b, err := w.tryFetch(a)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) tryFetch(a event.Attachment) ([]byte, error) {
	w.t.Helper()
	var prev *channel.Response
	for range 4 {
		req, done, err := w.adapt.(channel.MediaFetcher).MediaRequest(w.ch.Channel, a, prev)
		if err != nil {
			return nil, err
		}
		if done {
			return prev.Body, nil
		}
		resp, err := w.do(req)
		if err != nil {
			w.t.Fatal(err)
		}
		prev = &resp
	}
	w.t.Fatal("the file is never reached")
	return nil, nil
}

type message struct {
	ID        string
	To        string
	Kind      string
	Text      string
	ClientRef string `json:"client_ref"`
	Copies    int
	About     []string
}

func (w *world) accepted(query string) []message {
	w.t.Helper()
	var got struct{ Data []message }
	w.must("GET", "/simulator/messages"+query, nil, &got)
	return got.Data
}

type call struct {
	Name, Outcome string
	Status, Code  int
}

func (w *world) made() []call {
	w.t.Helper()
	var got struct{ Data []call }
	w.must("GET", "/simulator/calls", nil, &got)
	return got.Data
}
