package stand

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Key is the API key that every stand is bootstrapped with, and Tenant whose it is.
const (
	Key    = "trb_bench00000000000_0123456789abcdef0123456789abcdef"
	Tenant = "default"
)

// single is the name of the process that has all services.
const single = "tributary"

// Services are those that separate processes are started for.
var Services = []string{"admin", "whatsapp", "facebook", "instagram", "telegram", "line", "wechat", "x", "rcs", "sms", "webchat", "inbox", "routing", "deliverystatus"}

// Stand is a Tributary, in whatever number of processes.
type Stand struct {
	Bin, Dir string
	Servers  map[string]string // TRIBUTARY_… of the shared servers; of separate processes
	External bool              // the servers are real ones outside, from the environment

	settings  []string // of the one process, besides what all have
	ports     map[string]int
	processes []*Process
	urls      map[string]string // of services whose processes somebody else has started, by name; of one process: by no name
	salt      int64             // makes the accounts of this stand others than those of stands before it on the same servers
}

func stand(bin, dir string) *Stand {
	return &Stand{Bin: bin, Dir: dir, ports: map[string]int{}, salt: time.Now().UnixMilli() % 1e9}
}

// One starts everything in one process, on data in dir, with settings TRIBUTARY_…=… of its own.
func One(ctx context.Context, bin, dir string, settings ...string) (*Stand, error) {
	s := stand(bin, dir)
	s.settings = append(settings, "TRIBUTARY_DATA_DIR="+filepath.Join(dir, "data"))
	if err := s.start(single, single, s.settings...); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	if err := s.ready(ctx, single); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Separate starts broker and Redis, and no service yet. With outside they are the ones that the environment names.
func Separate(ctx context.Context, bin, dir string, outside bool) (*Stand, error) {
	s := stand(bin, dir)
	s.Servers, s.External = map[string]string{}, outside
	var err error
	if outside {
		err = s.outside(ctx)
	} else {
		err = s.inside()
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Start starts services as separate processes and waits until they are ready.
func (s *Stand) Start(ctx context.Context, services ...string) error {
	for _, name := range services {
		if err := s.start(name, "tributary-"+name); err != nil {
			return err
		}
	}
	for _, name := range services {
		if err := s.ready(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stand) start(name, binary string, extra ...string) error {
	for _, n := range []string{name, name + ".admin"} {
		if s.ports[n] == 0 {
			port, err := free()
			if err != nil {
				return err
			}
			s.ports[n] = port
		}
	}
	env := append(slices.Clone(extra), fmt.Sprintf("TRIBUTARY_HTTP_ADDR=127.0.0.1:%d", s.ports[name]), fmt.Sprintf("TRIBUTARY_ADMIN_ADDR=127.0.0.1:%d", s.ports[name+".admin"]), "TRIBUTARY_PPROF=true")
	p, err := launch(name, filepath.Join(s.Bin, binary), s.Dir, nil, s.env(env...))
	if err != nil {
		return err
	}
	p.Admin = fmt.Sprintf("http://127.0.0.1:%d", s.ports[name+".admin"])
	s.processes = append(s.processes, p)
	return nil
}

func (s *Stand) env(extra ...string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.Dir, "TRIBUTARY_LOG_LEVEL=warn", "TRIBUTARY_DEMO=off",
		"TRIBUTARY_BOOTSTRAP_API_KEY=" + Key, "TRIBUTARY_EGRESS_ALLOW=127.0.0.0/8", "TRIBUTARY_TRUSTED_PROXIES=127.0.0.0/8",
	}
	for k, v := range s.Servers {
		env = append(env, k+"="+v)
	}
	for _, k := range []string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "TRIBUTARY_KAFKA_REPLICAS", "TRIBUTARY_KAFKA_SYNC"} {
		if v := os.Getenv(k); v != "" {
			env = append(env, k+"="+v)
		}
	}
	return append(env, extra...)
}

func (s *Stand) ready(ctx context.Context, name string) error {
	p := s.process(name)
	until := time.Now().Add(60 * time.Second)
	for time.Now().Before(until) && ctx.Err() == nil && !p.ended() {
		resp, err := http.Get(p.Admin + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	return fmt.Errorf("%s does not become ready: see %s", name, filepath.Join(s.Dir, name+".log"))
}

func (s *Stand) process(name string) *Process {
	i := slices.IndexFunc(s.processes, func(p *Process) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return s.processes[i]
}

// End stops some of the services in order.
func (s *Stand) End(names ...string) error {
	var errs []error
	for _, n := range names {
		if p := s.process(n); p != nil {
			errs = append(errs, p.stop())
			s.processes = slices.DeleteFunc(s.processes, func(x *Process) bool { return x == p })
		}
	}
	return errors.Join(errs...)
}

// Stop ends everything, what others use last.
func (s *Stand) Stop() error {
	var errs []error
	for _, p := range slices.Backward(s.processes) {
		errs = append(errs, p.stop())
	}
	s.processes = nil
	return errors.Join(errs...)
}

// Restart stops the one process and starts it again on its data; it returns how long the start took.
func (s *Stand) Restart(ctx context.Context) (time.Duration, error) {
	if err := s.Stop(); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := s.start(single, single, s.settings...); err != nil {
		return 0, err
	}
	err := s.ready(ctx, single)
	return time.Since(began), err
}

// URL is where a service is reached.
func (s *Stand) URL(service string) string {
	if s.urls != nil {
		if own := s.urls[service]; own != "" {
			return own
		}
		return s.urls[""]
	}
	if s.Servers == nil {
		service = single
	}
	return fmt.Sprintf("http://127.0.0.1:%d", s.ports[service])
}
