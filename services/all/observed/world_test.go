// Package observed watches a whole platform as its operators do: by its traces, its metrics and its logs. It has tests only.
package observed

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/telemetry"
	"github.com/tributaryhq/tributary/services/admin"
	"github.com/tributaryhq/tributary/services/all"
)

// What nobody may find in traces, metrics and logs: secrets, what people wrote, and who they are.
const (
	apiKey      = "trb_observed_planted-key-0123456789abcdef"
	appSecret   = "planted-app-secret"
	accessToken = "planted-access-token"
	question    = "planted-question"
	answer      = "planted-answer"
	person      = "4915112345678"
	name        = "Planted Name"
)

var planted = []string{"planted-key-0123456789abcdef", appSecret, accessToken, "planted-verify", "planted-query", "planted-refusal", question, answer, person, name}

// world is a platform in one process, with all services, whose every span, log line and metric is kept.
type world struct {
	*testing.T
	url, admin string // of the listeners
	channel    string
	provider   *httptest.Server
	spans      *tracetest.InMemoryExporter
	logs       *locked
	stop       func()
	sent       chan string  // ids of messages that the provider took
	refuses    atomic.Int64 // the status that the provider answers sends with; 0: it takes them
}

// locked is a buffer that several may write to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *locked) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, spans: tracetest.NewInMemoryExporter(), logs: &locked{}, sent: make(chan string, 8)}
	before := otel.GetTracerProvider()
	traces := sdk.NewTracerProvider(sdk.WithSyncer(w.spans))
	otel.SetTracerProvider(traces)
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	w.provider = httptest.NewServer(http.HandlerFunc(w.takes))
	t.Cleanup(w.provider.Close)
	w.start()
	w.furnish()
	return w
}

// start runs all services as the single binary does.
func (w *world) start() {
	ctx, stop := context.WithCancel(context.WithoutCancel(w.Context()))
	dir := w.TempDir()
	broker, err := embedded.StartBroker(ctx, "", "")
	w.ok(err)
	redis, err := embedded.StartRedis(ctx, "")
	w.ok(err)
	cfg := &config.Config{
		HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", KafkaBrokers: broker.Addrs(), KafkaCompression: "none", KafkaLinger: 3 * time.Millisecond,
		RedisURL: redis.URL(), StoreURL: "sqlite:" + filepath.Join(dir, "store.db"), BlobURL: "file://" + dir + "/blobs",
		EncryptionKey: base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)), EgressAllow: []string{"127.0.0.0/8"}, ShutdownDrain: 5 * time.Second,
	}
	cfg.With(&admin.Bootstrap{APIKey: apiKey}, &gateway.Settings{})
	started, over := make(chan struct{}), make(chan error, 1)
	prepare := func(p *run.Process) error {
		w.url, w.admin = "http://"+p.Public.Addr().String(), "http://"+p.Admin.Addr().String()
		p.Consumes, p.Started = broker.Reads, func() { close(started) }
		return p.Env.Bus.EnsureTopics(ctx, embedded.Topics())
	}
	go func() {
		over <- run.Services(ctx, "tributary", cfg, telemetry.Logger(w.logs, "json", "debug"), prepare, all.Services()...)
	}()
	w.stop = sync.OnceFunc(func() {
		stop()
		w.ok(<-over)
		w.ok(broker.Close())
		_ = redis.Close()
	})
	w.Cleanup(w.stop)
	select {
	case <-started:
	case err := <-over:
		w.Fatalf("it did not start: %v", err)
	}
}

