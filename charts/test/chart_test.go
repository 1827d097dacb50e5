// Package chart tests charts/tributary without a cluster: it renders in the process and decodes strictly.
package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	v2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const chartDir = "../tributary"

// crds are the APIs of operators that objects of the chart belong to.
var crds = []string{"monitoring.coreos.com/v1", "keda.sh/v1alpha1", "gateway.networking.k8s.io/v1", "kafka.strimzi.io/v1beta2"}

var loaded = sync.OnceValues(func() (*v2.Chart, error) { return loader.Load(chartDir) })

// load returns the chart, which renders do not change.
func load(t testing.TB) *v2.Chart {
	t.Helper()
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cluster is what a render knows of where it goes.
type cluster struct {
	version  string   // of Kubernetes
	apis     []string // besides those that every cluster has
	noSchema bool     // the values were checked
}

var full = cluster{version: "v1.35.4", apis: crds}

// render returns the objects by kind and name, and the notes.
func render(c *v2.Chart, values map[string]any, at cluster) (objects map[string]*unstructured.Unstructured, notes string, err error) {
	kv, err := common.ParseKubeVersion(at.version)
	if err != nil {
		return nil, "", err
	}
	caps := common.DefaultCapabilities.Copy()
	caps.KubeVersion = *kv
	caps.APIVersions = append(slices.Clone(caps.APIVersions), at.apis...)
	release := common.ReleaseOptions{Name: "tributary", Namespace: "messaging", IsInstall: true, Revision: 1}
	vals, err := util.ToRenderValuesWithSchemaValidation(c, values, release, caps, at.noSchema)
	if err != nil {
		return nil, "", err
	}
	files, err := engine.Render(c, vals)
	if err != nil {
		return nil, "", err
	}
	objects = map[string]*unstructured.Unstructured{}
	for name, text := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			notes = text
		}
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for doc := range strings.SplitSeq("\n"+text, "\n---") {
			if strings.TrimSpace(stripped.ReplaceAllString(doc, "")) == "" {
				continue
			}
			o := &unstructured.Unstructured{}
			if err := yaml.UnmarshalStrict([]byte(doc), &o.Object); err != nil {
				return nil, "", fmt.Errorf("%s: %w\n%s", name, err, doc)
			}
			key := o.GetKind() + "/" + o.GetName()
			if objects[key] != nil {
				return nil, "", fmt.Errorf("%s is there twice", key)
			}
			objects[key] = o
		}
	}
	return objects, notes, nil
}

var stripped = regexp.MustCompile(`(?m)^\s*#.*$`)

// must renders and ends the test where that fails.
func must(t *testing.T, values map[string]any, at cluster) map[string]*unstructured.Unstructured {
	t.Helper()
	objects, _, err := render(load(t), values, at)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func parse(t testing.TB, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out
}

// sets are the value sets of the chart: those of ci, and those beside values.yaml.
func sets(t testing.TB) map[string]map[string]any {
	t.Helper()
	var files []string
	for _, pattern := range []string{"ci/*.yaml", "values-*.yaml"} {
		found, err := filepath.Glob(filepath.Join(chartDir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	out := map[string]map[string]any{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".yaml")] = parse(t, string(b))
	}
	if len(out) < 11 {
		t.Fatalf("%d value sets only", len(out))
	}
	return out
}

// with returns a copy of values with others over them.
func with(values map[string]any, over string) map[string]any {
	b, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	out, more := map[string]any{}, map[string]any{}
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	if err := yaml.Unmarshal([]byte(over), &more); err != nil {
		panic(err)
	}
	return loader.MergeMaps(out, more)
}

// dump writes objects in the order of their names, with what is made by chance replaced.
func dump(objects map[string]*unstructured.Unstructured) []byte {
	var b bytes.Buffer
	keys := make([]string, 0, len(objects))
	for k := range objects {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		text, err := yaml.Marshal(objects[k].Object)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&b, "---\n# %s\n%s", k, text)
	}
	out := chance.ReplaceAll(b.Bytes(), []byte("${1}(made at the install)"))
	return out
}

var chance = regexp.MustCompile(`(?m)(^  admin-password: |^  api-key: trb_|checksum/bootstrap: )\S+`)

// field returns what lies at a path of an object, nil if nothing does. A number is an index of a list.
func field(o *unstructured.Unstructured, path ...any) any {
	if o == nil {
		return nil
	}
	var at any = o.Object
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, _ := at.(map[string]any)
			at = m[key]
		case int:
			l, _ := at.([]any)
			if key >= len(l) {
				return nil
			}
			at = l[key]
		}
	}
	return at
}

const distributed = `
mode: distributed
publicURL: https://tributary.example.com
kafka: {brokers: ["kafka:9092"]}
redis: {existingSecret: redis}
mongodb: {existingSecret: mongodb}
blob: {url: "s3://files"}
encryption: {existingSecret: encryption}
bootstrap: {existingSecret: bootstrap}
`
