package chart

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// first is the chart as it was first committed, packed. Its values may be others than today's.
func first(t *testing.T) *v2.Chart {
	t.Helper()
	c, err := loader.Load("testdata/first.tgz")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fixed are the fields that the apiserver lets nobody change, and those by which Services find pods of both versions, by kind.
var fixed = map[string][][]any{
	"Deployment":  {{"spec", "selector"}},
	"StatefulSet": {{"spec", "selector"}, {"spec", "serviceName"}, {"spec", "podManagementPolicy"}, {"spec", "volumeClaimTemplates"}},
	"Service":     {{"spec", "selector"}, {"spec", "clusterIP"}},
}

// moved tells what an upgrade from one render to another cannot do, or would lose.
func moved(from, to map[string]*unstructured.Unstructured) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		paths := fixed[from[key].GetKind()]
		if paths == nil {
			continue
		}
		if to[key] == nil {
			out = append(out, key+" is not there any more")
			continue
		}
		if a, b := from[key].GetNamespace(), to[key].GetNamespace(); a != b {
			out = append(out, fmt.Sprintf("%s was in %s and is in %s", key, a, b))
		}
		for _, at := range paths {
			if a, b := field(from[key], at...), field(to[key], at...); !reflect.DeepEqual(a, b) {
				was, _ := json.Marshal(a)
				is, _ := json.Marshal(b)
				out = append(out, fmt.Sprintf("%s: %v was %s and is %s", key, at, was, is))
			}
		}
	}
	return out
}

// setsThen are the value sets of the first version.
func setsThen(t *testing.T, c *v2.Chart) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{}
	for _, f := range c.Files {
		if name := path.Base(f.Name); strings.HasPrefix(f.Name, "ci/") || strings.HasPrefix(f.Name, "values-") {
			out["then "+strings.TrimSuffix(name, ".yaml")] = parse(t, string(f.Data))
		}
	}
	if len(out) < 11 {
		t.Fatalf("%d value sets only", len(out))
	}
	return out
}

// TestAnUpgradeFromTheFirstVersionKeepsWhatCannotChange, for every value set of then, and for those of today that the first version takes.
func TestAnUpgradeFromTheFirstVersionKeepsWhatCannotChange(t *testing.T) {
	t.Parallel()
	then, now, compared := first(t), load(t), 0
	loosely := full
	loosely.noSchema = true // values that the first version does not know are no matter
	all := setsThen(t, then)
	maps.Copy(all, sets(t))
	for name, values := range all {
		from, _, err := render(then, values, loosely)
		if err != nil && strings.HasPrefix(name, "then ") {
			t.Fatalf("%s: the first version: %v", name, err)
		}
		if err != nil {
			continue
		}
		to, _, err := render(now, values, full)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, what := range moved(from, to) {
			t.Errorf("%s: %s", name, what)
		}
		for _, o := range from {
			compared += len(fixed[o.GetKind()])
		}
	}
	if compared < 400 {
		t.Errorf("%d fields were compared only", compared)
	}
}

// TestWhatMovedIsSeen: the comparison finds what it is for.
func TestWhatMovedIsSeen(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{distributed, "mode: standalone"} {
		base := must(t, parse(t, mode), full)
		if what := moved(base, base); len(what) > 0 {
			t.Errorf("%q", what)
		}
		for over, least := range map[string]int{"nameOverride: other": 3, "fullnameOverride: other": 3, "namespaceOverride: other": 3} {
			if what := moved(base, must(t, with(parse(t, mode), over), full)); len(what) < least {
				t.Errorf("%s: %q", over, what)
			}
		}
	}
	base := must(t, parse(t, "mode: standalone"), full)
	for over, want := range map[string]string{
		"standalone: {persistence: {size: 7Gi}}":                 "volumeClaimTemplates",
		"standalone: {persistence: {accessMode: ReadWriteMany}}": "volumeClaimTemplates",
		"standalone: {persistence: {annotations: {a: b}}}":       "volumeClaimTemplates",
	} {
		if what := moved(base, must(t, parse(t, over), full)); len(what) != 1 || !strings.Contains(what[0], want) {
			t.Errorf("%s: %q, want %s", over, what, want)
		}
	}
}
