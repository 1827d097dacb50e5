package chart

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/yaml"
)

// bases are value sets in which knobs can show, over the least that each mode needs, in the order in which they are tried. The first
// switches on what has knobs of its own.
var bases = []struct{ mode, over string }{
	{distributed, `
publicURL: https://hooks.example.com
hosts: {public: {name: hooks.example.com, tlsSecret: hooks-tls}, api: {name: api.example.com, tlsSecret: api-tls}}
ingress: {enabled: true, className: traefik}
kafka: {sasl: {mechanism: plain, existingSecret: kafka}, tls: {enabled: true, existingSecret: kafka-tls}}
encryption: {acceptedKey: former}
tracing: {endpoint: "http://collector:4318", headersExistingSecret: collector}
config: {oidc_issuer: "https://login.example.com"}
metrics: {serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}, dashboards: {enabled: true}}
setup: {activeDeadlineSeconds: 60}
`},
	{distributed, ""},
	{distributed, `{publicURL: "", hosts: {public: {name: tributary.example.com}}, httpRoute: {enabled: true, parentRefs: [{name: g}]}, setup: {hook: false}}`},
	{distributed, `defaults: {autoscaling: {enabled: true}}`},
	{distributed, `{defaults: {keda: {enabled: true, trigger: kafka}}}`},
	{distributed, `{defaults: {keda: {enabled: true, prometheus: {serverAddress: "http://p:9090"}}}}`},
	{distributed, `{strimzi: {enabled: true, cluster: kafka, user: {enabled: true}}, kafka: {tls: {enabled: true, existingSecret: kafka-tls}}}`},
	{distributed, `bootstrap: {existingSecret: ""}`},
	{distributed, `defaults: {service: {type: LoadBalancer, nodePort: 30001}}`},
	{`mode: standalone`, ""},
	{`mode: standalone`, `{kafka: {brokers: ["kafka:9092"]}, hosts: {public: {name: hooks.example.com}, api: {name: api.example.com}}, ingress: {enabled: true}}`},
}

// others are values of knobs whose text must have a form; by the end of the path.
var others = map[string]any{
	"mode": "standalone", "image.digest": "sha256:" + strings.Repeat("0", 64), "image.pullPolicy": "Never", "publicURL": "https://hooks.example.com/x",
	"kafka.brokers": []any{"other:9092"}, "kafka.sasl.mechanism": "scram-sha-512", "redis.url": "redis://other:6379", "mongodb.uri": "mongodb://other/t",
	"blob.url": "s3://other", "blob.existingClaim": "others", "bootstrap.adminEmail": "other@example.com", "hosts.public.name": "other.example.com",
	"tracing.endpoint": "http://other:4318", "httpRoute.parentRefs": []any{map[string]any{"name": "other"}}, "interval": "7s", "scrapeTimeout": "7s",
	"whenUnsatisfiable": "DoNotSchedule", "service.type": "NodePort", "ipFamilyPolicy": "PreferDualStack", "ipFamilies": []any{"IPv6"},
	"externalTrafficPolicy": "Local", "persistence.size": "7Gi", "accessMode": "ReadWriteOncePod", "whenDeleted": "Delete", "keda.trigger": "kafka", "strimzi.user.authentication": "tls",
	"paths.public": []any{"/other"}, "paths.api": []any{"/other"}, "ports": []any{7}, "except": []any{"9.0.0.0/8"}, "exceptIPv6": []any{"fe80::/10"},
	"storeEnsureArgs": []any{"--drop-superseded"}, "pullSecrets": []any{"other"}, "resources": map[string]any{"limits": map[string]any{"memory": "7Gi"}},
	"selector": map[string]any{"matchLabels": map[string]any{"a": "b"}}, "config": map[string]any{"pprof": true}, "env": map[string]any{"A": "b"},
	"requests.cpu": "7m", "requests.memory": "7Mi", "limits.memory": "7Gi", "image": map[string]any{"tag": "other"}, "groups": map[string]any{"g": "t"},
	"extraObjects":     map[string]any{"x": map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "x"}}},
	"storageClassName": "fast", "existingClaim": "other", "podSecurityContext.seccompProfile.type": "Unconfined", "fsGroupChangePolicy": "Always",
}

