package run

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// diary notes what happens, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, s)
}

func (d *diary) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

func newProcess(t *testing.T, cfg *config.Config) *Process {
	t.Helper()
	b := bustest.New(t)
	db := storetest.New(t, append(directory.Others, directory.Specs...)...)
	sealer, err := auth.NewSealer(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	listen := func() net.Listener {
		l, err := Listen("http_addr", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	return &Process{
		Env:     Env{Config: cfg, Log: slog.New(slog.DiscardHandler), Bus: b, DB: db, Sealer: sealer, Directory: directory.New(db, b, sealer, time.Now), Now: time.Now},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metric 1\n") }),
		Public:  listen(), Admin: listen(),
	}
}

func get(l net.Listener, path string) (int, string) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := c.Get("http://" + l.Addr().String() + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func TestAStopIsOrderly(t *testing.T) {
	t.Parallel()
	var d diary
	inside, finish := make(chan struct{}), make(chan struct{})
	part := func(name string) Service {
		return Service{Name: name, New: func(_ context.Context, env *Env) (*Parts, error) {
			return &Parts{
				Routes: func(r gin.IRouter) {
					r.GET("/v1/of-"+name, func(c *gin.Context) { c.Status(200) })
					r.GET("/v1/"+name+"s", func(c *gin.Context) {
						close(inside)
						<-env.Stopping
						d.note("told to stop")
						<-finish
						d.note("request finished")
						c.String(200, "whole answer")
					})
				},
				Consumers: []bus.Subscription{{Group: name, Topics: []string{event.TopicReceipts}, Handle: func(context.Context, bus.Message) error { return nil }}},
				Loops:     []Loop{{"loop", func(ctx context.Context) error { <-ctx.Done(); d.note("loop of " + name + " ended"); return nil }}},
				Close:     func() error { d.note("closed " + name); return nil },
			}, nil
		}}
	}
	p := newProcess(t, &config.Config{ShutdownDelay: 300 * time.Millisecond, ShutdownDrain: 10 * time.Second})
	started := make(chan struct{})
	p.Started = func() { close(started) }
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, part("a"), part("b")) }()
	<-started
	for path, want := range map[string]string{"/livez": "ok", "/readyz": "ok", "/startupz": "ok", "/metrics": "metric 1"} {
		if code, body := get(p.Admin, path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, code, body)
		}
		if code, _ := get(p.Public, path); code != 404 {
			t.Errorf("%s is public: %d", path, code)
		}
	}
	if code, _ := get(p.Public, "/v1/of-a"); code != 200 {
		t.Errorf("before the stop a request is answered %d", code)
	}
	answered := make(chan string, 1)
	go func() { _, body := get(p.Public, "/v1/as"); answered <- body }()
	<-inside
	stop()
	bustest.Eventually(t, "it is not ready", func() bool { code, _ := get(p.Admin, "/readyz"); return code == 503 })
	if code, _ := get(p.Public, "/v1/of-a"); code != 200 {
		t.Errorf("during the delay requests are answered %d, want 200", code)
	}
	bustest.Eventually(t, "the listener is closed", func() bool { code, _ := get(p.Public, "/v1/of-a"); return code == 0 })
	if code, _ := get(p.Admin, "/livez"); code != 200 {
		t.Errorf("livez is %d while it drains", code)
	}
	close(finish)
	if body := <-answered; body != "whole answer" {
		t.Errorf("the request under way got %q", body)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	got := d.all()
	if len(got) == 6 {
		slices.Sort(got[2:4]) // loops end together
	}
	want := []string{"told to stop", "request finished", "loop of a ended", "loop of b ended", "closed b", "closed a"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAFailingLoopStopsTheProcess(t *testing.T) {
	t.Parallel()
	errBroken := errors.New("broken for good")
	fragile := []Loop{{"fragile", func(context.Context) error { return errBroken }}}
	for of, want := range map[string]string{"service": "toy: fragile: broken", "process": "fragile: broken"} {
		var d diary
		parts := &Parts{Close: func() error { d.note("closed"); return nil }}
		p := newProcess(t, &config.Config{ShutdownDelay: time.Hour, ShutdownDrain: time.Second})
		if of == "service" {
			parts.Loops = fragile
		} else {
			p.Loops = fragile
		}
		toy := Service{Name: "toy", New: func(context.Context, *Env) (*Parts, error) { return parts, nil }}
		err := p.Run(t.Context(), toy)
		if !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), want) || !slices.Equal(d.all(), []string{"closed"}) {
			t.Errorf("a loop of the %s: %v, %v", of, err, d.all())
		}
	}
}

func TestAServiceThatCannotBeBuiltIsNamedAndTheOthersAreClosed(t *testing.T) {
	t.Parallel()
	var d diary
	good := Service{Name: "good", New: func(context.Context, *Env) (*Parts, error) {
		return &Parts{Close: func() error { d.note("closed"); return nil }}, nil
	}}
	bad := Service{Name: "bad", New: func(context.Context, *Env) (*Parts, error) { return nil, errors.New("no") }}
	err := newProcess(t, &config.Config{}).Run(t.Context(), good, bad)
	if err == nil || !strings.Contains(err.Error(), "service bad: no") || !slices.Equal(d.all(), []string{"closed"}) {
		t.Errorf("%v, %v", err, d.all())
	}
}

func TestARequestThatDoesNotEndIsCutOffAfterTheDrain(t *testing.T) {
	t.Parallel()
	inside := make(chan struct{})
	s := Service{Name: "toy", New: func(context.Context, *Env) (*Parts, error) {
		return &Parts{Routes: func(r gin.IRouter) {
			r.GET("/v1/toys", func(c *gin.Context) { close(inside); <-c.Request.Context().Done() })
		}}, nil
	}}
	p := newProcess(t, &config.Config{ShutdownDrain: 50 * time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	done, cut := make(chan error, 1), make(chan int, 1)
	go func() { done <- p.Run(ctx, s) }()
	go func() { code, _ := get(p.Public, "/v1/toys"); cut <- code }()
	<-inside
	stop()
	if code := <-cut; code != 0 {
		t.Errorf("%d, want a cut connection", code)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAPortInUseIsNamed(t *testing.T) {
	t.Parallel()
	l, err := Listen("admin_addr", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Listen("http_addr", l.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "TRIBUTARY_HTTP_ADDR="+l.Addr().String()) {
		t.Errorf("%v", err)
	}
}

func TestMissingVariablesAreNamed(t *testing.T) {
	t.Parallel()
	err := main("toy", nil, nil, io.Discard, nil)
	for _, name := range []string{"KAFKA_BROKERS", "REDIS_URL", "STORE_URL", "BLOB_URL", "ENCRYPTION_KEY"} {
		if err == nil || !strings.Contains(err.Error(), "TRIBUTARY_"+name+" is not set") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := main("toy", nil, []string{"TRIBUTARY_KAFKA_BROKER=x"}, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "KAFKA_BROKER") {
		t.Errorf("an unknown variable: %v", err)
	}
}

func TestP11_ThePrintedConfigurationHidesSecrets(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	environ := []string{
		"TRIBUTARY_KAFKA_PASSWORD=planted-1", "TRIBUTARY_REDIS_URL=redis://u:planted-2@h:1", "TRIBUTARY_STORE_URL=mongodb://u:planted-3@h", "TRIBUTARY_HTTP_ADDR=:4711",
		"TRIBUTARY_BOOTSTRAP_API_KEY=trb_x_planted-4-0123456789", "TRIBUTARY_BOOTSTRAP_ADMIN_PASSWORD=planted-5", "TRIBUTARY_ENCRYPTION_KEY=a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
	}
	if err := main("toy", []string{"--print-config"}, environ, &out, nil); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "planted") || strings.Contains(s, "a2tra") || !strings.Contains(s, ":4711") {
		t.Errorf("%s", s)
	}
}
