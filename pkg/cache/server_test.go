package cache

import (
	"context"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// variable is the URL of a Redis, alone or a cluster (cluster=true), that the tests use instead of one in memory. They delete
// everything in it.
const variable = "TRIBUTARY_TEST_REDIS_URL"

// one lets tests on a real Redis run one after the other: they empty it, and their names are the same.
var one sync.Mutex

// server is the Redis of a test: in memory, or real.
type server struct {
	testing.TB
	mini  *miniredis.Miniredis // nil if it is real
	admin redis.UniversalClient
	line  *line // nil in front of a cluster, which tells clients where its nodes are
	url   string
}

func serve(t testing.TB) *server {
	t.Helper()
	s := &server{TB: t, url: os.Getenv(variable)}
	if s.url == "" {
		s.mini = miniredis.NewMiniRedis()
		if err := s.mini.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.mini.Close)
		s.url = "redis://" + s.mini.Addr()
		return s
	}
	one.Lock()
	t.Cleanup(one.Unlock)
	o, err := options(s.url)
	if err != nil {
		t.Fatal(err)
	}
	s.admin = redis.NewUniversalClient(o)
	t.Cleanup(func() { _ = s.admin.Close() })
	s.flush()
	if !o.IsClusterMode {
		s.line = newLine(t, o.Addrs[0])
		u, _ := url.Parse(s.url) // options has parsed it
		u.Host = s.line.listener.Addr().String()
		s.url = u.String()
	}
	return s
}

// masters does something on every node that holds data.
func (s *server) masters(f func(ctx context.Context, c *redis.Client) error) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var err error
	switch c := s.admin.(type) {
	case *redis.ClusterClient:
		err = c.ForEachMaster(ctx, f)
	case *redis.Client:
		err = f(ctx, c)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// pass lets time go by.
func (s *server) pass(d time.Duration) {
	if s.mini != nil {
		s.mini.FastForward(d)
		return
	}
	time.Sleep(d + 20*time.Millisecond) // the clock is the server's
}

// flush makes the server lose its data.
func (s *server) flush() {
	if s.mini != nil {
		s.mini.FlushAll()
		return
	}
	s.masters(func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() })
}

// alone leaves out what needs one address, between which and its clients something can stand.
func (s *server) alone() {
	if s.mini == nil && s.line == nil {
		s.Skip("nothing stands between a cluster and its clients")
	}
}

// cut takes the server away until heal.
func (s *server) cut() {
	s.alone()
	if s.mini != nil {
		s.mini.Close()
		return
	}
	s.line.set(true)
}

func (s *server) heal() {
	if s.line != nil {
		s.line.set(false)
		return
	}
	if err := s.mini.Restart(); err != nil {
		s.Fatal(err)
	}
}

// channels counts what somebody listens to.
func (s *server) channels() (n int) {
	if s.mini != nil {
		return len(s.mini.PubSubChannels(""))
	}
	var mu sync.Mutex
	s.masters(func(ctx context.Context, c *redis.Client) error {
		all, err := c.PubSubChannels(ctx, prefix+"*").Result()
		mu.Lock()
		defer mu.Unlock()
		n += len(all)
		return err
	})
	return n
}

// line passes bytes on to a server until it is cut.
type line struct {
	listener net.Listener
	target   string
	tasks    sync.WaitGroup

	mu    sync.Mutex
	gone  bool
	conns map[net.Conn]struct{}
}

func newLine(t testing.TB, target string) *line {
	t.Helper()
	l := &line{target: target, conns: map[net.Conn]struct{}{}}
	var err error
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	l.tasks.Go(l.accept)
	t.Cleanup(func() {
		_ = l.listener.Close()
		l.set(true)
		l.tasks.Wait()
	})
	return l
}

func (l *line) accept() {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return // closed
		}
		s, err := net.Dial("tcp", l.target)
		if err != nil || !l.admit(c, s) {
			_ = c.Close()
			continue
		}
		for _, way := range [][2]net.Conn{{c, s}, {s, c}} {
			l.tasks.Go(func() {
				_, _ = io.Copy(way[0], way[1]) // its end is the end of both
				_, _ = c.Close(), s.Close()
			})
		}
	}
}

func (l *line) admit(both ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range both {
		if l.gone {
			_ = c.Close()
		} else {
			l.conns[c] = struct{}{}
		}
	}
	return !l.gone
}

func (l *line) set(gone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = gone
	if gone {
		for c := range l.conns {
			_ = c.Close()
		}
		clear(l.conns)
	}
}

// A cluster refuses a command or script whose keys lie in different slots. Whatever the cache does passes in a cluster (all tests
// of this package do), over keys in all slots.
func TestEverySlotIsUsed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	c, ctx := s.connect(), t.Context()
	for i := range 64 {
		name := strings.Repeat("n", i+1)
		if err := c.Put(ctx, name, []byte(name), time.Minute); err != nil {
			t.Fatal(err)
		}
		if v, ok, err := c.Lookup(ctx, name); string(v) != name || !ok || err != nil {
			t.Fatalf("%s: %q %t %v", name, v, ok, err)
		}
		l, err := c.Lease(ctx, name, time.Minute)
		if l == nil || err != nil {
			t.Fatalf("lease: %v %v", l, err)
		}
		if held, err := l.Renew(ctx); !held || err != nil {
			t.Fatalf("renew: %t %v", held, err)
		}
		limiter, err := c.Limiter(name, Rate{Limit: 8, Per: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if ok, _ := limiter.Take(ctx); !ok || c.away.Since() < time.Hour {
			t.Fatalf("a token: %t, away since %s", ok, c.away.Since())
		}
		if err := l.Release(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.Notify(ctx, name, nil); err != nil {
			t.Fatal(err)
		}
	}
}
