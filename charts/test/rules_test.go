package chart

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// containers are those of a pod template, or of a pod.
func containers(o *unstructured.Unstructured) (spec map[string]any, all []map[string]any) {
	spec, ok := field(o, "spec", "template", "spec").(map[string]any)
	if o.GetKind() == "Pod" {
		spec, ok = field(o, "spec").(map[string]any)
	}
	if !ok {
		return nil, nil
	}
	for _, list := range []string{"initContainers", "containers"} {
		l, _ := spec[list].([]any)
		for _, c := range l {
			all = append(all, c.(map[string]any))
		}
	}
	return spec, all
}

// TestEveryPodIsRestricted: Pod Security's profile, a root that cannot be written, no token, and no variables of Services, which would be
// unknown keys of the configuration.
func TestEveryPodIsRestricted(t *testing.T) {
	t.Parallel()
	pods := 0
	for name, values := range sets(t) {
		for key, o := range must(t, values, full) {
			spec, all := containers(o)
			if spec == nil {
				continue
			}
			pods++
			sc, _ := spec["securityContext"].(map[string]any)
			seccomp, _ := sc["seccompProfile"].(map[string]any)
			if sc["runAsNonRoot"] != true || seccomp["type"] != "RuntimeDefault" || spec["automountServiceAccountToken"] != false || spec["enableServiceLinks"] != false {
				t.Errorf("%s: %s: %v", name, key, sc)
			}
			if name != "values-openshift" && fmt.Sprint(sc["runAsUser"]) != "65532" || name == "values-openshift" && sc["runAsUser"] != nil {
				t.Errorf("%s: %s runs as %v", name, key, sc["runAsUser"])
			}
			for _, c := range all {
				own, _ := c["securityContext"].(map[string]any)
				if own["allowPrivilegeEscalation"] != false || own["readOnlyRootFilesystem"] != true || !strings.Contains(fmt.Sprint(own["capabilities"]), "drop:[ALL]") {
					t.Errorf("%s: %s: container %s: %v", name, key, c["name"], own)
				}
				if resources, _ := c["resources"].(map[string]any); !strings.Contains(fmt.Sprint(resources["limits"]), "memory") {
					t.Errorf("%s: %s: container %s has no limit of memory", name, key, c["name"])
				}
			}
		}
	}
	if pods < 60 {
		t.Fatalf("%d pods only", pods)
	}
}

// TestSelectorsAndNames: a selector selects its pods and never changes, names are short enough, and nothing points at what is not there.
func TestSelectorsAndNames(t *testing.T) {
	t.Parallel()
	long := "an-extraordinarily-long-name-of-a-release-of-53-letters"
	for name, values := range sets(t) {
		objects := must(t, with(values, "fullnameOverride: "+long), full)
		for key, o := range objects {
			if len(o.GetName()) > 63 {
				t.Errorf("%s: %s has %d letters", name, key, len(o.GetName()))
			}
			if o.GetKind() == "ConfigMap" && o.GetName() == "tributary-note" {
				continue
			}
			if strings.HasPrefix(o.GetKind(), "Kafka") {
				continue // lie where Strimzi looks for them
			}
			if want := cmpOr(values["namespaceOverride"], "messaging"); o.GetNamespace() != want {
				t.Errorf("%s: %s is in namespace %q", name, key, o.GetNamespace())
			}
			match, ok := field(o, "spec", "selector", "matchLabels").(map[string]any)
			if !ok || o.GetKind() == "ServiceMonitor" {
				continue
			}
			if want := []string{"app.kubernetes.io/component", "app.kubernetes.io/instance", "app.kubernetes.io/name"}; !slices.Equal(slices.Sorted(maps.Keys(match)), want) {
				t.Errorf("%s: %s selects by %v", name, key, match)
			}
			if labels, ok := field(o, "spec", "template", "metadata", "labels").(map[string]any); ok {
				for k, v := range match {
					if labels[k] != v {
						t.Errorf("%s: %s selects %s=%v, its pods have %v", name, key, k, v, labels[k])
					}
				}
			}
		}
		referred(t, name, objects)
	}
}

