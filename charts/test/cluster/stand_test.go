// Package cluster checks the chart on a real kubelet: installed, called through its Services, killed, upgraded, rolled back, removed. It runs
// inside the network of deploy/cluster (make test-cluster), and is skipped elsewhere.
package cluster

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stand is a namespace with a release in it.
type stand struct {
	*testing.T
	ns, release string
	mode        string
	node        string // the address at which pods reach what runs beside the cluster
	values      string // a file with those of the release
	version     version
	services    map[string]string
	key         string
	provider    *provider
	channels    map[string]string // by type
}

// version is a chart and an image.
type version struct{ chart, tag string }

const sets = "../../tributary/ci/"

// present and first are today's version, and that in which the chart was committed first. Where there is no image of that, today's is taken.
var (
	present = version{"../../tributary", os.Getenv("TRIBUTARY_TEST_CLUSTER_TAG")}
	first   = version{"../testdata/first.tgz", cmp.Or(os.Getenv("TRIBUTARY_TEST_CLUSTER_FIRST_TAG"), present.tag)}
)

// newStand makes a namespace, and what a release of a mode wants there.
func newStand(t *testing.T, ns, mode string) *stand {
	t.Helper()
	if present.tag == "" {
		t.Skip("TRIBUTARY_TEST_CLUSTER_TAG names no image: make test-cluster brings a cluster up and sets it")
	}
	s := &stand{T: t, ns: ns, release: "tributary", mode: mode, node: os.Getenv("NODE_IP"), version: present, services: map[string]string{}, channels: map[string]string{}}
	s.values = filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(s.values, []byte(s.run("../../../deploy/cluster/place.sh", s.ns, mode)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			s.report()
		}
	})
	s.provider = newProvider(s)
	return s
}

// report shows what the cluster knows of a failure.
func (s *stand) report() {
	for _, args := range [][]string{{"get", "all,pvc"}, {"get", "events", "--sort-by=.lastTimestamp"}, {"describe", "pods"}} {
		out, _ := exec.Command("kubectl", append([]string{"-n", s.ns}, args...)...).CombinedOutput() //nolint:gosec // our own arguments
		s.Logf("kubectl %v\n%.6000s", args, out)
	}
	pods, _ := exec.Command("kubectl", "-n", s.ns, "get", "pods", "-o", "name").Output() //nolint:gosec // our own arguments
	for pod := range strings.FieldsSeq(string(pods)) {
		out, _ := exec.Command("kubectl", "-n", s.ns, "logs", pod, "--tail=20", "--all-containers").CombinedOutput() //nolint:gosec // our own arguments
		s.Logf("%s\n%s", pod, out)
	}
}

// try runs a program.
func (s *stand) try(name string, args ...string) (string, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(s.Context()), name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, errs.String(), out.String())
	}
	return out.String(), err
}

func (s *stand) run(name string, args ...string) string {
	s.Helper()
	out, err := s.try(name, args...)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

func (s *stand) kubectl(args ...string) string {
	s.Helper()
	return s.run("kubectl", append([]string{"-n", s.ns}, args...)...)
}

// helm installs or upgrades the release.
func (s *stand) helm(verb string, more ...string) error {
	args := []string{verb, s.release, s.version.chart, "-n", s.ns, "--wait", "--timeout", "10m", "-f", s.values, "--set", "image.tag=" + s.version.tag}
	_, err := s.try("helm", append(args, more...)...)
	return err
}

// test runs the tests of the release, until they pass: a check that a server answers within seconds fails where it is as busy as at a start.
func (s *stand) test() {
	s.Helper()
	s.wait("helm test", func() error {
		_, err := s.try("helm", "test", s.release, "-n", s.ns)
		return err
	})
}

// wait asks until something is true.
func (s *stand) wait(what string, ask func() error) {
	s.Helper()
	var err error
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if err = ask(); err == nil {
			return
		}
	}
	s.Fatalf("%s: %v", what, err)
}

// address is that of a Service.
func (s *stand) address(service string) string {
	s.Helper()
	if have := s.services[service]; have != "" {
		return have
	}
	out := s.kubectl("get", "service", service, "-o", `jsonpath={.spec.clusterIP}:{.spec.ports[?(@.name=="http")].port}`)
	s.services[service] = "http://" + strings.TrimSpace(out)
	return s.services[service]
}

// owners are the services that answer a path on a cluster; the longest prefix counts.
var owners = map[string]string{
	"/v1/conversations": "inbox", "/v1/messages": "inbox", "/v1/channels": "admin", "/v1/auth": "admin", "/v1/dead-letters": "deliverystatus",
	"/webhooks/whatsapp": "whatsapp", "/webhooks/facebook": "facebook", "/webhooks/instagram": "instagram", "/webhooks/telegram": "telegram", "/webhooks/line": "line",
}

func (s *stand) url(path string) string {
	s.Helper()
	if s.mode == "standalone" {
		return s.address("tributary") + path
	}
	for prefix, service := range owners {
		if strings.HasPrefix(path, prefix) {
			return s.address("tributary-"+service) + path
		}
	}
	s.Fatalf("nobody answers %s", path)
	return ""
}

// fresh makes a connection for every call: a Service chooses a pod for each.
var fresh = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext}}

// keeping is a client that keeps its connection, and repeats no call by itself.
func keeping() *http.Client {
	return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: 1, DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext}}
}

// call asks the API; a status that is no success is an error. A call that is made again is the same one.
func (s *stand) call(method, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(s.Context(), method, s.url(path), bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		sum := sha256.Sum256(append([]byte(path), b...))
		req.Header.Set("Idempotency-Key", hex.EncodeToString(sum[:]))
	}
	resp, err := fresh.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// bootstrapped is the API key that the release was given, or has made.
func (s *stand) bootstrapped() string {
	s.Helper()
	name := "bootstrap"
	if s.mode == "standalone" {
		name = "tributary-bootstrap"
	}
	return s.kubectl("get", "secret", name, "-o", `go-template={{index .data "api-key" | base64decode}}`)
}

// connect makes the channels, at the provider of the test.
func (s *stand) connect() {
	s.Helper()
	s.key = s.bootstrapped()
	for path := range owners {
		s.url(path) // people call from several goroutines
	}
	for _, k := range kinds {
		settings := maps.Clone(k.settings)
		settings["api_base_url"] = s.provider.url
		var made struct{ ID string }
		s.wait("a channel", func() error {
			return s.call("POST", "/v1/channels", map[string]any{"type": k.name, "name": "Check " + k.name, "settings": settings, "secrets": k.secrets}, &made)
		})
		s.channels[k.name] = made.ID
	}
}
