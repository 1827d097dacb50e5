// Package cluster checks the chart on a real kubelet: installed, called through its Services, killed, upgraded, rolled back, removed. It runs
// inside the network of deploy/cluster (make test-cluster), and is skipped elsewhere.
package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// stand is a namespace with a release in it.
type stand struct {
	*testing.T
	ns, release, tag string
	node             string // the address at which pods reach what runs beside the cluster
	services         map[string]string
	key              string
	provider         *provider
	channel          string
}

const values = "../../tributary/ci/"

func newStand(t *testing.T, ns string) *stand {
	t.Helper()
	tag := os.Getenv("TRIBUTARY_TEST_CLUSTER_TAG")
	if tag == "" {
		t.Skip("TRIBUTARY_TEST_CLUSTER_TAG names no image: make test-cluster brings a cluster up and sets it")
	}
	s := &stand{T: t, ns: ns, release: "tributary", tag: tag, node: os.Getenv("NODE_IP"), services: map[string]string{}}
	s.run("kubectl", "create", "namespace", ns)
	s.run("kubectl", "label", "namespace", ns, "pod-security.kubernetes.io/enforce=restricted")
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

// apply makes objects.
func (s *stand) apply(text string) {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), "kubectl", "-n", s.ns, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("%v\n%s", err, out)
	}
}

// helm installs or upgrades the release.
func (s *stand) helm(verb string, more ...string) error {
	args := []string{verb, s.release, "../../tributary", "-n", s.ns, "--wait", "--timeout", "4m", "--set", "image.pullPolicy=Never", "--set", "image.tag=" + s.tag}
	_, err := s.try("helm", append(args, more...)...)
	return err
}

// wait asks until something is true.
func (s *stand) wait(what string, ask func() error) {
	s.Helper()
	var err error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
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
	"/v1/conversations": "inbox", "/v1/messages": "inbox", "/v1/channels": "admin", "/webhooks/whatsapp": "whatsapp", "/v1/dead-letters": "deliverystatus",
}

func (s *stand) url(path string) string {
	s.Helper()
	if s.ns == "standalone" {
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

// connect makes the channel at the provider of the test.
func (s *stand) connect() {
	s.Helper()
	s.key = s.kubectl("get", "secret", "tributary-bootstrap", "-o", `go-template={{index .data "api-key" | base64decode}}`)
	var made struct{ ID string }
	s.wait("a channel", func() error {
		return s.call("POST", "/v1/channels", map[string]any{
			"type": "whatsapp", "name": "Check", "settings": map[string]any{"provider": "cloud", "phone_number_id": phone, "waba_id": account, "api_base_url": s.provider.url},
			"secrets": map[string]any{"app_secret": secret, "access_token": "check-check-check", "verify_token": "check-check"},
		}, &made)
	})
	s.channel = made.ID
}
