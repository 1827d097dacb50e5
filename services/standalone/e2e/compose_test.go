package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/bus/namespace"
	"github.com/tributaryhq/tributary/pkg/store/mongo/fresh"
)

const composeDir = "../../../deploy/compose"

// composed is the platform of deploy/compose without containers: the processes that compose.yaml names, with the commands and the
// environment that stand there, behind the gateway with its Caddyfile. Only addresses are others, since all of it is on one host.
type composed struct {
	*test
	services map[string]composedService
	at       map[string]string // "inbox:8080" is here
	traces   *collected
}

type composedService struct {
	Image       string
	Entrypoint  []string
	Command     []string
	Environment map[string]string
}

// TestTheComposeFileRuns starts what compose.yaml says, sends a message there and an answer back through the gateway, reads metrics where
// prometheus.yml reads them, and finds traces at the collector.
func TestTheComposeFileRuns(t *testing.T) {
	if !outside() {
		t.Skip("needs real servers: make test-servers")
	}
	caddy, err := exec.LookPath("caddy")
	if err != nil {
		t.Skip("caddy is missing: apt-get install caddy")
	}
	c := newComposed(t)
	for _, job := range []string{"topics", "indexes", "documents"} {
		c.job(job)
	}
	names := c.own()
	for _, name := range names {
		c.serve(name)
	}
	for _, name := range names {
		if err := c.ready(name); err != nil {
			t.Fatal(err)
		}
	}
	c.gateway(caddy)
	c.connect()

	events := c.listen(t.Context())
	if s := c.post("4915112399999", "wamid.composed", "hello"); s != 200 {
		t.Fatalf("the webhook was answered %d", s)
	}
	var talk *conversation
	c.eventually("the conversation is listed", func() bool { talk = c.find("4915112399999"); return talk != nil })
	c.answered(talk.ID, "an answer", "")
	c.eventually("the stream told of it", func() bool { return slices.Contains(events(), "message.updated") })
	c.do("POST", "/v1/auth/login", "", map[string]string{"email": "me@example.com", "password": "a password of the test"}, nil)
	for path, status := range map[string]int{
		"/v1/queues": 200, "/v1/dead-letters": 200, "/v1/channel-types": 200, "/": 200, "/openapi.yaml": 200,
		"/webhooks/telegram/none": 401, "/webhooks/line/none": 401, "/files/none": 404,
	} {
		if got := c.status(path); got != status {
			t.Errorf("%s was answered %d, want %d", path, got, status)
		}
	}
	for _, name := range names {
		if !strings.Contains(c.page("http://"+c.at[name+":9090"]+"/metrics"), "target_info") {
			t.Errorf("%s shows no metrics", name)
		}
	}
	c.eventually("the collector has traces of the path of a message", func() bool {
		return c.traces.have("tributary-whatsapp", "tributary-inbox", "tributary-deliverystatus")
	})
}

func newComposed(t *testing.T) *composed {
	t.Helper()
	var file struct{ Services map[string]composedService }
	b, err := os.ReadFile(filepath.Join(composeDir, "compose.yaml"))
	if err == nil {
		err = yaml.Unmarshal(b, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	log := &locked{w: &bytes.Buffer{}}
	p, err := newPlatform(binaries(t), t.TempDir(), true, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.front.Close(); err != nil {
		t.Fatal(err)
	}
	c := &composed{test: &test{T: t, platform: p}, services: file.Services, at: map[string]string{}, traces: collect(t)}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			log.show(t)
		}
	})
	for _, name := range append(c.own(), "gateway") {
		for address, of := range map[string]string{name + ":8080": name, name + ":9090": name + ".admin"} {
			port, err := freePort()
			if err != nil {
				t.Fatal(err)
			}
			p.ports[of], c.at[address] = port, fmt.Sprintf("127.0.0.1:%d", port)
		}
	}
	p.url = "http://" + c.at["gateway:8080"]
	if err := c.reserve(); err != nil {
		t.Fatal(err)
	}
	return c
}

// own are the services that are processes of ours.
func (c *composed) own() []string {
	out := maps.Clone(c.services)
	maps.DeleteFunc(out, func(_ string, s composedService) bool { return len(s.Entrypoint) == 0 })
	return slices.Sorted(maps.Keys(out))
}

// reserve finds servers of this platform's own: a part of Kafka, of Redis and of the store in which nothing is yet.
func (c *composed) reserve() (err error) {
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	c.real = &real{}
	if c.real.kafka, err = namespace.Open(ctx, bustest.Real(), fmt.Sprintf("d%x.", time.Now().UnixNano()), net.Listen); err != nil {
		return err
	}
	c.servers = map[string]string{"TRIBUTARY_KAFKA_BROKERS": strings.Join(c.real.kafka.Addrs(), ","), "TRIBUTARY_KAFKA_REPLICAS": "3"}
	if c.servers["TRIBUTARY_REDIS_URL"], err = redisDatabase(); err != nil {
		return err
	}
	c.servers["TRIBUTARY_STORE_URL"], c.real.drop, err = fresh.Database()
	return err
}

