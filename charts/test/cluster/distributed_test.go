package cluster

import (
	"strings"
	"testing"
)

func TestDistributed(t *testing.T) {
	s := newStand(t, "distributed", "distributed")
	if err := s.helm("install", "--set", "kafka.replicas=9", "--set", "setup.backoffLimit=0"); err == nil || s.kubectl("get", "deployments", "-o", "name") != "" {
		t.Errorf("nine replicas on three brokers: %v", err)
	}
	s.run("helm", "uninstall", s.release, "-n", s.ns, "--wait", "--ignore-not-found")
	s.version = first
	if err := s.helm("install"); err != nil {
		t.Fatal(err)
	}
	s.test()
	s.connect()
	people := s.traffic(0, false) // its pods do not give up kept connections before they end
	people.until(50)
	people.undisturbed("an upgrade from the first version", func() { s.present(people) })

	people = s.traffic(people.end(), true)
	people.until(50)
	people.undisturbed("a rolling upgrade of every service", func() {
		if err := s.helm("upgrade", "--set", "defaults.podAnnotations.upgraded=once"); err != nil {
			t.Fatal(err)
		}
	})
	s.rotated(people)
	s.killed(people)
	people.undisturbed("an image that is not there, rolled back", s.badImage)
	next := people.end()
	s.finish("distributed", next, "")
}

// killed ends one process of each service with SIGKILL, and one pod of each at once.
func (s *stand) killed(people *traffic) {
	s.Helper()
	_, before := people.counted()
	for _, service := range []string{"whatsapp", "telegram", "line", "inbox", "routing", "deliverystatus", "admin"} {
		pods := strings.Fields(s.kubectl("get", "pods", "-l", "app.kubernetes.io/component="+service, "--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].metadata.name}"))
		if len(pods) < 2 {
			s.Fatalf("%s has pods %q", service, pods)
		}
		s.kill(pods[0])
		s.kubectl("delete", "pod", pods[1], "--grace-period=0", "--force")
		s.kubectl("rollout", "status", "deployment/tributary-"+service, "--timeout=10m")
		people.until(10)
	}
	_, after := people.counted()
	s.Logf("kill -9 of a process and of a pod of seven services: %d calls were repeated, longest without an acknowledgement %s", after-before, people.longest)
}

// badImage upgrades to an image that is not there: the release goes back.
func (s *stand) badImage() {
	s.Helper()
	err := s.helm("upgrade", "--rollback-on-failure", "--timeout", "25s", "--set", "setup.enabled=false", "--set", "defaults.image.tag=no-such-version")
	if err == nil {
		s.Error("an image that is not there was taken for an upgrade")
	}
	if out := s.kubectl("get", "deployments", "-o", "jsonpath={.items[*].spec.template.spec.containers[0].image}"); strings.Contains(out, "no-such-version") {
		s.Errorf("it was not rolled back: %s", out)
	}
}
