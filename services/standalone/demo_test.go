package standalone

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/services/admin"
)

func TestTheDemoMayCallItsOwnSimulatorAndNothingElseOfThisMachine(t *testing.T) {
	t.Parallel()
	for addr, own := range map[string][]string{
		":8080": {"127.0.0.1:8080", "[::1]:8080"}, "0.0.0.0:8080": {"127.0.0.1:8080", "[::1]:8080"}, "[::]:81": {"127.0.0.1:81", "[::1]:81"},
		"127.0.0.1:8080": {"127.0.0.1:8080"}, "localhost:8080": {"127.0.0.1:8080", "[::1]:8080"}, "192.168.1.5:8080": {"192.168.1.5:8080"},
	} {
		cfg := (&config.Config{HTTPAddr: addr}).With(&settings{DataDir: t.TempDir()}, &admin.Bootstrap{})
		if _, err := demonstrate(cfg); err != nil {
			t.Fatal(err)
		}
		permitted, err := cfg.Permits()
		if err != nil || !slices.Equal(cfg.EgressAllow, own) {
			t.Errorf("%s: %q %v", addr, cfg.EgressAllow, err)
		}
		for at, want := range map[string]bool{own[0]: true, "127.0.0.1:9090": false, "127.0.0.2:8080": false, "[::1]:9090": false, "10.0.0.1:8080": false} {
			if got := permitted(netip.MustParseAddrPort(at)); got != want {
				t.Errorf("%s may call %s: %v", addr, at, got)
			}
		}
	}
}

func TestTheAdminAddressIsOnThisMachineUnlessConfigured(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"": "127.0.0.1:9090", ":9090": ":9090"} {
		var out bytes.Buffer
		s := streams{out: &out, err: &out}
		if value != "" {
			s.environ = []string{"TRIBUTARY_ADMIN_ADDR=" + value}
		}
		if err := printConfig(t.Context(), s, nil); err != nil || !strings.Contains(out.String(), "TRIBUTARY_ADMIN_ADDR="+want+"\n") || !strings.Contains(out.String(), "TRIBUTARY_PPROF=false") {
			t.Errorf("%s %v", out.String(), err)
		}
	}
}
