package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kill ends the process of a pod with SIGKILL, and waits until the kubelet has started it again.
func (s *stand) kill(pod string) {
	s.Helper()
	restarts := func() string {
		return s.kubectl("get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
	}
	before := restarts()
	id := strings.TrimPrefix(s.kubectl("get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].containerID}"), "containerd://")
	s.run("ctr", "-a", filepath.Join(os.Getenv("RUN"), "containerd.sock"), "-n", "k8s.io", "tasks", "kill", "-s", "SIGKILL", id)
	s.wait("a new container", func() error {
		if now := restarts(); now == before {
			return fmt.Errorf("%s restarts", now)
		}
		return nil
	})
}

func TestStandalone(t *testing.T) {
	s := newStand(t, "standalone", "standalone")
	s.version = first
	if err := s.helm("install"); err != nil {
		t.Fatal(err)
	}
	s.test()
	s.connect()
	people := s.traffic(0, true)
	people.until(50)
	s.present(people)

	s.kill("tributary-0")
	people.until(50)
	s.kubectl("delete", "pod", "tributary-0", "--grace-period=0", "--force")
	people.until(50)
	_, failed := people.counted()
	t.Logf("after an upgrade, kill -9 of the process and of the pod: longest without an acknowledgement %s, calls repeated %d", people.longest, failed)

	if err := s.helm("upgrade", "--set", "standalone.podAnnotations.upgraded=once"); err != nil {
		t.Fatal(err)
	}
	people.until(20)
	next := people.end()
	if s.bootstrapped() != s.key {
		t.Error("an upgrade made another API key")
	}
	s.finish("standalone", next, "persistentvolumeclaim")
}

// present upgrades the release from the first version to today's: objects, their selectors and the claim are the same ones, and every message
// of before is there.
func (s *stand) present(people *traffic) {
	s.Helper()
	same := func() string {
		return s.kubectl("get", "deployments,statefulsets,services,persistentvolumeclaims", "-o",
			`jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.spec.selector} {.spec.volumeName}{"\n"}{end}`)
	}
	before, written := same(), people.written()
	s.version = present
	if err := s.helm("upgrade"); err != nil {
		s.Fatal(err)
	}
	after := same()
	for line := range strings.Lines(before) {
		if !strings.Contains(after, line) {
			s.Errorf("%s is not there as it was any more, but\n%s", strings.TrimSpace(line), after)
		}
	}
	s.complete(written)
	s.Logf("%s: from the first version of the chart (image %s): %d objects with their selectors and claims, and %d messages, are the same",
		s.mode, first.tag, strings.Count(before, "\n"), written)
}

// finish compares what was acknowledged with what is there, answers, and takes the release away; what stays on purpose begins with stays.
func (s *stand) finish(mode string, acknowledged int, stays string) {
	s.Helper()
	lost, doubled := s.complete(acknowledged)
	answers := s.answer(mode)
	s.Logf("%s: %d webhooks acknowledged, %d lost, %d doubled; %d answers sent once, on %d channels", mode, acknowledged, lost, doubled, answers, len(kinds))
	if doubled > 0 {
		s.Errorf("%d doubled", doubled)
	}
	s.run("helm", "uninstall", s.release, "-n", s.ns, "--wait")
	s.nothingLeft(stays)
}

// nothingLeft fails if an object of the release is still there, but for those that stay on purpose.
func (s *stand) nothingLeft(stays string) {
	s.Helper()
	kinds := "all,secrets,configmaps,serviceaccounts,poddisruptionbudgets,networkpolicies,ingresses,horizontalpodautoscalers,jobs,persistentvolumeclaims"
	s.wait("nothing of the release is left", func() error {
		for line := range strings.Lines(s.kubectl("get", kinds, "-l", "app.kubernetes.io/instance="+s.release, "-o", "name")) {
			if stays == "" || !strings.HasPrefix(line, stays) {
				return fmt.Errorf("%s is there", strings.TrimSpace(line))
			}
		}
		return nil
	})
}
