// Package cache is Redis behind one door: tokens for rate limits, short leases, wake-up signals, small values with a lifetime. It is
// the only package that may import go-redis.
//
// Everything in it is disposable. An empty or missing Redis costs time, never a fact: limits are kept locally, signals are replaced
// by polling, and whatever guards an effect is a lease in the store instead.
package cache

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/telemetry/dbcall"
)

const (
	prefix  = "tributary:"
	timeout = 500 * time.Millisecond // of one command, also without a deadline in the context
)

// Cache is a connection to Redis, safe for concurrent use. A process has one.
type Cache struct {
	client redis.UniversalClient
	away   due.Mark // when Redis did not answer a limiter
	hub    *hub
}

// Open prepares a connection. It does not need Redis to be there. The URL is redis:// or rediss:// (TLS), with
// user:password@host:port/db; the parameters addr (more addresses, repeated), master (the name of a sentinel's master) and
// cluster=true choose how Redis runs:
//
//	redis://h1:6379/0
//	redis://h1:26379?addr=h2:26379&addr=h3:26379&master=mymaster
//	rediss://u:p@h1:6379?addr=h2:6379&cluster=true
func Open(rawURL string) (*Cache, error) {
	opts, err := options(rawURL)
	if err != nil {
		return nil, err
	}
	quiet()
	c := &Cache{client: redis.NewUniversalClient(opts)}
	c.client.AddHook(observed{dbcall.New("redis")})
	c.hub = newHub(c.client)
	return c, nil
}

// quiet sends what go-redis prints by itself to where it belongs; every error is returned as well.
var quiet = sync.OnceFunc(func() { redis.SetLogger(logger{}) })

type logger struct{}

func (logger) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, fmt.Sprintf(format, v...), "component", "redis")
}

func options(rawURL string) (*redis.UniversalOptions, error) {
	// The URL holds a password, so it is never part of an error.
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || (u.Scheme != "redis" && u.Scheme != "rediss") {
		return nil, fault.At("/redis_url", "invalid", "redis url: want redis://[user:password@]host:port[/db]")
	}
	q := u.Query()
	o := &redis.UniversalOptions{
		Addrs: append([]string{withPort(u.Host)}, q["addr"]...), Username: u.User.Username(), ClientName: "tributary",
		MasterName: q.Get("master"), IsClusterMode: q.Get("cluster") == "true",
		ContextTimeoutEnabled: true, DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, MaxRetries: 1, DialerRetries: 1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	o.Password, _ = u.User.Password()
	if u.Scheme == "rediss" {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 {
			return nil, fault.At("/redis_url", "invalid", "redis url: database %q is not a number", db)
		}
	}
	for _, a := range o.Addrs {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return nil, fault.At("/redis_url", "invalid", "redis url: address %q is not host:port", a)
		}
	}
	if len(o.Addrs) > 1 && o.MasterName == "" && !o.IsClusterMode {
		return nil, fault.At("/redis_url", "invalid", "redis url: several addresses need cluster=true or master=<name>")
	}
	return o, nil
}

func withPort(host string) string {
	if strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']') {
		return host
	}
	return host + ":6379"
}

// Ping reports whether Redis answers.
func (c *Cache) Ping(ctx context.Context) error { return classify("ping", c.client.Ping(ctx).Err()) }

// Time is what the server's clock shows.
func (c *Cache) Time(ctx context.Context) (time.Time, error) {
	t, err := c.client.Time(ctx).Result()
	return t, classify("time", err)
}

// Close ends all watches and disconnects.
func (c *Cache) Close() error {
	c.hub.close()
	return c.client.Close()
}

// Put keeps a value for ttl, at most. Secrets must be sealed by the caller.
func (c *Cache) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return classify("put", c.client.Set(ctx, prefix+"kv:"+key, value, ttl).Err())
}

// Lookup returns what was put, if it is still there.
func (c *Cache) Lookup(ctx context.Context, key string) (value []byte, ok bool, err error) {
	value, err = c.client.Get(ctx, prefix+"kv:"+key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	return value, err == nil, classify("lookup", err)
}

// Delete takes a value away; it is no error if there is none.
func (c *Cache) Delete(ctx context.Context, key string) error {
	return classify("delete", c.client.Del(ctx, prefix+"kv:"+key).Err())
}

func classify(what string, err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Kind: fault.Unavailable, Code: "redis_unavailable", Err: fmt.Errorf("cache: %s: %w", what, err)}
}

func warn(msg string, err error, args ...any) {
	slog.Warn("cache: "+msg, append(args, "error", err)...)
}