// takes plays the provider: it takes every message.
func (w *world) takes(rw http.ResponseWriter, r *http.Request) {
	var m struct {
		To   string `json:"to"`
		Text *struct {
			Body string `json:"body"`
		} `json:"text"`
	}
	b, _ := io.ReadAll(r.Body)
	if json.Unmarshal(b, &m) != nil || m.Text == nil {
		_, _ = io.WriteString(rw, `{"success":true}`)
		return
	}
	if status := w.refuses.Load(); status != 0 {
		rw.WriteHeader(int(status))
		_, _ = fmt.Fprintf(rw, `{"error":{"code":%d,"message":"planted-refusal"}}`, map[int64]int{http.StatusTooManyRequests: 130429}[status])
		return
	}
	id := "wamid." + hex.EncodeToString([]byte(m.Text.Body))
	_, _ = fmt.Fprintf(rw, `{"messaging_product":"whatsapp","contacts":[{"input":%q,"wa_id":%q}],"messages":[{"id":%q}]}`, m.To, m.To, id)
	w.sent <- id
}

// furnish makes a channel and an agent whom routing gives conversations.
func (w *world) furnish() {
	var ch, user, queue struct {
		ID      string `json:"id"`
		AgentID string `json:"agent_id"`
	}
	w.do("POST", "/v1/channels", "", map[string]any{
		"type": "whatsapp", "name": "Test",
		"settings": map[string]any{"provider": "cloud", "phone_number_id": "1234567", "waba_id": "1", "api_base_url": w.provider.URL},
		"secrets":  map[string]string{"app_secret": appSecret, "access_token": accessToken, "verify_token": "planted-verify"},
	}, &ch)
	w.channel = ch.ID
	w.do("POST", "/v1/users", "", map[string]string{"name": "ana", "email": "ana@example.com", "role": "agent"}, &user)
	w.do("POST", "/v1/queues", "", map[string]any{"name": "Support", "agent_ids": []string{user.AgentID}}, &queue)
	w.do("PATCH", "/v1/agents/"+user.AgentID, "", map[string]any{"limit": 3}, nil)
	w.do("PUT", "/v1/agents/"+user.AgentID+"/presence", "", map[string]any{"state": "idle", "lease_seconds": 900}, nil)
	w.do("PATCH", "/v1/channels/"+ch.ID, "", map[string]any{"queue_id": queue.ID}, nil)
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// do makes an API request, in the trace that traceparent names if it names one.
func (w *world) do(method, path, traceparent string, in, out any) {
	w.Helper()
	b, err := json.Marshal(in)
	w.ok(err)
	req, err := http.NewRequestWithContext(w.Context(), method, w.url+path, bytes.NewReader(b))
	w.ok(err)
	req.Header.Set("Authorization", "Bearer "+apiKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", fmt.Sprint(time.Now().UnixNano()))
	if traceparent != "" {
		req.Header.Set("Traceparent", traceparent)
	}
	resp, err := http.DefaultClient.Do(req)
	w.ok(err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	w.ok(err)
	if resp.StatusCode >= 300 {
		w.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, got)
	}
	if out != nil {
		w.ok(json.Unmarshal(got, out))
	}
}

// webhook posts a signed call of the provider and returns the status of the answer.
func (w *world) webhook(value, secret string) int {
	w.Helper()
	body := `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",` +
		`"metadata":{"display_phone_number":"1","phone_number_id":"1234567"},` + value + `}}]}]}`
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(w.Context(), "POST", w.url+"/webhooks/whatsapp/"+w.channel+"?x=planted-query", strings.NewReader(body))
	w.ok(err)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	w.ok(err)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// asks lets the person write.
func (w *world) asks(id, text string) int {
	return w.webhook(fmt.Sprintf(`"contacts":[{"profile":{"name":%q},"wa_id":%q}],"messages":[{"from":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]`,
		name, person, person, id, time.Now().Unix(), text), appSecret)
}

// reports lets the provider say what became of a message.
func (w *world) reports(id, status string) int {
	return w.webhook(fmt.Sprintf(`"statuses":[{"id":%q,"status":%q,"timestamp":"%d","recipient_id":%q}]`, id, status, time.Now().Unix(), person), appSecret)
}

func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	w.Fatal(what)
}
