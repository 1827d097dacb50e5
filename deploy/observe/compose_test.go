package observe

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/dns"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/otelcol/otelcoltest"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

const composeDir = "../compose"

// load reads compose.yaml as docker compose does, with what its reader is told to set.
func load(t *testing.T) *types.Project {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{filepath.Join(composeDir, "compose.yaml")},
		cli.WithEnv([]string{"TRIBUTARY_ENCRYPTION_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}), cli.WithProfiles([]string{"simulator"}))
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestComposeIsWhatDockerComposeTakes(t *testing.T) {
	t.Parallel()
	p := load(t)
	for _, name := range []string{"inbox", "gateway", "mongo", "kafka", "redis", "prometheus", "grafana", "collector", "simulator"} {
		if _, err := p.GetService(name); err != nil {
			t.Error(err)
		}
	}
	o, err := cli.NewProjectOptions([]string{filepath.Join(composeDir, "compose.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.LoadProject(t.Context()); err == nil || !strings.Contains(err.Error(), "openssl rand -base64 32") {
		t.Errorf("without a key: %v", err)
	}
}

// TestWhatComposeMountsIsWhatIsChecked: the images are of the versions whose readers the tests here use, and their commands name the files
// that are mounted.
func TestWhatComposeMountsIsWhatIsChecked(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := func(module string) string {
		m := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(module) + ` v0\.(\S+)$`).FindSubmatch(mod)
		if m == nil {
			t.Fatalf("go.mod has no %s", module)
		}
		return string(m[1])
	}
	p := load(t)
	// Prometheus 3.16.0 is version 0.316.0 of its module.
	v := version("github.com/prometheus/prometheus")
	for name, want := range map[string]string{
		"prometheus": "prom/prometheus:v" + v[:1] + "." + v[1:],
		"collector":  "otel/opentelemetry-collector:0." + version("go.opentelemetry.io/collector/otelcol/otelcoltest"),
	} {
		if have := p.Services[name].Image; have != want {
			t.Errorf("%s runs %s, tested is %s", name, have, want)
		}
	}
	for name, mounts := range map[string]map[string]string{
		"prometheus": {"prometheus.yml": "/etc/prometheus/prometheus.yml", "../../charts/tributary/files/rules": "/etc/prometheus/rules"},
		"collector":  {"otel-collector.yaml": "/etc/otelcol/config.yaml"},
		"gateway":    {"Caddyfile": "/etc/caddy/Caddyfile"},
		"grafana":    {"../grafana/provisioning": "/etc/grafana/provisioning", "../grafana/dashboards": "/var/lib/grafana/dashboards"},
	} {
		s := p.Services[name]
		for from, to := range mounts {
			abs, err := filepath.Abs(filepath.Join(composeDir, from))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Source == abs && v.Target == to && v.ReadOnly }) {
				t.Errorf("%s does not have %s at %s", name, from, to)
			}
		}
	}
	if c := p.Services["prometheus"].Command; !slices.Contains(c, "--config.file=/etc/prometheus/prometheus.yml") {
		t.Errorf("prometheus reads %q", c)
	}
	if c := p.Services["collector"].Command; !slices.Contains(c, "--config=/etc/otelcol/config.yaml") {
		t.Errorf("the collector reads %q", c)
	}
}

func TestPrometheusTakesItsConfiguration(t *testing.T) {
	t.Parallel()
	c, err := config.LoadFile(filepath.Join(composeDir, "prometheus.yml"), false, promslog.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	scrapes, err := c.GetScrapeConfigs()
	if err != nil || len(scrapes) != 1 || len(scrapes[0].ServiceDiscoveryConfigs) != 1 {
		t.Fatalf("%d scrapes, %v", len(scrapes), err)
	}
	if d, ok := scrapes[0].ServiceDiscoveryConfigs[0].(*dns.SDConfig); !ok || d.Type != "A" || d.Port != 9090 {
		t.Errorf("targets come from %#v", scrapes[0].ServiceDiscoveryConfigs[0])
	}
	if want := []string{"/etc/prometheus/rules/*.yaml"}; !slices.Equal(c.RuleFiles, want) {
		t.Errorf("rules are read from %q", c.RuleFiles)
	}
}

// TestTheCollectorTakesItsConfiguration by the components that its image has, too: an unknown key is an error.
func TestTheCollectorTakesItsConfiguration(t *testing.T) {
	t.Parallel()
	f, err := otelcoltest.NopFactories()
	if err != nil {
		t.Fatal(err)
	}
	otlp, batch, limiter, debug := otlpreceiver.NewFactory(), batchprocessor.NewFactory(), memorylimiterprocessor.NewFactory(), debugexporter.NewFactory()
	f.Receivers[otlp.Type()] = otlp
	f.Processors[batch.Type()], f.Processors[limiter.Type()] = batch, limiter
	f.Exporters[debug.Type()] = debug
	c, err := otelcoltest.LoadConfigAndValidate(filepath.Join(composeDir, "otel-collector.yaml"), f)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Service.Pipelines) != 1 {
		t.Errorf("%d pipelines", len(c.Service.Pipelines))
	}
}
