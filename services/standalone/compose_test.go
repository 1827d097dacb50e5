package standalone

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/all"
	"github.com/tributaryhq/tributary/services/simulator"
)

const composeDir = "../../deploy/compose"

// compose is what the tests need of compose.yaml.
type compose struct {
	Services map[string]container
	Volumes  map[string]any
}

type container struct {
	Image       string
	Entrypoint  []string
	Command     []string
	Environment map[string]string
	Volumes     []string
	Profiles    []string
	Healthcheck *struct{ Test []string }
	DependsOn   waits `yaml:"depends_on"`
	Networks    map[string]struct {
		Address string `yaml:"ipv4_address"`
	}
}

// waits names what a container waits for, and until when.
type waits map[string]struct{ Condition string }

// UnmarshalYAML implements yaml.Unmarshaler: a list of names is the short form.
func (w *waits) UnmarshalYAML(n *yaml.Node) error {
	type long waits
	if n.Kind == yaml.MappingNode {
		return n.Decode((*long)(w))
	}
	var names []string
	*w = waits{}
	err := n.Decode(&names)
	for _, name := range names {
		(*w)[name] = struct{ Condition string }{"service_started"}
	}
	return err
}

func composeFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(composeDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func readCompose(t *testing.T) (c compose) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(composeFile(t, "compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// platform are the services of the platform by name, and the simulator.
func platform() map[string]run.Service {
	out := map[string]run.Service{}
	for _, s := range append(all.Services(), simulator.Service) {
		out[s.Name] = s
	}
	return out
}

// TestComposeHasEveryServiceAndNoOther: each as a container of its own that starts by its own name and takes its environment.
func TestComposeHasEveryServiceAndNoOther(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for name, c := range readCompose(t).Services {
		if len(c.Entrypoint) != 1 {
			continue
		}
		s, ok := CalledAs(c.Entrypoint[0])
		if !ok || s.Name != name || filepath.Dir(c.Entrypoint[0]) != "/usr/local/bin" {
			t.Errorf("%s starts %q", name, c.Entrypoint)
			continue
		}
		have[name] = true
		if demo := slices.Equal(c.Profiles, []string{simulator.Service.Name}); demo != (name == simulator.Service.Name) {
			t.Errorf("%s has the profiles %q", name, c.Profiles)
		}
		p := run.Program(s)
		p.Elsewhere = keysOfAll(t)
		cfg := takes(t, name, p, c)
		if len(cfg.KafkaBrokers) != 1 || !strings.HasPrefix(cfg.StoreURL, "mongodb://") || cfg.RedisURL == "" || cfg.BlobURL == "" {
			t.Errorf("%s: not all servers are outside: %v", name, c.Environment)
		}
	}
	if want := platform(); !maps.EqualFunc(have, want, func(bool, run.Service) bool { return true }) {
		t.Errorf("compose.yaml has the services %q, the platform %q", slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)))
	}
}

// keysOfAll are the keys that some process reads: each lets those of others pass.
func keysOfAll(t *testing.T) (keys []string) {
	t.Helper()
	flags, err := Program().Flags("tributary")
	if err != nil {
		t.Fatal(err)
	}
	flags.VisitAll(func(f *pflag.Flag) { keys = append(keys, strings.ReplaceAll(f.Name, "-", "_")) })
	return keys
}

// takes loads the environment of a container as its process does.
func takes(t *testing.T, name string, p config.Program, c container) *config.Config {
	t.Helper()
	given := regexp.MustCompile(`\$\{\w+(:-([^}]*)|:\?[^}]*)?\}`)
	var environ []string
	for k, v := range c.Environment {
		if k == "TRIBUTARY_ENCRYPTION_KEY" {
			v = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
		}
		environ = append(environ, k+"="+given.ReplaceAllString(v, "$2"))
	}
	cfg, err := p.Load(nil, environ)
	if err != nil {
		t.Fatalf("%s: %v with %v", name, err, environ)
	}
	return cfg
}

// TestComposeCanBeStarted checks what can be checked without a container engine: images are pinned, files that are mounted are there,
// and whoever is waited for can be.
func TestComposeCanBeStarted(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	jobs := 0
	for name, c := range file.Services {
		if !regexp.MustCompile(`^[a-z/-]+:(v?\d+\.\d+\.\d+(-\w+)?|\$\{VERSION:-dev\})$`).MatchString(c.Image) {
			t.Errorf("%s: image %q is not pinned", name, c.Image)
		}
		for _, v := range c.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(from, ".") {
				if _, err := os.Stat(filepath.Join(composeDir, from)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			} else if _, ok := file.Volumes[from]; !ok {
				t.Errorf("%s: volume %q is not declared", name, v)
			}
		}
		for other, d := range c.DependsOn {
			x, ok := file.Services[other]
			if !ok || d.Condition == "service_healthy" && (x.Healthcheck == nil || len(x.Healthcheck.Test) < 2) {
				t.Errorf("%s waits for %s, which cannot be waited for", name, other)
			}
		}
		if strings.HasPrefix(c.Image, "tributary:") && len(c.Command) > 0 {
			jobs++
			takes(t, name, Program(), c)
			if !slices.ContainsFunc(commands(), func(k command) bool { return k.name == c.Command[0] }) {
				t.Errorf("%s: there is no command %q", name, c.Command)
			}
		}
	}
	if jobs != 3 {
		t.Errorf("%d jobs", jobs)
	}
	// What reports the addresses of clients is the gateway alone.
	gateway, inbox := file.Services["gateway"], file.Services["inbox"]
	if at := gateway.Networks["default"].Address; at == "" || inbox.Environment["TRIBUTARY_TRUSTED_PROXIES"] != at+"/32" {
		t.Errorf("the gateway is at %q, and %q is trusted", at, inbox.Environment["TRIBUTARY_TRUSTED_PROXIES"])
	}
}

var (
	prefixed  = regexp.MustCompile(`@(\w+) path ([^\n]+)\n\thandle @(\w+) \{\n\t\treverse_proxy (\w+):8080 \{\n\t\t\timport front\n`)
	otherwise = regexp.MustCompile(`\n\thandle \{\n\t\treverse_proxy (\w+):8080 \{\n\t\t\timport front\n`)
)

// TestTheGatewayOfComposeHasThePrefixesOfTheChart: every prefix leads to the service that the chart gives it to.
func TestTheGatewayOfComposeHasThePrefixesOfTheChart(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../charts/tributary/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values struct {
		Services map[string]struct {
			Paths struct{ Public, API []string }
		}
	}
	if err := yaml.Unmarshal(b, &values); err != nil {
		t.Fatal(err)
	}
	have := map[string][]string{}
	text := composeFile(t, "Caddyfile")
	for _, m := range prefixed.FindAllStringSubmatch(text, -1) {
		if m[1] != m[3] || m[1] != m[4] {
			t.Errorf("%s is handled by %s and goes to %s", m[1], m[3], m[4])
		}
		have[m[4]] = slices.Sorted(slices.Values(strings.Fields(m[2])))
	}
	rest := otherwise.FindStringSubmatch(text)
	if rest == nil {
		t.Fatal("the Caddyfile has nobody for what has no prefix")
	}
	for name, s := range values.Services {
		prefixes := slices.Concat(s.Paths.Public, s.Paths.API)
		if slices.Contains(prefixes, "/") {
			if rest[1] != name {
				t.Errorf("what has no prefix goes to %s, in the chart to %s", rest[1], name)
			}
			continue
		}
		want := map[string]bool{}
		for _, p := range prefixes {
			want[p], want[p+"/*"] = true, true
		}
		if w := slices.Sorted(maps.Keys(want)); !slices.Equal(have[name], w) {
			t.Errorf("%s has %q in the Caddyfile, %q in the chart", name, have[name], w)
		}
		delete(have, name)
	}
	if len(have) > 0 {
		t.Errorf("the chart does not know %v", have)
	}
}

// TestPrometheusOfComposeReadsEveryService at the port where the image has its metrics.
func TestPrometheusOfComposeReadsEveryService(t *testing.T) {
	t.Parallel()
	var file struct {
		ScrapeConfigs []struct {
			DNS []struct {
				Names []string
				Port  int
			} `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(composeFile(t, "prometheus.yml")), &file); err != nil {
		t.Fatal(err)
	}
	have := []string{}
	for _, c := range file.ScrapeConfigs {
		for _, d := range c.DNS {
			if have = append(have, d.Names...); d.Port != 9090 {
				t.Errorf("%v are read at port %d", d.Names, d.Port)
			}
		}
	}
	slices.Sort(have)
	if want := slices.Sorted(maps.Keys(platform())); !slices.Equal(have, want) {
		t.Errorf("prometheus.yml reads %q, the platform is %q", have, want)
	}
	if want := fmt.Sprintf("http://127.0.0.1:%d/readyz", 9090); !slices.Contains(readCompose(t).Services["inbox"].Healthcheck.Test, want) {
		t.Errorf("health is not asked at %s", want)
	}
}
