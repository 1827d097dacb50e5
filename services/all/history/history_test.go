package history

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/proof"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	// A node that was killed finds its store gone, and goes on trying to write down what only it knows; a dead process would not.
	code := m.Run()
	if house != nil {
		house.TB = tenant
		tenant.end()
	}
	err := goleak.Find(goleak.IgnoreAnyFunction("github.com/tributaryhq/tributary/pkg/dispatch.(*Owner[...]).repeat"),
		goleak.IgnoreAnyFunction("github.com/tributaryhq/tributary/pkg/dispatch.(*Owner[...]).Release.func1"),
		goleak.IgnoreAnyFunction("github.com/tributaryhq/tributary/pkg/bus/kafka.(*lanes).wait.func1"))
	if code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// histories is how many a test lives through: few where every test has to be quick, as many as HISTORIES says otherwise.
func histories(t *testing.T, few int) int {
	t.Helper()
	text := os.Getenv("HISTORIES")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("HISTORIES=%s: %v", text, err)
	}
	return n
}

// TestP1_P3_P4_P5_P6_P7_P9_P13_WholeLives lets people write, agents work and everything fail at once, and then compares what was
// acknowledged with what the inbox shows. HISTORIES says how many histories, of new seeds; SEED which is the
// first.
func TestP1_P3_P4_P5_P6_P7_P9_P13_WholeLives(t *testing.T) {
	p := open(t)
	seed, _ := strconv.Atoi(os.Getenv("SEED"))
	switch {
	case seed != 0:
	case os.Getenv("HISTORIES") == "": // the one that every run of all tests lives through
		seed = 1
	default:
		seed = int(time.Now().UnixNano() % 1e9)
	}
	var sum proof.Figures
	for n := range histories(t, 1) {
		began := time.Now()
		l := newLife(p, plans.Example(seed+n))
		l.live()
		lived := time.Since(began)
		v := l.settle()
		p.ahead.Store(0)
		sum.Events, sum.Lost, sum.Doubled = sum.Events+v.figures.Events, sum.Lost+v.figures.Lost, sum.Doubled+v.figures.Doubled
		t.Logf("history %d: lived %s, settled %s, %d events, told again %d, resyncs %d", seed+n, lived.Round(time.Millisecond),
			(time.Since(began) - lived).Round(time.Millisecond), v.figures.Events, l.stream.again, l.stream.resyncs)
		for _, what := range append(v.wrong, v.missing...) {
			t.Errorf("history %d: %s", seed+n, what)
		}
		if t.Failed() {
			l.explain(t)
			break
		}
	}
	p.provider.mu.Lock()
	sum.Faults = int(p.faults.Load() + p.provider.faults)
	p.provider.mu.Unlock()
	_, offers := p.db.rooms.wrong()
	t.Logf("%d offers", offers)
	proof.Report(t, sum)
}
