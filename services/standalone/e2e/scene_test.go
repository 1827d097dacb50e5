package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scene is a platform with a channel at a provider of the test, and agents whom routing gives conversations.
type scene struct {
	*test
	log    *locked
	limits map[string]int // of the agents, by id
}

func (l *locked) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.w.String(), s)
}

// show prints the end of a log; with KEEP set, all of it is kept in that folder.
func (l *locked) show(t *testing.T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.w.Bytes()
	if keep := os.Getenv("KEEP"); keep != "" {
		name := filepath.Join(keep, strings.NewReplacer("/", "-", ":", "-").Replace(t.Name())+".log")
		t.Logf("the log is in %s: %v", name, os.WriteFile(name, b, 0o600))
	}
	t.Logf("log:\n%s", b[max(0, len(b)-6000):])
}

func binaries(t *testing.T) string {
	t.Helper()
	bin := os.Getenv("BIN")
	if bin == "" {
		t.Skip("BIN is not set: make test-e2e builds the binaries and sets it")
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// newScene prepares a platform that is not started yet. When the test ends it must stop by itself, on SIGTERM.
func newScene(t *testing.T, separate bool) *scene {
	t.Helper()
	log := &locked{w: &bytes.Buffer{}}
	p, err := newPlatform(binaries(t), t.TempDir(), separate, log)
	if err != nil {
		t.Fatal(err)
	}
	p.extra = []string{"TRIBUTARY_DEMO=off"}
	p.with, p.binary = map[string][]string{}, map[string]string{}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			log.show(t)
		}
	})
	return &scene{test: &test{T: t, platform: p}, log: log}
}

// furnish makes a WhatsApp channel and its agents.
func (s *scene) furnish(p *provider) {
	s.Helper()
	s.furnishWith("whatsapp", map[string]any{"provider": "cloud", "phone_number_id": phoneID, "waba_id": "1", "api_base_url": p.url},
		map[string]string{"app_secret": appSecret, "access_token": "token-of-the-test", "verify_token": "verify-of-the-test"})
}

// furnishLine makes a LINE channel and its agents.
func (s *scene) furnishLine(url string) {
	s.Helper()
	s.furnishWith("line", map[string]any{"destination": lineBot, "api_base_url": url},
		map[string]string{"channel_secret": lineSecret, "channel_access_token": "token-of-the-test"})
}

// furnishWith makes the channel and two agents who have room for one and for two conversations.
func (s *scene) furnishWith(family string, settings map[string]any, secrets map[string]string) {
	s.Helper()
	var ch struct {
		ID string `json:"id"`
	}
	s.eventually("a channel can be made", func() bool {
		return s.call(s.Context(), "POST", "/v1/channels", "channel", map[string]any{"type": family, "name": "Test", "settings": settings, "secrets": secrets}, &ch) == nil
	})
	s.channel, s.limits = ch.ID, map[string]int{}
	var agents []string
	for i, name := range []string{"ana", "bo"} {
		var user struct {
			AgentID string `json:"agent_id"`
		}
		s.do("POST", "/v1/users", name, map[string]string{"name": name, "email": name + "@example.com", "role": "agent"}, &user)
		s.limits[user.AgentID] = i + 1
		agents = append(agents, user.AgentID)
	}
	var queue struct {
		ID string `json:"id"`
	}
	s.do("POST", "/v1/queues", "q", map[string]any{"name": "Support", "agent_ids": agents}, &queue)
	for agent, limit := range s.limits {
		s.do("PATCH", "/v1/agents/"+agent, "", map[string]any{"limit": limit}, nil)
		s.do("PUT", "/v1/agents/"+agent+"/presence", "", map[string]any{"state": "idle", "lease_seconds": 900}, nil)
	}
	s.do("PATCH", "/v1/channels/"+s.channel, "", map[string]any{"queue_id": queue.ID}, nil)
}

// like starts from what another scene of one process has left in its data directory.
func (s *scene) like(other *scene) {
	s.Helper()
	if err := os.CopyFS(filepath.Join(s.dir, "data"), os.DirFS(filepath.Join(other.dir, "data"))); err != nil {
		s.Fatal(err)
	}
	s.channel, s.limits = other.channel, other.limits
}

// at makes the scene the place where the account's receipts go.
func (s *scene) at(a *account) *account {
	a.hook = func(body string) int { return s.webhook(body, appSecret) }
	return a
}

func (s *scene) begin() {
	s.Helper()
	if err := s.start(); err != nil {
		s.Fatal(err)
	}
}

// ended waits until a process has ended by itself.
func (s *scene) ended(x *process, within time.Duration) bool {
	select {
	case <-x.done:
		return true
	case <-time.After(within):
		return false
	}
}

// busy bounds how many scenes work at once; those that wait for a deadline do not count.
var busy = make(chan struct{}, 4)

func work() (done func()) {
	busy <- struct{}{}
	return func() { <-busy }
}