func cmpOr(v any, other string) string {
	if s, ok := v.(string); ok && s != "" {
		return s
	}
	return other
}

// referred checks what objects of the release name: backends of Ingresses and routes, targets of scalers, ServiceAccounts.
func referred(t *testing.T, set string, objects map[string]*unstructured.Unstructured) {
	t.Helper()
	need := func(from, key string) {
		if objects[key] == nil {
			t.Errorf("%s: %s names %s, which is not there", set, from, key)
		}
	}
	for key, o := range objects {
		switch o.GetKind() {
		case "Ingress":
			for _, p := range field(o, "spec", "rules", 0, "http", "paths").([]any) {
				need(key, fmt.Sprint("Service/", p.(map[string]any)["backend"].(map[string]any)["service"].(map[string]any)["name"]))
			}
		case "HTTPRoute":
			need(key, fmt.Sprint("Service/", field(o, "spec", "rules", 0, "backendRefs", 0, "name")))
		case "ScaledObject", "HorizontalPodAutoscaler":
			target := fmt.Sprint("Deployment/", field(o, "spec", "scaleTargetRef", "name"))
			need(key, target)
			if field(objects[target], "spec", "replicas") != nil {
				t.Errorf("%s: %s and %s both set replicas", set, key, target)
			}
		case "Deployment", "StatefulSet":
			if sa := fmt.Sprint(field(o, "spec", "template", "spec", "serviceAccountName")); sa != "default" {
				need(key, "ServiceAccount/"+sa)
			}
			if field(o, "spec", "replicas") == nil && objects["ScaledObject/"+o.GetName()] == nil && objects["HorizontalPodAutoscaler/"+o.GetName()] == nil {
				t.Errorf("%s: nobody sets the replicas of %s", set, key)
			}
		}
	}
}

func TestObjectsOfOperatorsOnlyWhereTheyAreServed(t *testing.T) {
	t.Parallel()
	all := sets(t)
	for _, name := range []string{"06-gateway", "07-autoscaling", "values-production"} {
		objects, notes, err := render(load(t), all[name], cluster{version: "v1.35.4"})
		if err != nil {
			t.Fatal(err)
		}
		for key, o := range objects {
			if slices.Contains(crds, o.GetAPIVersion()) {
				t.Errorf("%s: %s", name, key)
			}
			if o.GetKind() == "Deployment" && field(o, "spec", "replicas") == nil && objects["HorizontalPodAutoscaler/"+o.GetName()] == nil {
				t.Errorf("%s: nobody sets the replicas of %s", name, key)
			}
		}
		if !strings.Contains(notes, "this cluster does not serve") {
			t.Errorf("%s: the notes do not say that something is missing:\n%s", name, notes)
		}
	}
}

// TestOperationsOnChannelsAreForTheHostOfTheAPI: with two hosts, no process that serves webhooks takes operations on the public one.
func TestOperationsOnChannelsAreForTheHostOfTheAPI(t *testing.T) {
	t.Parallel()
	hosts := `{publicURL: "", hosts: {public: {name: hooks.example.com}, api: {name: api.example.com}}, ingress: {enabled: true}}`
	for _, mode := range []string{distributed, "mode: standalone"} {
		objects := must(t, with(parse(t, mode), hosts), full)
		seen := 0
		for key, o := range objects {
			if o.GetKind() == "Ingress" {
				host := field(o, "spec", "rules", 0, "host")
				for _, p := range field(o, "spec", "rules", 0, "http", "paths").([]any) {
					path := fmt.Sprint(p.(map[string]any)["path"])
					public := strings.HasPrefix(path, "/webhooks") || strings.HasPrefix(path, "/chat") || strings.HasPrefix(path, "/files")
					if host == "hooks.example.com" && !public {
						t.Errorf("%s: %s is public", key, path)
					}
				}
			}
			env := fmt.Sprint(field(o, "spec", "template", "spec", "containers", 0, "env"))
			if o.GetKind() == "StatefulSet" || o.GetKind() == "Deployment" && strings.Contains(fmt.Sprint(objects["Ingress/"+o.GetName()+"-public"]), "/webhooks/") {
				seen++
				if !strings.Contains(env, "name:TRIBUTARY_OPERATIONS_HOSTS value:api.example.com") {
					t.Errorf("%s takes operations on every host: %s", key, env)
				}
			}
		}
		if seen == 0 {
			t.Error("nothing serves webhooks")
		}
		one := must(t, with(parse(t, mode), `{publicURL: "", hosts: {public: {name: hooks.example.com}}}`), full)
		if strings.Contains(string(dump(one)), "OPERATIONS_HOSTS") {
			t.Error("with one host, operations are kept from it")
		}
	}
}

