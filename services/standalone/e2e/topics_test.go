package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/bus/namespace"
	"github.com/tributaryhq/tributary/pkg/event"
)

// TestTopicsEnsure makes the topics of a cluster with the command that operators use: three replicas, two of which must
// have a record before it is acknowledged, and as many partitions as clusterTopics says. A second time it changes
// nothing.
func TestTopicsEnsure(t *testing.T) {
	bin := os.Getenv("BIN")
	if bin == "" || len(bustest.Real()) < 3 {
		t.Skipf("needs BIN and three brokers in %s", bustest.Variable)
	}
	n, err := namespace.Open(t.Context(), bustest.Real(), fmt.Sprintf("c%x.", time.Now().UnixNano()), net.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	for range 2 {
		began := time.Now()
		cmd := exec.Command(filepath.Join(bin, "tributary"), "topics", "ensure")
		cmd.Dir, cmd.Env = t.TempDir(), []string{"TRIBUTARY_KAFKA_BROKERS=" + strings.Join(n.Addrs(), ",")}
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != fmt.Sprintf("%d topics are there\n", len(event.Topics())) {
			t.Fatalf("%v: %s", err, out)
		}
		t.Logf("%d ms", time.Since(began).Milliseconds())
	}
	got, err := n.Topics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, sizes := map[string]namespace.Topic{}, map[event.Size]int{event.Keyed: 48, event.Small: 12, event.One: 1}
	for _, x := range event.Topics() {
		want[x.Name] = namespace.Topic{Partitions: sizes[x.Partitions], Replicas: 3}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
}
