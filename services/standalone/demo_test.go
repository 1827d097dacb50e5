package standalone

import (
	"bytes"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/services/admin"
	"github.com/tributaryhq/tributary/services/all"
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

func TestTheDemoHasAChannelOfEveryType(t *testing.T) {
	t.Parallel()
	var built, demo []string
	for _, a := range all.Adapters() {
		built = append(built, string(a.Info().Type))
	}
	for _, ch := range demoChannels {
		demo = append(demo, ch.typ)
	}
	if !slices.Equal(built, demo) {
		t.Errorf("built are %q, the demo has %q", built, demo)
	}
}

// A data directory of an earlier version has secrets for the types of its time.
func TestAnEarlierDemoKeepsItsSecretsAndGetsThoseOfNewTypes(t *testing.T) {
	t.Parallel()
	cfg := (&config.Config{HTTPAddr: ":8080"}).With(&settings{DataDir: t.TempDir()}, &admin.Bootstrap{})
	const earlier = `{"api_key":"trb_k","email":"owner@demo.tributary.example","password":"p","secrets":{"whatsapp.app_secret":"kept"}}`
	if err := os.WriteFile(demoFile(cfg), []byte(earlier), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := demonstrate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	again, err := demonstrate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if first.Secrets["whatsapp.app_secret"] != "kept" || first.Secrets["line.channel_secret"] == "" || !maps.Equal(first.Secrets, again.Secrets) {
		t.Errorf("first %v, then %v", first.Secrets, again.Secrets)
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
