package cluster

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
)

// store is the document store's URI of the servers with a database of its own.
func store(t *testing.T, name string) string {
	t.Helper()
	u, err := url.Parse(os.Getenv("TRIBUTARY_TEST_MONGODB_URI"))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// servers are the values that name what runs beside the cluster, and the objects that they want.
func (s *stand) servers() []string {
	s.Helper()
	volume := s.volume("ReadWriteMany")
	s.apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec: {accessModes: [ReadWriteMany], storageClassName: "", resources: {requests: {storage: 1Gi}}, selector: {matchLabels: {for: %s}}}
---
apiVersion: v1
kind: Secret
metadata: {name: encryption}
stringData: {encryption-key: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}
---
apiVersion: v1
kind: Secret
metadata: {name: servers}
stringData: {redis: %q, mongodb: %q}
`, volume, os.Getenv("TRIBUTARY_TEST_REDIS_URL"), store(s.T, "tributary")))
	return []string{
		"--set", "mode=distributed", "--set", "publicURL=http://tributary.example.com", "--set", "kafka.brokers={" + os.Getenv("TRIBUTARY_TEST_KAFKA_BROKERS") + "}",
		"--set", "redis.existingSecret=servers", "--set", "redis.urlKey=redis", "--set", "mongodb.existingSecret=servers", "--set", "mongodb.uriKey=mongodb",
		"--set", "encryption.existingSecret=encryption", "--set", "blob.url=file:///var/tributary/files", "--set", "blob.existingClaim=files",
		"--set", "config.egress_allow={" + s.node + "/32}", "--set", "defaults.resources.requests.cpu=20m",
	}
}

func TestDistributed(t *testing.T) {
	s := newStand(t, "distributed")
	flags := s.servers()
	if err := s.helm("install", append(flags, "--set", "kafka.replicas=9", "--set", "setup.backoffLimit=0")...); err == nil || s.kubectl("get", "deployments", "-o", "name") != "" {
		t.Errorf("nine replicas on three brokers: %v", err)
	}
	s.run("helm", "uninstall", s.release, "-n", s.ns, "--wait", "--ignore-not-found")
	if err := s.helm("install", flags...); err != nil {
		t.Fatal(err)
	}
	s.run("helm", "test", s.release, "-n", s.ns)
	s.connect()
	people := s.traffic(0)
	people.until(50)
	s.upgrade(people, flags)
	s.killed(people)
	s.badImage(people, flags)
	next := people.end()
	s.finish("distributed", next, "")
}

// upgrade rolls every service under load: no webhook may fail.
func (s *stand) upgrade(people *traffic, flags []string) {
	s.Helper()
	before := people.failed
	if err := s.helm("upgrade", append(flags, "--set", "defaults.podAnnotations.upgraded=once")...); err != nil {
		s.Fatal(err)
	}
	people.until(20)
	s.Logf("a rolling upgrade of every service: %d webhooks failed", people.failed-before)
	if people.failed != before {
		s.Errorf("%d webhooks failed while versions rolled: %q", people.failed-before, people.errs)
	}
}

// killed ends one process of each service with SIGKILL, and one pod of each at once.
func (s *stand) killed(people *traffic) {
	s.Helper()
	before := people.failed
	for _, service := range []string{"whatsapp", "inbox", "routing", "deliverystatus", "admin"} {
		pods := strings.Fields(s.kubectl("get", "pods", "-l", "app.kubernetes.io/component="+service, "-o", "jsonpath={.items[*].metadata.name}"))
		if len(pods) < 2 {
			s.Fatalf("%s has pods %q", service, pods)
		}
		s.kill(pods[0])
		s.kubectl("delete", "pod", pods[1], "--grace-period=0", "--force")
		s.kubectl("rollout", "status", "deployment/tributary-"+service, "--timeout=120s")
		people.until(10)
	}
	s.Logf("kill -9 of a process and of a pod of five services: %d calls were repeated, longest without an acknowledgement %s", people.failed-before, people.longest)
}

// badImage upgrades to an image that is not there: the release goes back, and nobody notices.
func (s *stand) badImage(people *traffic, flags []string) {
	s.Helper()
	before := people.failed
	err := s.helm("upgrade", append(flags, "--rollback-on-failure", "--timeout", "25s", "--set", "setup.enabled=false", "--set", "defaults.image.tag=no-such-version")...)
	if err == nil {
		s.Error("an image that is not there was taken for an upgrade")
	}
	if out := s.kubectl("get", "deployments", "-o", "jsonpath={.items[*].spec.template.spec.containers[0].image}"); strings.Contains(out, "no-such-version") {
		s.Errorf("it was not rolled back: %s", out)
	}
	people.until(20)
	s.Logf("an image that is not there, rolled back: %d webhooks failed", people.failed-before)
	if people.failed != before {
		s.Errorf("%d webhooks failed: %q", people.failed-before, people.errs)
	}
}
