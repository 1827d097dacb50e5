package e2e

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus/namespace"
	"github.com/tributaryhq/tributary/pkg/proof"
)

// patience is how long anybody may wait for the answer to a webhook, whatever is away.
const patience = 12 * time.Second

// fault is something that happens to a server for a while.
type fault struct {
	name    string
	last    time.Duration
	begin   func(s *wires)
	end     func(s *wires)
	unknown int // answers that may end as unknown: the provider was cut off while it took them
}

// wires is a scene of separate processes whose servers and provider are reached through cutters.
type wires struct {
	*scene
	broker, redis, provider *cutter
	account                 *account // of the fault under way
	unlock                  func()   // of the store
}

var (
	ofBroker = []fault{
		{name: "broker away", last: 5 * time.Second, begin: func(s *wires) { s.broker.away() }, end: func(s *wires) { s.heal(s.broker) }},
		{name: "broker silent", last: 6 * time.Second, begin: func(s *wires) { s.broker.quiet() }, end: func(s *wires) { s.broker.loud() }},
		{name: "broker slow", last: 5 * time.Second, begin: func(s *wires) { s.broker.slow(200 * time.Millisecond) }, end: func(s *wires) { s.broker.slow(0) }},
	}
	ofRedis = []fault{
		{name: "redis away", last: 12 * time.Second, begin: func(s *wires) { s.redis.away() }, end: func(s *wires) { s.heal(s.redis) }},
		{name: "redis silent", last: 6 * time.Second, begin: func(s *wires) { s.redis.quiet() }, end: func(s *wires) { s.redis.loud() }},
		{name: "redis slow", last: 4 * time.Second, begin: func(s *wires) { s.redis.slow(200 * time.Millisecond) }, end: func(s *wires) { s.redis.slow(0) }},
	}
	ofStore = []fault{
		{name: "store locked by another", last: 4 * time.Second, begin: (*wires).lock, end: func(s *wires) { s.unlock() }},
		{name: "store locked beyond its patience", last: 13 * time.Second, begin: (*wires).lock, end: func(s *wires) { s.unlock() }},
	}
	ofProvider = []fault{
		{name: "provider away", last: 5 * time.Second, begin: func(s *wires) { s.provider.away() }, end: func(s *wires) { s.heal(s.provider) }, unknown: outagePeers},
		{name: "provider slow", last: 4 * time.Second, begin: func(s *wires) { s.account.set(func(a *account) { a.delay = 1500 * time.Millisecond }) },
			end: func(s *wires) { s.account.set(func(a *account) { a.delay = 0 }) }},
		{name: "provider cuts in the middle of answers", last: 3 * time.Second, begin: func(s *wires) { s.account.set(func(a *account) { a.cut = 5 }) }, end: func(*wires) {}},
	}
)

const outagePeers = 4

// TestP1_P3_P7_P12_P13_OutagesAndSlowAnswers cuts, silences and slows the servers and the provider of separate processes under
// load. Webhooks are answered 200 or 503 within seconds, and once the fault is over everything goes on by itself.
func TestP1_P3_P7_P12_P13_OutagesAndSlowAnswers(t *testing.T) {
	t.Parallel()
	binaries(t)
	all := &tally{}
	t.Cleanup(func() { all.report(t) })
	for of, faults := range map[string][]fault{"broker": ofBroker, "redis": ofRedis, "store": ofStore, "provider": ofProvider} {
		t.Run(of, func(t *testing.T) {
			t.Parallel()
			if outside() && of == "store" {
				t.Skip("the store is no file of ours")
			}
			p := newProvider(t)
			s := newWires(t, p)
			for _, f := range faults {
				all.add(s.suffer(p, f))
			}
		})
	}
}

func newWires(t *testing.T, p *provider) *wires {
	done := work()
	defer done()
	s := &wires{scene: newScene(t, true)}
	if err := s.startServers(); err != nil {
		t.Fatal(err)
	}
	s.redis = newCutter(t, mustHost(t, s.servers["TRIBUTARY_REDIS_URL"]))
	s.servers["TRIBUTARY_REDIS_URL"] = strings.Replace(s.servers["TRIBUTARY_REDIS_URL"], s.redis.target, s.redis.addr, 1)
	n, err := namespace.Open(t.Context(), strings.Split(s.servers["TRIBUTARY_KAFKA_BROKERS"], ","), "cut.", listenCut(t, func(c *cutter) { s.broker = c }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil { // before the cluster's front goes
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = n.Close(ctx) // a broker of ours is gone by then, with its topics
	})
	s.servers["TRIBUTARY_KAFKA_BROKERS"] = strings.Join(n.Addrs(), ",")
	if err := topics(t.Context(), n.Addrs()); err != nil {
		t.Fatal(err)
	}
	s.begin()
	s.provider = newCutter(t, mustHost(t, p.url))
	s.furnish(&provider{url: "http://" + s.provider.addr})
	return s
}

func mustHost(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func (s *wires) heal(c *cutter) {
	if err := c.heal(); err != nil {
		s.Error(err)
	}
}

// lock takes the write lock of the store's file, as another process might hold it.
func (s *wires) lock() {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "data", "tributary.db")+"?_txlock=immediate&_pragma=busy_timeout(30000)")
	if err != nil {
		s.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		s.Fatal(err)
	}
	s.unlock = func() { _, _ = tx.Rollback(), db.Close() }
}

// suffer goes through one fault under a load that begins before it and ends after it.
func (s *wires) suffer(p *provider, f fault) proof.Figures {
	s.account = s.at(p.open(s.T, 0))
	l := newLoad(s.test, s.account, outagePeers, 14)
	l.pause = 150 * time.Millisecond
	ctx, cancel := context.WithTimeout(s.Context(), 90*time.Second)
	defer cancel()
	loaded := make(chan struct{})
	go func() { l.run(ctx); close(loaded) }()
	s.eventually(f.name+": the load has begun", func() bool { return l.events() > 4*outagePeers })
	f.begin(s)
	sleep(ctx, f.last)
	during := l.events()
	f.end(s)
	began := time.Now()
	<-loaded
	found := l.settle(80*time.Second, f.unknown)
	if len(l.odd) > 0 {
		s.Errorf("%s: webhooks were answered with %v", f.name, l.odd)
	}
	if l.slowest > patience {
		s.Errorf("%s: the answer to a webhook took %v", f.name, l.slowest)
	}
	s.Logf("%s for %v: %d acknowledged until its end, %d tries not; slowest answer to a webhook %d ms; %d ms until all was settled: %s", f.name, f.last,
		during, l.failed, l.slowest.Milliseconds(), time.Since(began).Milliseconds(), fates(found.fates))
	return l.figures(found, 1)
}
