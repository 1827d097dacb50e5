package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/crash"
	"github.com/tributaryhq/tributary/pkg/proof"
)

// points are the durable steps of docs/ARCHITECTURE.md, as [crash.Point] names them, in a load of 4 people, 12 webhooks
// and 12 answers of which the provider refuses the first two. Every one is met before and after.
var points = []struct{ step, point string }{
	{"accept a webhook or an answer", "answer:public:9"},
	{"produce journal and inbound", "publish:tributary.inbound:5"},
	{"consume inbound", "handle:tributary-inbox:5"},
	{"insert the thread", "insert:threads:3"},
	{"insert the conversation", "insert:conversations:3"},
	{"update the conversation", "update:conversations:7"},
	{"apply: the message", "insert:messages:6"},
	{"apply: the fact", "publish:tributary.conversations:6"},
	{"apply: the send", "publish:tributary.outbound.whatsapp:4"},
	{"clear", "clear:conversations:3"},
	{"consume a send", "handle:tributary.outbound.whatsapp:4"},
	{"intent", "insert:sends_whatsapp:4"},
	{"call", "call:provider:4"},
	{"settle, or say a receipt", "publish:tributary.receipts:4"},
	{"settle what waited", "update:sends_whatsapp:3"},
	{"consume a receipt", "handle:tributary.receipts:6"},
	{"receipt: the provider's id", "update:receipts:3"},
	{"receipt: the attempt", "update:attempts:4"},
	{"receipt: the fact", "publish:tributary.message-status:5"},
	{"show the status", "handle:tributary.message-status:4"},
	{"tell routing", "publish:tributary.routing:2"},
	{"route", "handle:tributary.routing:3"},
	{"hold", "update:agents:2"},
	{"place", "insert:routed_conversations:2"},
	{"decision", "publish:tributary.assignments:2"},
	{"apply the decision", "handle:tributary.assignments:2"},
}

// separately are the cells in which one service of many dies, and the servers and the others live on.
var separately = []struct{ service, point string }{
	{"inbox", "after:update:conversations:7"}, {"inbox", "before:insert:messages:6"}, {"inbox", "after:publish:tributary.outbound.whatsapp:4"},
	{"whatsapp", "after:insert:sends_whatsapp:4"}, {"whatsapp", "after:call:provider:4"}, {"whatsapp", "before:update:sends_whatsapp:3"},
	{"deliverystatus", "after:update:receipts:3"}, {"deliverystatus", "before:update:attempts:4"},
	{"routing", "after:update:agents:6"}, {"routing", "before:publish:tributary.assignments:2"},
}

// onLine are the steps that LINE makes another way: a reply that cannot be repeated, a push that can, both for one part.
var onLine = []struct{ step, point string }{
	{"accept a webhook", "answer:public:9"},
	{"take the reply token with the answer", "update:conversations:7"},
	{"apply: the send", "publish:tributary.outbound.line:4"},
	{"consume a send", "handle:tributary.outbound.line:4"},
	{"intent", "insert:sends_line:4"},
	{"call", "call:provider:4"},
	{"another call", "call:provider:7"},
	{"settle", "publish:tributary.receipts:4"},
	{"settle what waited", "update:sends_line:2"},
}

// TestP1_P3_P4_P6_P7_P9_P13_KilledAtEveryStep kills the built binary with -9 before and after each durable step and
// starts it again, while customers write and are answered.
func TestP1_P3_P4_P6_P7_P9_P13_KilledAtEveryStep(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(binaries(t), "crash", "tributary")); err != nil {
		t.Skip("the binaries with crash points are not built: make test-e2e does it")
	}
	matrix := &tally{}
	t.Cleanup(func() { matrix.report(t) })
	provider := newProvider(t)
	furnished := newScene(t, false)
	furnished.begin()
	furnished.furnish(provider)
	if err := furnished.stop(); err != nil {
		t.Fatal(err)
	}
	for _, c := range separately {
		t.Run("only "+c.service+" "+c.point, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, true)
			matrix.add(s.killed(s.at(provider.open(t, 2)), c.service, c.point, func() { s.furnish(provider) }))
		})
	}
	for _, c := range points {
		for _, when := range []string{"before", "after"} {
			t.Run(c.step+" "+when+":"+c.point, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, false)
				s.like(furnished)
				matrix.add(s.killed(s.at(provider.open(t, 2)), "tributary", when+":"+c.point, func() {}))
			})
		}
	}
	for _, c := range onLine {
		for _, when := range []string{"before", "after"} {
			t.Run("LINE "+c.step+" "+when+":"+c.point, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, false)
				url, a := openLine(t, 2)
				done := work()
				s.begin()
				s.furnishLine(url)
				err := s.stop()
				done()
				if err != nil {
					t.Fatal(err)
				}
				matrix.add(s.killed(a, "tributary", when+":"+c.point, func() {}))
			})
		}
	}
}

// tally adds up cells.
type tally struct {
	mu  sync.Mutex
	sum proof.Figures
}

func (m *tally) add(f proof.Figures) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum.Events += f.Events
	m.sum.Faults += f.Faults
	m.sum.Lost += f.Lost
	m.sum.Doubled += f.Doubled
}

func (m *tally) report(t *testing.T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	proof.Report(t, m.sum)
}

// killed is one cell: a process runs into the point under load, is started again without it, and the promises hold.
func (s *scene) killed(a party, process, point string, furnish func()) proof.Figures {
	s.Helper()
	done := sync.OnceFunc(work())
	defer done()
	s.binary[process] = "crash/" + process
	s.with[process] = []string{crash.Env + "=" + point}
	s.begin()
	furnish()
	l := newLoad(s.test, a, 4, 3)
	ctx, cancel := context.WithTimeout(s.Context(), 60*time.Second)
	defer cancel()
	loaded := make(chan struct{})
	victim := s.process(process)
	go func() { l.run(ctx); close(loaded) }()
	if !s.ended(victim, 20*time.Second) {
		s.Fatal("the point was not reached")
	}
	if state := victim.cmd.ProcessState.Sys().(syscall.WaitStatus); state.Signal() != syscall.SIGKILL || !s.log.has("crash point reached") {
		s.Fatalf("it ended with %v", victim.cmd.ProcessState)
	}
	delete(s.with, process)
	began := time.Now()
	s.begin()
	done()
	<-loaded
	f := l.settle(80*time.Second, l.peers)
	l.capacity(s.limits)
	l.nothingLeft()
	s.Logf("%d ms until all was settled again: %s", time.Since(began).Milliseconds(), fates(f.fates))
	return l.figures(f, 1)
}

func fates(m map[string]int) string {
	var out []string
	for _, r := range ranks {
		if m[r] > 0 {
			out = append(out, fmt.Sprintf("%d %s", m[r], r))
		}
	}
	return strings.Join(out, ", ")
}
