package stand

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/wire"
)

// Cluster is the throw-away Kubernetes in whose network this program runs, with the servers that deploy/cluster/with.sh starts beside it.
type Cluster struct {
	Scripts string // the folder deploy/cluster
	Tag     string // of the image that the cluster has
}

// Release is the chart on a cluster.
type Release struct {
	*Stand
	Mode  string        // standalone or distributed
	Took  time.Duration // from the call of helm to the first webhook that was accepted
	at    Cluster
	flags []string
}

// release is the name of the release, and of its objects.
const release = "tributary"

// Install installs the chart in a namespace of its own, makes a channel as soon as the API answers, and posts webhooks until one is
// accepted. Processes of a cluster share an SQLite file in a volume, as [Separate] ones do.
func (c Cluster) Install(ctx context.Context, mode, dir string) (*Release, error) {
	r := &Release{Stand: stand("", dir), Mode: mode, at: c}
	r.urls = map[string]string{}
	values := filepath.Join(dir, "values.yaml")
	r.flags = []string{filepath.Join(c.Scripts, "../../charts/tributary"), "-n", r.namespace(), "-f", values, "--set", "image.tag=" + c.Tag}
	place := exec.CommandContext(ctx, filepath.Join(c.Scripts, "place.sh"), r.namespace(), mode) //nolint:gosec // a script of this repository
	place.Env = append(os.Environ(), "API_KEY="+Key, "STORE_URL=sqlite:/var/tributary/files/tributary.db")
	text, err := output(place)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(values, []byte(text), 0o600); err != nil {
		return nil, err
	}
	began := time.Now()
	if _, err := run(ctx, "helm", append([]string{"install", release}, r.flags...)...); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	if err := r.first(ctx); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	r.Took = time.Since(began)
	if err := r.Rolled(ctx); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

func (r *Release) namespace() string { return "bench-" + r.Mode }

// first has the first webhook accepted.
func (r *Release) first(ctx context.Context) error {
	out, err := r.kubectl(ctx, "get", "services", "-o", `jsonpath={range .items[*]}{.metadata.name} {.spec.clusterIP}:{.spec.ports[0].port}{"\n"}{end}`)
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		name, address, _ := strings.Cut(strings.TrimSpace(line), " ")
		r.urls[strings.TrimPrefix(strings.TrimPrefix(name, release), "-")] = "http://" + address
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for {
		to, err := r.Target(ctx, "whatsapp")
		if err == nil {
			plan, err := to.Plan("first", time.Now().Unix())
			if err != nil {
				return err
			}
			return r.accepted(ctx, plan.Base(), plan.Builder())
		}
		if ctx.Err() != nil {
			return err
		}
	}
}

// accepted makes a call until it is answered 2xx.
func (r *Release) accepted(ctx context.Context, base string, caller load.Caller) error {
	for {
		c, err := wire.New(base, time.Second)
		if err != nil {
			return err
		}
		status, body, err := c.Do(caller.Request(0))
		_ = c.Close() // it is made anew
		if err == nil && status/100 == 2 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no webhook was accepted: %d %.200s %w", status, body, errors.Join(err, ctx.Err()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Rolled waits until every pod of the release is ready, and none of before is left.
func (r *Release) Rolled(ctx context.Context) error {
	if _, err := r.kubectl(ctx, "rollout", "status", "deployment,statefulset", "-l", "app.kubernetes.io/instance="+release, "--timeout=10m"); err != nil {
		return err
	}
	r.processes = nil
	out, err := r.kubectl(ctx, "get", "pods", "-l", "app.kubernetes.io/instance="+release, "--field-selector=status.phase=Running", "-o",
		`jsonpath={range .items[*]}{.metadata.labels.app\.kubernetes\.io/component} {.status.podIP} {.metadata.deletionTimestamp}{"\n"}{end}`)
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 2 { // the others are ending
			r.processes = append(r.processes, &Process{Name: f[0], Admin: "http://" + f[1] + ":9090"})
		}
	}
	if len(r.processes) == 0 {
		return errors.New("no pod of the release is ready")
	}
	return nil
}

// Upgrade replaces every pod, and returns when all new ones are ready.
func (r *Release) Upgrade(ctx context.Context, round int) error {
	flags := append([]string{"upgrade", release}, r.flags...)
	key := "defaults.podAnnotations.round"
	if _, err := run(ctx, "helm", append(flags, "--wait", "--timeout", "10m", "--set-string", fmt.Sprintf("%s=%d", key, round))...); err != nil {
		return err
	}
	return r.Rolled(ctx)
}

// Memory is what the pods of each component have in memory, in bytes: the largest of each.
func (r *Release) Memory() map[string]int64 {
	out := map[string]int64{}
	for _, p := range r.processes {
		now, _ := p.memory()
		out[p.Name] = max(out[p.Name], now)
	}
	return out
}

// Stop removes the release and its namespace.
func (r *Release) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	_, err := run(ctx, "helm", "uninstall", release, "-n", r.namespace(), "--wait", "--ignore-not-found")
	_, gone := run(ctx, "kubectl", "delete", "namespace", r.namespace())
	return errors.Join(err, gone)
}

func (r *Release) kubectl(ctx context.Context, args ...string) (string, error) {
	return run(ctx, "kubectl", append([]string{"-n", r.namespace()}, args...)...)
}

// About says which cluster it is.
func (c Cluster) About(ctx context.Context) string {
	out, err := run(ctx, "kubectl", "get", "nodes", "-o", "jsonpath={.items[0].status.nodeInfo.kubeletVersion}, {.items[0].status.nodeInfo.containerRuntimeVersion}")
	if err != nil {
		out = err.Error()
	}
	return fmt.Sprintf("| cluster | one node, Kubernetes %s; %d Kafka brokers, Redis, store sqlite |\n",
		strings.TrimPrefix(strings.TrimSpace(out), "v"), 1+strings.Count(os.Getenv("TRIBUTARY_TEST_KAFKA_BROKERS"), ","))
}

func run(ctx context.Context, name string, args ...string) (string, error) {
	return output(exec.CommandContext(ctx, name, args...))
}

func output(cmd *exec.Cmd) (string, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, errs.String())
	}
	return out.String(), nil
}