// beside are further values that a knob needs beside it, by its path.
var beside = map[string]string{
	"redis.url": `redis: {existingSecret: ""}`, "mongodb.uri": `mongodb: {existingSecret: ""}`,
	"ingress.enabled": `ingress: {enabled: false}`, "httpRoute.enabled": `{ingress: {enabled: false}, hosts: {public: {tlsSecret: ""}, api: {tlsSecret: ""}}, httpRoute: {enabled: false, parentRefs: [{name: g}]}}`,
	"strimzi.enabled": `strimzi: {cluster: kafka}`, "strimzi.user.enabled": `strimzi: {enabled: true, cluster: kafka, user: {enabled: false}}`,
	"kafka.tls.existingSecret": `kafka: {tls: {enabled: true}}`, "hosts.public.name": `publicURL: ""`, "blob.existingClaim": `blob: {url: "file:///files", existingClaim: files}`,
	"defaults.shutdown.preStopSleepSeconds": `defaults: {shutdown: {delaySeconds: 0}}`, "metrics.service.enabled": `metrics: {serviceMonitor: {enabled: false}}`,
	"defaults.keda.enabled": `{defaults: {keda: {trigger: kafka}}}`,
	"defaults.keda.trigger": `{defaults: {keda: {enabled: true, prometheus: {serverAddress: "http://p:9090"}}}}`,
}

// unread are values that render nothing by themselves, with the reason.
var unread = map[string]string{
	"global":                      "belongs to umbrella charts",
	"standalone.replicas":         "is 1 and must be",
	"services.admin.keda.enabled": "is false and must be", "services.console.keda.enabled": "is false and must be",
	"defaults.channel":   "every service says it, or has no operations",
	"defaults.paths.api": "every service has its own",
	"defaults.groups":    "every service with groups has its own",
}

// leaves are the knobs of values: what is no map, or an empty one, by path.
func leaves(at string, v any, out map[string]any) {
	if m, ok := v.(map[string]any); ok && len(m) > 0 {
		for k, x := range m {
			leaves(strings.TrimPrefix(at+"."+k, "."), x, out)
		}
		return
	}
	out[at] = v
}

// other is another value for a knob.
func other(path string, v any) any {
	best := ""
	for end := range others {
		if (path == end || strings.HasSuffix(path, "."+end)) && len(end) > len(best) {
			best = end
		}
	}
	if best != "" {
		return others[best]
	}
	switch v := v.(type) {
	case bool:
		return !v
	case float64:
		return v + 1
	case string:
		return "other"
	case []any:
		return append(slices.Clone(v), map[string]any{"other": "x"})
	case map[string]any:
		return map[string]any{"other": "x"}
	}
	return nil
}

