package history

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/admin"
	"github.com/tributaryhq/tributary/services/all"
)

// node is one process with all services in it. It can be killed: from one moment on nothing that it does has an effect on the
// store or on Kafka, and Kafka hears no goodbye.
type node struct {
	name string
	url  string
	line bustest.Line
	dead atomic.Bool
	auth *auth.Authenticator
	stop context.CancelFunc
	over chan struct{}
	died time.Time // killed
	log  *slog.Logger
}

func (p *platform) start(place int) *node {
	p.Helper()
	n := &node{over: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	proc, closeAll := p.process(ctx, n, place)
	n.url, n.auth = "http://"+proc.Public.Addr().String(), proc.Env.Auth
	started := make(chan struct{})
	proc.Started = func() { close(started) }
	failed := make(chan error, 1)
	go func() {
		defer close(n.over)
		err := proc.Run(ctx, all.Services()...)
		if e := closeAll(); err == nil {
			err = e
		}
		failed <- err
	}()
	select {
	case <-started:
	case err := <-failed:
		p.Fatalf("a node did not start: %v", err)
	}
	return n
}

// process is what run.Services builds for a real one, with lines that can be cut and a wall clock that its place sets off.
func (p *platform) process(ctx context.Context, n *node, place int) (proc *run.Process, closeAll func() error) {
	p.Helper()
	kcfg := p.broker.Config()
	n.name = fmt.Sprint("node-", p.started.Add(1))
	off := skew / 2
	if place%2 == 1 {
		off = -off
	}
	now := func() time.Time { return p.now().Add(off) }
	n.log = p.log.With("node", n.name)
	kcfg.Log, kcfg.Dial, kcfg.ClientID = n.log, n.line.Dial, n.name
	kcfg.Group.Session, kcfg.Group.Rebalance = session, session
	b, err := kafka.Open(ctx, kcfg)
	p.ok(err)
	redis, err := cache.Open(p.redis.url())
	p.ok(err)
	sealer, err := auth.NewSealer(make([]byte, 32))
	p.ok(err)
	db := mortalDB{p.db, n}
	p.ok(db.Ensure(ctx, append(directory.Others, directory.Specs...)...))
	blobs, err := blob.Open(ctx, p.blobs, db, now)
	p.ok(err)
	dir := directory.New(db, b, sealer, now)
	who, err := auth.NewAuthenticator(dir, make([]byte, 32), nil, now)
	p.ok(err)
	listen := func() net.Listener {
		l, err := run.Listen("http_addr", "127.0.0.1:0")
		p.ok(err)
		return l
	}
	public := listen()
	proc = &run.Process{
		Env: run.Env{
			Config: (&config.Config{EncryptionKey: base64.StdEncoding.EncodeToString(make([]byte, 32)), ShutdownDrain: 3 * time.Second}).With(&admin.Bootstrap{APIKey: apiKey}, &gateway.Settings{}),
			Log:    n.log, Bus: b, DB: db, Cache: redis, Blob: blobs,
			Egress: p.egress, Directory: dir, Auth: who, Sealer: sealer, PublicURL: "http://" + public.Addr().String(), Now: now,
		},
		Metrics: http.NotFoundHandler(), Public: public, Admin: listen(),
	}
	proc.Consumes = func(group string, _ ...string) { p.dead.know(group) }
	return proc, func() error {
		err := errors.Join(b.Close(), redis.Close(), blobs.Close())
		if n.dead.Load() {
			return nil // it could not even say goodbye
		}
		return err
	}
}

// kill ends the process as kill -9 would.
func (n *node) kill() {
	n.dead.Store(true)
	n.died = time.Now()
	n.line.Cut()
	n.stop()
}

// end stops the process as SIGTERM would, and waits for it.
func (n *node) end(t testing.TB) {
	n.stop()
	select {
	case <-n.over:
	case <-time.After(time.Minute):
		t.Error("a node does not end")
	}
}
