package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// Process runs services until ctx ends or one of them fails.
type Process struct {
	Env     Env          // shared by the services; Service, Log and Stopping are filled in for each
	Metrics http.Handler // for /metrics
	Public  net.Listener
	Admin   net.Listener
	Started func() // called once everything runs; may be nil
	Loops   []Loop // run beside those of the services
	// Consumes is told of every group and its topics before they are read: the in-process broker trims by consumption.
	Consumes func(group string, topics ...string)
}

type process struct {
	*Process
	built   []*Parts
	names   []string
	begun   atomic.Bool  // the services run, and Kafka has answered once
	ending  atomic.Bool  // answers tell clients to make another connection for what they ask next
	lacks   atomic.Value // text: what the start waits for
	stop    chan struct{}
	failed  chan error
	serving sync.WaitGroup
	working sync.WaitGroup
}

// Run builds the services, runs them, and stops in order: not ready and kept connections given up, listener, subscriptions and
// loops, then Close in reverse order of building. A second signal to the process is the operating system's business.
func (p *Process) Run(ctx context.Context, services ...Service) (err error) {
	r := &process{Process: p, stop: make(chan struct{}), failed: make(chan error, 1)}
	defer func() {
		for _, parts := range slices.Backward(r.built) {
			if parts.Close != nil {
				err = errors.Join(err, parts.Close())
			}
		}
	}()
	trusted, err := p.Env.Config.Proxies()
	if err != nil {
		return err
	}
	engine := httpapi.New(trusted...)
	cookies, err := httpapi.Sessions(p.Env.PublicURL)
	if err != nil {
		return err
	}
	engine.Use(cookies)
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	public, admin := r.servers(engine)
	r.serve(admin, boundConnections(p.Admin, nil))
	if err := r.prepare(ctx, working, engine, services); err != nil {
		err = errors.Join(err, admin.Close())
		r.serving.Wait()
		return ignore(err, context.Canceled)
	}
	r.serve(public, boundConnections(p.Public, trusted))
	r.work(working)
	r.working.Go(func() {
		if r.reach(working) != nil {
			return
		}
		r.begun.Store(true)
		if p.Started != nil {
			p.Started()
		}
	})

	select {
	case <-ctx.Done():
	case err = <-r.failed:
		slog.ErrorContext(ctx, "stopping because a part failed", "error", err)
	}
	r.ending.Store(true)
	if err == nil && p.Env.Config.ShutdownDelay > 0 {
		time.Sleep(p.Env.Config.ShutdownDelay)
	}
	close(r.stop)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.Env.Config.ShutdownDrain)
	defer cancel()
	err = errors.Join(err, ignore(public.Shutdown(drain), context.DeadlineExceeded))
	err = errors.Join(err, public.Close()) // what did not finish in time is cut off before the clients close
	stopWorking()
	r.working.Wait()
	err = errors.Join(err, ignore(admin.Shutdown(drain), context.DeadlineExceeded))
	r.serving.Wait()
	return err
}

func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// prepare builds the services, once the store has what they need. ctx ends with the signal to stop, working with the work.
func (r *process) prepare(ctx, working context.Context, engine *gin.Engine, services []Service) error {
	if err := r.require(ctx, services); err != nil {
		return err
	}
	if err := r.relist(ctx, services); err != nil {
		return err
	}
	if err := directory.ProveKey(ctx, r.Env.DB, r.Env.Sealer); err != nil {
		return err
	}
	return r.build(working, engine, services)
}

func (r *process) build(ctx context.Context, engine *gin.Engine, services []Service) error {
	engine.Use(httpapi.Measure())
	for _, s := range services {
		env := r.Env
		env.Service, env.Log, env.Stopping = s.Name, r.Env.Log.With("service", s.Name), r.stop
		parts, err := s.New(ctx, &env)
		if err != nil {
			return fmt.Errorf("service %s: %w", s.Name, err)
		}
		r.built, r.names = append(r.built, parts), append(r.names, s.Name)
		for _, sub := range parts.Consumers {
			if r.Consumes != nil {
				r.Consumes(sub.Group, sub.Topics...)
			}
		}
		if parts.Routes != nil {
			parts.Routes(engine)
		}
	}
	return nil
}