// environment is that of a container, with the addresses of this host.
func (c *composed) environment(name string) (out []string) {
	c.Helper()
	for k, v := range c.services[name].Environment {
		switch {
		case c.servers[k] != "":
			v = c.servers[k]
		case strings.HasPrefix(v, "file:///data"):
			v = "file://" + filepath.Join(c.dir, "data") + strings.TrimPrefix(v, "file:///data")
		case k == "TRIBUTARY_TRUSTED_PROXIES":
			v = "127.0.0.1/32"
		case k == "TRIBUTARY_ENCRYPTION_KEY":
			v = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
		case k == "OTEL_EXPORTER_OTLP_ENDPOINT":
			v = strings.Replace(v, "collector:4318", c.traces.at, 1)
		case strings.HasPrefix(v, "${"+k+":-"):
			if given := c.given(k); given != "" {
				v = given
			} else {
				v = strings.TrimSuffix(strings.TrimPrefix(v, "${"+k+":-"), "}")
			}
		}
		out = append(out, k+"="+v)
	}
	return out
}

// given is what whoever starts it sets.
func (c *composed) given(key string) string {
	return map[string]string{
		"TRIBUTARY_PUBLIC_URL": c.url, "TRIBUTARY_BOOTSTRAP_API_KEY": c.key, "TRIBUTARY_EGRESS_ALLOW": "127.0.0.0/8",
		"TRIBUTARY_BOOTSTRAP_ADMIN_EMAIL": "me@example.com", "TRIBUTARY_BOOTSTRAP_ADMIN_PASSWORD": "a password of the test",
	}[key]
}

func (c *composed) job(name string) {
	c.Helper()
	cmd := exec.CommandContext(c.Context(), filepath.Join(c.bin, "tributary"), c.services[name].Command...)
	cmd.Dir, cmd.Env = c.dir, c.environment(name)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.Fatalf("%s: %v: %s", name, err, out)
	}
}

func (c *composed) serve(name string) {
	c.Helper()
	env := append(c.environment(name), "TRIBUTARY_HTTP_ADDR="+c.at[name+":8080"], "TRIBUTARY_ADMIN_ADDR="+c.at[name+":9090"])
	if err := c.launch(name, filepath.Base(c.services[name].Entrypoint[0]), nil, env...); err != nil {
		c.Fatal(err)
	}
}

var named = regexp.MustCompile(`\b[a-z]+:8080\b`)

// gateway starts Caddy with the Caddyfile, in which names are addresses of this host.
func (c *composed) gateway(caddy string) {
	c.Helper()
	b, err := os.ReadFile(filepath.Join(composeDir, "Caddyfile"))
	if err != nil {
		c.Fatal(err)
	}
	text := named.ReplaceAllStringFunc(string(b), func(name string) string { return c.at[name] })
	text = strings.Replace(text, "\n:8080 {", "\nhttp://"+c.at["gateway:8080"]+" {", 1)
	file := filepath.Join(c.dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	cmd := exec.Command(caddy, "run", "--adapter", "caddyfile", "--config", file)
	cmd.Dir, cmd.Stderr, cmd.Env = c.dir, c.log, []string{"HOME=" + c.dir, "XDG_DATA_HOME=" + c.dir, "XDG_CONFIG_HOME=" + c.dir}
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
			c.Errorf("caddy: %v", err)
		}
	})
	c.eventually("the gateway answers", func() bool { return c.status("/v1/channel-types") == 200 })
}

// status asks with the key; 0: nobody answered.
func (c *composed) status(path string) int {
	req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		return 0
	}
	if strings.HasPrefix(path, "/webhooks/") {
		req.Method = http.MethodPost
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func (c *composed) page(url string) string {
	c.Helper()
	resp, err := client.Get(url)
	if err != nil {
		c.Error(err)
		return ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Error(err)
	}
	return string(b)
}

// collected plays the collector: it keeps what is exported over OTLP/HTTP.
type collected struct {
	at string // host:port

	mu   sync.Mutex
	text strings.Builder
}

func collect(t *testing.T) *collected {
	c := &collected{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/traces" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.text.Write(b)
	}))
	t.Cleanup(s.Close)
	c.at = s.Listener.Addr().String()
	return c
}

// have reports whether these services have exported traces.
func (c *collected) have(services ...string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !slices.ContainsFunc(services, func(s string) bool { return !strings.Contains(c.text.String(), s) })
}
