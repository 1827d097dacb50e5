package e2e

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/proof"
)

// replicated are the services of which the churn test runs two processes each.
var replicated = []string{"inbox", "whatsapp", "deliverystatus", "routing"}

// replicate starts a second process of a service.
func (s *scene) replicate(service string) string {
	s.Helper()
	name := service + ".2"
	for _, n := range []string{name, name + ".admin"} {
		port, err := freePort()
		if err != nil {
			s.Fatal(err)
		}
		s.mu.Lock()
		s.ports[n] = port
		s.mu.Unlock()
	}
	s.again(service, name)
	return name
}

// again starts a process of a service that has ended.
func (s *scene) again(service, name string) {
	s.Helper()
	if err := s.startService(service, name); err != nil {
		s.Fatal(err)
	}
	if err := s.ready(name); err != nil {
		s.Fatal(err)
	}
}

// end sends a signal to one process and waits until it is gone.
func (s *scene) end(name string, sig syscall.Signal) {
	s.Helper()
	x := s.process(name)
	_ = x.cmd.Process.Signal(sig)
	if !s.ended(x, 30*time.Second) {
		s.Fatalf("%s does not end on %v", name, sig)
	}
	if sig == syscall.SIGTERM && !x.cmd.ProcessState.Success() {
		s.Errorf("%s ended with %v", name, x.cmd.ProcessState)
	}
}

// TestP1_P3_P4_P7_P9_P13_Churn stops and starts replicas in turn under load: with SIGTERM nothing is even uncertain, with SIGKILL
// nothing is lost or doubled.
func TestP1_P3_P4_P7_P9_P13_Churn(t *testing.T) {
	t.Parallel()
	binaries(t)
	all := &tally{}
	t.Cleanup(func() { all.report(t) })
	for how, sig := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGKILL": syscall.SIGKILL} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			all.add(churn(t, sig))
		})
	}
}

func churn(t *testing.T, sig syscall.Signal) proof.Figures {
	done := work()
	p := newProvider(t)
	s := newScene(t, true)
	s.begin()
	s.furnish(p)
	names := map[string][]string{}
	for _, service := range replicated {
		names[service] = []string{service, s.replicate(service)}
	}
	done()
	l := newLoad(s.test, s.at(p.open(t, 2)), 6, 36)
	l.pause = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
	defer cancel()
	loaded := make(chan struct{})
	go func() { l.run(ctx); close(loaded) }()
	s.eventually("the load has begun", func() bool { return l.events() > 20 })
	faults, unknown := 0, 0
	for turn := range 2 {
		for _, service := range replicated {
			name := names[service][turn%2]
			s.end(name, sig)
			faults++
			if sig == syscall.SIGKILL && service == "whatsapp" {
				unknown += l.peers
			}
			sleep(ctx, 300*time.Millisecond)
			s.again(service, name)
		}
	}
	began := time.Now()
	<-loaded
	f := l.settle(100*time.Second, unknown)
	l.capacity(s.limits)
	l.nothingLeft()
	t.Logf("%d replicas stopped and started; %d tries were not acknowledged; %d ms until all was settled: %s", faults, l.failed, time.Since(began).Milliseconds(), fates(f.fates))
	return l.figures(f, faults)
}
