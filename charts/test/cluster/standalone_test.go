package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// volume makes a volume of a folder of the machine and returns its name: this cluster has no provisioner.
func (s *stand) volume(mode string) string {
	s.Helper()
	dir := filepath.Join(os.Getenv("RUN"), "volume-"+s.ns)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.Fatal(err)
	}
	if err := os.Chown(dir, 65532, 65532); err != nil {
		s.Fatal(err)
	}
	s.apply(fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: %s, labels: {for: %s}}
spec: {capacity: {storage: 10Gi}, accessModes: [%s], hostPath: {path: %s}, persistentVolumeReclaimPolicy: Retain}
`, s.ns, s.ns, mode, dir))
	return s.ns
}

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
	s := newStand(t, "standalone")
	s.volume("ReadWriteOnce")
	flags := []string{"--set", "standalone.persistence.selector.matchLabels.for=standalone", "--set", "config.egress_allow={" + s.node + "/32}"}
	if err := s.helm("install", flags...); err != nil {
		t.Fatal(err)
	}
	s.run("helm", "test", s.release, "-n", s.ns)
	s.connect()
	people := s.traffic(0)
	people.until(50)
	s.kill("tributary-0")
	people.until(50)
	s.kubectl("delete", "pod", "tributary-0", "--grace-period=0", "--force")
	people.until(50)
	t.Logf("after kill -9 of the process and of the pod: longest without an acknowledgement %s, calls repeated %d", people.longest, people.failed)

	if err := s.helm("upgrade", append(flags, "--set", "standalone.podAnnotations.upgraded=once")...); err != nil {
		t.Fatal(err)
	}
	people.until(20)
	next := people.end()
	if now := s.kubectl("get", "secret", "tributary-bootstrap", "-o", `go-template={{index .data "api-key" | base64decode}}`); now != s.key {
		t.Error("an upgrade made another API key")
	}
	s.finish("standalone", next, "persistentvolumeclaim")
}

// finish compares what was acknowledged with what is there, answers, and takes the release away; what stays on purpose begins with stays.
func (s *stand) finish(mode string, acknowledged int, stays string) {
	s.Helper()
	lost, doubled := s.complete(acknowledged)
	answers := s.answer(mode)
	s.Logf("%s: %d webhooks acknowledged, %d lost, %d doubled; %d answers sent once and read", mode, acknowledged, lost, doubled, answers)
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