// farewell has every answer of a process that is to end close its connection. A client that keeps connections would otherwise send
// a request on one at the moment in which the listener's end closes it, and could not know whether it was read.
func (r *process) farewell(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.ending.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, req)
	})
}

// servers makes the servers. What handlers of the public one read and write has deadlines of its own (httpapi.New).
func (r *process) servers(engine *gin.Engine) (public, admin *http.Server) {
	public = &http.Server{Handler: r.farewell(httpapi.Handler(engine)), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 120 * time.Second, MaxHeaderBytes: 64 << 10}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", r.livez)
	if r.Env.Config.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	mux.HandleFunc("GET /readyz", r.readyz)
	mux.HandleFunc("GET /startupz", r.startupz)
	mux.Handle("GET /metrics", r.Metrics)
	admin = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: 5 * time.Minute, IdleTimeout: 120 * time.Second}
	return public, admin
}

// livez is red if only a new process can help, whatever the servers do.
func (r *process) livez(w http.ResponseWriter, _ *http.Request) {
	if err := r.Env.Bus.Alive(); err != nil {
		http.Error(w, "not alive: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// startupz is green once the start is over, and stays so: after that, readyz says whether calls may come and livez whether the process is
// to be replaced.
func (r *process) startupz(w http.ResponseWriter, _ *http.Request) {
	if !r.begun.Load() {
		r.starting(w)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

func (r *process) starting(w http.ResponseWriter) {
	why, _ := r.lacks.Load().(string)
	http.Error(w, "not ready: "+cmp.Or(why, "starting"), http.StatusServiceUnavailable)
}

// readyz is green from the end of the start to the signal to stop, unless a service says otherwise. A server that goes away meanwhile
// changes nothing: every replica would leave the load balancer at once.
func (r *process) readyz(w http.ResponseWriter, req *http.Request) {
	switch {
	case r.ending.Load():
		http.Error(w, "not ready: stopping", http.StatusServiceUnavailable)
		return
	case !r.begun.Load():
		r.starting(w)
		return
	}
	for i, parts := range r.built {
		if parts.Ready == nil {
			continue
		}
		if err := parts.Ready(req.Context()); err != nil {
			http.Error(w, "not ready: "+r.names[i], http.StatusServiceUnavailable)
			return
		}
	}
	_, _ = w.Write([]byte("ok\n"))
}

func (r *process) serve(s *http.Server, l *connections) {
	s.ConnState = l.changed
	r.serving.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			r.fail(fmt.Errorf("listener %s: %w", l.Addr(), err))
		}
	})
}

func (r *process) work(ctx context.Context) {
	start := func(name string, f func(context.Context) error) {
		r.working.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				r.fail(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	start("memory", giveBack)
	start("directory", r.Env.Directory.Run)
	for _, l := range r.Loops {
		start(l.Name, l.Run)
	}
	for i, parts := range r.built {
		for _, sub := range parts.Consumers {
			start(r.names[i]+": group "+sub.Group, func(ctx context.Context) error { return r.consume(ctx, sub) })
		}
		for _, l := range parts.Loops {
			start(r.names[i]+": "+l.Name, l.Run)
		}
	}
}

// consume runs a subscription for as long as the process lives: a bus that gave up is asked again.
func (r *process) consume(ctx context.Context, sub bus.Subscription) error {
	for {
		err := r.Env.Bus.Consume(ctx, sub)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the process stops: that is why
		}
		slog.ErrorContext(ctx, "a subscription ended, starting it again", "group", sub.Group, "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func (r *process) fail(err error) {
	select {
	case r.failed <- err:
	default: // the first failure stops the process; the others follow from it
	}
}
