package all_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/admin"
	"github.com/tributaryhq/tributary/services/all"
	"github.com/tributaryhq/tributary/services/simulator"
)

// house is all services behind one server, as the single binary has them; their loops do not run.
type house struct {
	*testing.T
	env    *run.Env
	engine *gin.Engine
	url    string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	ctx, dir := context.WithoutCancel(t.Context()), t.TempDir()
	h := &house{T: t}
	broker, err := embedded.StartBroker(ctx, "", "")
	h.ok(err)
	t.Cleanup(func() { h.ok(broker.Close()) })
	redis, err := embedded.StartRedis(ctx, "")
	h.ok(err)
	t.Cleanup(func() { _ = redis.Close() })
	cfg := &config.Config{
		KafkaBrokers: broker.Addrs(), RedisURL: redis.URL(), StoreURL: "sqlite:" + filepath.Join(dir, "store.db"), BlobURL: "file://" + dir + "/blobs",
		EncryptionKey: base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
	}
	cfg.With(&admin.Bootstrap{}, &gateway.Settings{})
	env, shut, err := run.Open(ctx, cfg, slog.New(slog.DiscardHandler))
	h.ok(err)
	h.env = env
	t.Cleanup(func() { h.ok(shut()) })
	h.ok(env.Bus.EnsureTopics(ctx, embedded.Topics()))
	services := append(all.Services(), simulator.Service)
	specs := append(append([]store.Spec{}, directory.Specs...), blob.Specs...)
	for _, s := range services {
		specs = append(specs, s.Collections...)
	}
	h.ok(env.DB.Ensure(ctx, specs...))
	h.engine = httpapi.New()
	stopping := make(chan struct{})
	for _, s := range services {
		own := *env
		own.Service, own.Stopping = s.Name, stopping
		parts, err := s.New(ctx, &own)
		h.ok(err)
		if parts.Routes != nil {
			parts.Routes(h.engine)
		}
		if parts.Close != nil {
			t.Cleanup(func() { h.ok(parts.Close()) })
		}
	}
	server := httptest.NewServer(httpapi.Handler(h.engine))
	h.url = server.URL
	t.Cleanup(func() {
		close(stopping)
		server.Close()
	})
	return h
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// tenant makes a tenant and returns an API key of it with every permission.
func (h *house) tenant(id string) string {
	h.Helper()
	now := event.At(time.Now())
	t := &directory.Tenant{Name: id, Settings: directory.DefaultSettings(id), Version: 1, CreatedAt: now}
	t.ID, t.Tenant = id, id
	h.ok(store.NewCollection[directory.Tenant](h.env.DB, directory.Tenants).Insert(h.Context(), t))
	name, text, hash := auth.NewAPIKey()
	k := &directory.APIKey{Name: "first", Hash: hash, Scopes: auth.All, Version: 1, CreatedAt: now}
	k.ID, k.Tenant = "key_"+name, id
	h.ok(store.NewCollection[directory.APIKey](h.env.DB, directory.APIKeys).Insert(h.Context(), k))
	return text
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (h *house) call(key, method, path string, body io.Reader) answer {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), method, h.url+path, body)
	h.ok(err)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	h.ok(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	h.ok(err)
	return answer{resp.StatusCode, resp.Header, string(b)}
}

func (h *house) make(key, path string, body map[string]any) {
	h.Helper()
	b, err := json.Marshal(body)
	h.ok(err)
	if a := h.call(key, "POST", path, strings.NewReader(string(b))); a.status != 201 {
		h.Fatalf("%s: %d %s", path, a.status, a.body)
	}
}