// TestTheSetupNeedsNothingOfTheRelease: as a hook it runs before anything of it exists.
func TestTheSetupNeedsNothingOfTheRelease(t *testing.T) {
	t.Parallel()
	for name, values := range sets(t) {
		objects := must(t, values, full)
		for key, o := range objects {
			if o.GetKind() != "Job" {
				continue
			}
			text := string(dump(map[string]*unstructured.Unstructured{key: o}))
			for other := range objects {
				kind, called, _ := strings.Cut(other, "/")
				if (kind == "Secret" || kind == "ConfigMap" || kind == "ServiceAccount") && strings.Contains(text, "name: "+called+"\n") && called != "tributary" {
					t.Errorf("%s: %s needs %s", name, key, other)
				}
			}
			if !strings.Contains(text, "argocd.argoproj.io/sync-wave") || !strings.Contains(text, "- topics\n") || !strings.Contains(text, "- store\n") {
				t.Errorf("%s: %s", name, text)
			}
			if hook := strings.Contains(text, "helm.sh/hook: pre-install,pre-upgrade"); hook == (name == "08-secured") {
				t.Errorf("%s: a hook: %t", name, hook)
			}
		}
	}
	a := must(t, parse(t, distributed+"setup: {hook: false}"), full)
	b := must(t, with(parse(t, distributed), "{setup: {hook: false}, image: {tag: v9}}"), full)
	job := func(objects map[string]*unstructured.Unstructured) string {
		for key := range objects {
			if strings.HasPrefix(key, "Job/") {
				return key
			}
		}
		return ""
	}
	if job(a) == job(b) || job(a) == "" {
		t.Errorf("a plain Job of another version is %s again, which cannot be changed", job(a))
	}
}

// TestWhatIsMadeByChanceIsMadeOnce: in one render, Secret and checksum are of the same values.
func TestWhatIsMadeByChanceIsMadeOnce(t *testing.T) {
	t.Parallel()
	data := func() (password, key string) {
		o := must(t, parse(t, "mode: standalone"), full)["Secret/tributary-bootstrap"]
		return fmt.Sprint(field(o, "stringData", "admin-password")), fmt.Sprint(field(o, "stringData", "api-key"))
	}
	password, key := data()
	if len(password) < 20 || !strings.HasPrefix(key, "trb_") || strings.Count(key, "_") != 2 || len(key) < 60 {
		t.Errorf("%q %q", password, key)
	}
	if other, _ := data(); other == password {
		t.Error("the password is always the same")
	}
}

// TestDisruptionBudgetsDoNotKeepNodesFromBeingDrained: one replica has none.
func TestDisruptionBudgetsDoNotKeepNodesFromBeingDrained(t *testing.T) {
	t.Parallel()
	for replicas, want := range map[string]bool{"0": false, "1": false, "2": true} {
		objects := must(t, with(parse(t, distributed), "services: {inbox: {replicas: "+replicas+"}}"), full)
		if have := objects["PodDisruptionBudget/tributary-inbox"] != nil; have != want {
			t.Errorf("replicas %s: a budget: %t", replicas, have)
		}
	}
}

// TestLint: what `helm lint` says.
func TestLint(t *testing.T) {
	t.Parallel()
	version, err := common.ParseKubeVersion(full.version)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range sets(t) {
		for _, m := range lint.RunAll(chartDir, values, "messaging", lint.WithKubeVersion(version)).Messages {
			if m.Severity > support.InfoSev || m.Err != nil && strings.Contains(m.Err.Error(), "cannot work") {
				t.Errorf("%s: %s: %v", name, m.Path, m.Err)
			}
		}
	}
}
