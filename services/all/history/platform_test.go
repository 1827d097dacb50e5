package history

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/store/sqlite"
)

const (
	replicas = 2
	skew     = 5 * time.Second // between the wall clocks of replicas that live at the same time
	session  = 4 * time.Second // a dead member of a group is missed for so long; a living one on a busy machine must not be
	apiKey   = "trb_history_0123456789abcdef0123456789abcdef"
	patience = 3 * time.Minute // everything that must happen after all is well again
)

// platform is what outlives processes, and the processes that live at present.
type platform struct {
	testing.TB
	broker   *bustest.Broker
	db       *weatherDB
	redis    *redisServer
	blobs    string
	egress   *egress.Client
	provider *provider
	dead     *coroner
	log      *slog.Logger
	client   *http.Client
	ahead    atomic.Int64 // nanoseconds by which the platform's clock is ahead of the machine's
	faults   atomic.Int64 // injected
	started  atomic.Int64 // nodes

	mu    sync.Mutex
	nodes []*node
	gone  []*node // killed; their goroutines may still be at it
}

var (
	house  *platform // one for all tests, which take turns: to start seven services twice is most of a test
	tenant *standing
	lives  int // so far
)

// open returns the platform, for the use of one test.
func open(t *testing.T) *platform {
	t.Helper()
	if house == nil {
		tenant = &standing{}
		house = newPlatform(tenant)
	}
	house.TB = t
	house.faults.Store(0)
	return house
}

func newPlatform(t testing.TB) *platform {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatalf("store: %v", err)
	}
	p := &platform{
		TB: t, db: &weatherDB{DB: db}, redis: startRedis(t), blobs: "file://" + t.TempDir(), broker: bustest.NewBroker(t, 1),
		egress: egress.New(egress.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		log:    logTo(t),
		client: &http.Client{Timeout: 8 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	p.provider = newProvider(t, p)
	p.dead = newCoroner(t, p)
	t.Cleanup(func() {
		for _, n := range append(p.alive(), p.gone...) {
			n.end(p)
		}
		p.client.CloseIdleConnections()
		p.ok(p.egress.Close())
		p.ok(db.Close())
	})
	p.ok(p.broker.Open(t).EnsureTopics(t.Context(), bustest.Topics()))
	for place := range replicas {
		p.nodes = append(p.nodes, p.start(place))
	}
	return p
}

// logTo is what the services say: nothing, unless LOG names a file, to find out what led to a failure.
func logTo(t testing.TB) *slog.Logger {
	path := os.Getenv("LOG")
	if path == "" {
		return slog.New(slog.DiscardHandler)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatalf("LOG=%s: %v", path, err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return slog.New(slog.NewTextHandler(f, nil))
}

// standing is a testing.TB for what outlives single tests.
type standing struct {
	testing.TB
	mu   sync.Mutex
	done []func()
}

func (s *standing) Helper()                   {}
func (s *standing) Context() context.Context  { return context.Background() }
func (s *standing) Output() io.Writer         { return io.Discard }
func (s *standing) Cleanup(f func())          { s.mu.Lock(); defer s.mu.Unlock(); s.done = append(s.done, f) }
func (s *standing) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }
func (s *standing) Error(a ...any)            { panic(fmt.Sprint(a...)) }
func (s *standing) Errorf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (s *standing) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (s *standing) TempDir() string {
	dir, err := os.MkdirTemp("", "history")
	if err != nil {
		panic(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (s *standing) end() {
	for i := len(s.done) - 1; i >= 0; i-- {
		s.done[i]()
	}
}

func (p *platform) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// now is the wall clock, which plans set: it has no monotonic reading, so that whoever measures by it measures wrongly.
func (p *platform) now() time.Time { return time.Now().Round(0).Add(time.Duration(p.ahead.Load())) }

func (p *platform) alive() []*node {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*node{}, p.nodes...)
}

// url is where the nth node listens that there is now.
func (p *platform) url(n int) string {
	alive := p.alive()
	return alive[n%len(alive)].url
}

// replace kills a node, or stops it in order, and starts another.
func (p *platform) replace(n int, abruptly bool) {
	p.mu.Lock()
	i := n % len(p.nodes)
	old := p.nodes[i]
	p.mu.Unlock()
	if abruptly {
		old.kill()
	} else {
		old.stop()
	}
	p.faults.Add(1)
	fresh := p.start(i)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nodes[i], p.gone = fresh, append(p.gone, old)
}

// call makes an API request at a node; status 0 says that no answer came.
func (p *platform) call(n int, token, method, path, key string, in, out any) (status int) {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		p.ok(err)
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url(n)+path, body)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		time.Sleep(time.Second) // as the answer's Retry-After wants it
		return p.call(n+1, token, method, path, key, in, out)
	}
	if out != nil && resp.StatusCode < 300 && json.Unmarshal(b, out) != nil {
		return 0
	}
	if resp.StatusCode == http.StatusUnprocessableEntity { // our own mistake
		p.Logf("%s %s: %s", method, path, b)
	}
	return resp.StatusCode
}

// must makes an API request that has to succeed, however often it takes.
func (p *platform) must(method, path, key string, in, out any) {
	p.Helper()
	last := 0
	p.eventually(fmt.Sprintf("%s %s", method, path), func() bool {
		last = p.call(0, apiKey, method, path, key, in, out)
		if last >= 400 && last < 500 && last != http.StatusTooManyRequests && !strings.HasPrefix(path, "/v1/channels") {
			p.Fatalf("%s %s: %d", method, path, last)
		}
		return last >= 200 && last < 300
	})
}

func (p *platform) eventually(what string, ok func() bool) {
	p.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) { // who asks more often is told to wait (429)
		if time.Now().After(end) {
			p.Fatalf("after %s: %s", patience, what)
		}
	}
}

// redisServer is a Redis that can be away.
type redisServer struct {
	mu   sync.Mutex
	at   string
	here *embedded.Redis
}

func startRedis(t testing.TB) *redisServer {
	r := &redisServer{}
	r.back(t)
	r.at = r.here.Addr()
	t.Cleanup(r.away)
	return r
}

func (r *redisServer) url() string { return "redis://" + r.at }

func (r *redisServer) away() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.here != nil {
		_ = r.here.Close()
		r.here = nil
	}
}

func (r *redisServer) back(t testing.TB) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.here != nil {
		return
	}
	here, err := embedded.StartRedis(context.Background(), r.at)
	if err != nil {
		t.Errorf("redis: %v", err)
		return
	}
	r.here = here
}
