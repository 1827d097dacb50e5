package standalone

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// compose is what the test needs of deploy/compose/compose.yaml.
type compose struct {
	Services map[string]struct {
		Image       string
		Environment map[string]string
		Volumes     []string
		Healthcheck *struct {
			Test []string
		}
		DependsOn map[string]struct{ Condition string } `yaml:"depends_on"`
	}
	Volumes map[string]any
}

// TestComposeFile checks what can be checked without a container engine: that the file parses, that its variables are ours and their
// values are taken, that images are pinned, and that whoever is waited for can be.
func TestComposeFile(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../deploy/compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file compose
	if err := yaml.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	given := regexp.MustCompile(`\$\{\w+(:-([^}]*)|:\?[^}]*)?\}`)
	var environ []string
	for k, v := range file.Services["tributary"].Environment {
		if k == "TRIBUTARY_ENCRYPTION_KEY" {
			v = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
		}
		environ = append(environ, k+"="+given.ReplaceAllString(v, "$2"))
	}
	cfg, err := Program().Load(nil, environ)
	if err != nil {
		t.Fatalf("%v with %v", err, environ)
	}
	if len(cfg.KafkaBrokers) != 1 || !strings.HasPrefix(cfg.StoreURL, "mongodb://") || cfg.RedisURL == "" {
		t.Errorf("not all servers are outside: %+v", environ)
	}
	for name, s := range file.Services {
		if !regexp.MustCompile(`^[a-z/]+:(\d+\.\d+\.\d+(-\w+)?|\$\{VERSION:-dev\})$`).MatchString(s.Image) {
			t.Errorf("%s: image %q is not pinned", name, s.Image)
		}
		for _, v := range s.Volumes {
			if _, ok := file.Volumes[strings.Split(v, ":")[0]]; !ok {
				t.Errorf("%s: volume %q is not declared", name, v)
			}
		}
		for other, d := range s.DependsOn {
			x, ok := file.Services[other]
			if !ok || d.Condition == "service_healthy" && (x.Healthcheck == nil || len(x.Healthcheck.Test) < 2) {
				t.Errorf("%s waits for %s, which cannot be waited for", name, other)
			}
		}
	}
}