// set is values with one at a path.
func set(path string, v any) string {
	m := map[string]any{}
	at := m
	parts := strings.Split(path, ".")
	for _, p := range parts[:len(parts)-1] {
		next := map[string]any{}
		at[p], at = next, next
	}
	at[parts[len(parts)-1]] = v
	b, err := yaml.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// furnished is the chart with a dashboard in it.
var furnished = sync.OnceValues(func() (*v2.Chart, error) {
	c, err := loader.Load(chartDir)
	if err == nil {
		c.Files = append(c.Files, &common.File{Name: "files/dashboards/of-the-test.json", Data: []byte("{}")})
	}
	return c, err
})

// rendered keeps what bases render to: text, or an error.
var rendered sync.Map

func base(c *v2.Chart, values map[string]any) (text string, err error) {
	key := fmt.Sprint(values)
	if have, ok := rendered.Load(key); ok {
		err, _ = have.(error)
		text, _ = have.(string)
		return text, err
	}
	objects, _, err := render(c, values, cluster{version: full.version, apis: full.apis, noSchema: true})
	if err != nil {
		rendered.Store(key, err)
		return "", err
	}
	text = string(dump(objects))
	rendered.Store(key, text)
	return text, nil
}

// shows reports whether another value of a knob changes what is rendered in any of the bases.
func shows(t *testing.T, path string, v any) (bool, error) {
	c, err := furnished()
	if err != nil {
		t.Fatal(err)
	}
	var refused error
	for _, b := range bases {
		values := with(with(parse(t, b.mode), b.over), beside[path])
		before, err := base(c, values)
		if err != nil {
			if beside[path] == "" {
				t.Fatalf("base %s: %v", b.over, err)
			}
			continue // the knob's company does not go with this base
		}
		after, _, err := render(c, with(values, set(path, v)), full)
		if err != nil {
			refused = err
			continue
		}
		if before != string(dump(after)) {
			return true, nil
		}
	}
	return false, refused
}

// TestEveryValueIsRead: another value for each knob changes what is rendered.
func TestEveryValueIsRead(t *testing.T) {
	t.Parallel()
	all := map[string]any{}
	leaves("", load(t).Values, all)
	if len(all) < 180 {
		t.Fatalf("%d knobs only", len(all))
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if unread[path] != "" || strings.HasPrefix(path, "services.simulator.") && path != "services.simulator.enabled" {
			continue
		}
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			v := other(path, all[path])
			if fmt.Sprint(v) == fmt.Sprint(all[path]) && path != "mode" { // the bases say another mode than the chart
				t.Fatalf("the test has no other value than %v", v)
			}
			if ok, err := shows(t, path, v); !ok {
				t.Errorf("%v in the place of %v changes nothing (%v)", v, all[path], err)
			}
		})
	}
}

// TestAServiceHasEveryKnobOfTheDefaults: what is set for one service is that one's alone, also where it is false, 0 or empty.
func TestAServiceHasEveryKnobOfTheDefaults(t *testing.T) {
	t.Parallel()
	values := parse(t, distributed)
	c := load(t)
	before, _, err := render(c, values, full)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ values, kind string }{
		{`replicas: 0`, "Deployment"}, {`pdb: {enabled: false}`, "PodDisruptionBudget"}, {`shutdown: {delaySeconds: 0}`, "Deployment"},
		{`topologySpread: {enabled: false}`, "Deployment"}, {`serviceAccount: {create: false}`, "ServiceAccount"}, {`securityContext: {readOnlyRootFilesystem: false}`, "Deployment"},
		{`resources: {limits: {memory: 1Gi}}`, "Deployment"}, {`image: {tag: special}`, "Deployment"}, {`nodeSelector: {a: b}`, "Deployment"},
		{`service: {port: 8080}`, "Service"}, {`networkPolicy: {publicEgress: true}`, "NetworkPolicy"}, {`config: {log_level: debug}`, "Deployment"},
		{`autoscaling: {enabled: true}`, "HorizontalPodAutoscaler"}, {`keda: {enabled: true, trigger: kafka}`, "ScaledObject"}, {`priorityClassName: p`, "Deployment"},
		{`probes: {liveness: {periodSeconds: 99}}`, "Deployment"}, {`minReadySeconds: 0`, "Deployment"}, {`enabled: false`, "Service"},
	} {
		after, _, err := render(c, with(values, set("services.inbox", parse(t, tt.values))), full)
		if err != nil {
			t.Errorf("%s: %v", tt.values, err)
			continue
		}
		var changed []string
		for _, key := range slices.Compact(slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after))...)))) {
			if key == "Pod/tributary-test" {
				continue // it calls the services by their ports
			}
			a, _ := yaml.Marshal(before[key])
			if b, _ := yaml.Marshal(after[key]); string(a) != string(b) {
				changed = append(changed, key)
			}
		}
		if !slices.Contains(changed, tt.kind+"/tributary-inbox") {
			t.Errorf("%s changes %q and no %s", tt.values, changed, tt.kind)
		}
		for _, key := range changed {
			if !strings.Contains(key, "/tributary-inbox") {
				t.Errorf("%s changes %s as well", tt.values, key)
			}
		}
	}
}
