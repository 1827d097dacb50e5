package chart

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/yannh/kubeconform/pkg/validator"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// scaledObject is what the chart says of KEDA's kind, whose Go module brings an operator along.
type scaledObject struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       struct {
		ScaleTargetRef  struct{ Name string }
		MinReplicaCount int `json:"minReplicaCount"`
		MaxReplicaCount int `json:"maxReplicaCount"`
		PollingInterval int `json:"pollingInterval"`
		CooldownPeriod  int `json:"cooldownPeriod"`
		Advanced        struct {
			HorizontalPodAutoscalerConfig struct {
				Behavior map[string]any `json:"behavior"`
			} `json:"horizontalPodAutoscalerConfig"`
		} `json:"advanced"`
		Triggers []struct {
			Type              string                 `json:"type"`
			MetricType        string                 `json:"metricType"`
			Metadata          map[string]string      `json:"metadata"`
			AuthenticationRef *struct{ Name string } `json:"authenticationRef"`
		} `json:"triggers"`
	} `json:"spec"`
}

// kafkaTopic and kafkaUser are what the chart says of Strimzi's kinds, which are written in another language.
type kafkaTopic struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       struct {
		TopicName  string         `json:"topicName"`
		Partitions int            `json:"partitions"`
		Replicas   int            `json:"replicas"`
		Config     map[string]any `json:"config"`
	} `json:"spec"`
}

type kafkaUser struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       struct {
		Authentication struct{ Type string } `json:"authentication"`
		Authorization  struct {
			Type string `json:"type"`
			ACLs []struct {
				Resource   struct{ Type, Name, PatternType string } `json:"resource"`
				Operations []string                                 `json:"operations"`
			} `json:"acls"`
		} `json:"authorization"`
	} `json:"spec"`
}

// foreign are kinds whose types the test declares itself.
var foreign = map[string]func() any{
	"ScaledObject": func() any { return &scaledObject{} }, "KafkaTopic": func() any { return &kafkaTopic{} }, "KafkaUser": func() any { return &kafkaUser{} },
}

// TestEverySetDecodesStrictly: a field that a type has not, or of another type, is refused.
func TestEverySetDecodesStrictly(t *testing.T) {
	t.Parallel()
	known := scheme.Scheme
	for _, add := range []func() error{func() error { return monitoring.AddToScheme(known) }, func() error { return gateway.Install(known) }} {
		if err := add(); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
	kinds := map[string]int{}
	for name, values := range sets(t) {
		for key, o := range must(t, values, full) {
			kinds[o.GetKind()]++
			b, err := yaml.Marshal(o.Object)
			if err != nil {
				t.Fatal(err)
			}
			if own := foreign[o.GetKind()]; own != nil {
				err = yaml.UnmarshalStrict(b, own())
			} else {
				_, _, err = decoder.Decode(b, nil, nil)
			}
			if err != nil {
				t.Errorf("%s: %s: %v", name, key, err)
			}
		}
	}
	for _, kind := range []string{"Deployment", "StatefulSet", "Service", "ServiceAccount", "Secret", "Job", "HorizontalPodAutoscaler", "ScaledObject", "PodDisruptionBudget",
		"NetworkPolicy", "Ingress", "HTTPRoute", "ServiceMonitor", "PrometheusRule", "Pod", "KafkaTopic", "KafkaUser"} {
		if kinds[kind] == 0 {
			t.Errorf("no value set makes a %s", kind)
		}
	}
}

// TestKubeconform checks objects of Kubernetes itself against its published schemas, which lie in testdata.
func TestKubeconform(t *testing.T) {
	t.Parallel()
	v, err := validator.New([]string{"testdata/schemas/{{ .ResourceKind }}{{ .KindSuffix }}.json"}, validator.Opts{
		Strict: true, KubernetesVersion: "1.35.4", IgnoreMissingSchemas: false,
		SkipKinds: map[string]struct{}{"ScaledObject": {}, "HTTPRoute": {}, "ServiceMonitor": {}, "PrometheusRule": {}, "KafkaTopic": {}, "KafkaUser": {}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range sets(t) {
		for _, r := range v.Validate(name, io.NopCloser(bytes.NewReader(dump(must(t, values, full))))) {
			if r.Status != validator.Valid && r.Status != validator.Skipped && r.Status != validator.Empty {
				t.Errorf("%s: %v", name, r.Err)
			}
		}
	}
}

// abridged has the names of the chart's own dashboards and rules in the place of what is in them: a golden file shows what templates do, and
// what is in these files they take as it is, which is checked here.
func abridged(t *testing.T, objects map[string]*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	t.Helper()
	for _, f := range load(t).Files {
		name := filepath.Base(f.Name)
		switch filepath.Dir(f.Name) {
		case "files/dashboards":
			o := objects["ConfigMap/tributary-dashboard-"+strings.TrimSuffix(name, ".json")]
			data, there := field(o, "data").(map[string]any)
			if text, _ := data[name].(string); there && strings.TrimSpace(text) != strings.TrimSpace(string(f.Data)) {
				t.Errorf("%s is changed on its way into the ConfigMap", f.Name)
			} else if there {
				data[name] = "(" + f.Name + ")"
			}
		case "files/rules":
			spec, there := field(objects["PrometheusRule/tributary"], "spec").(map[string]any)
			own, _ := parse(t, string(f.Data))["groups"].([]any)
			if groups, _ := spec["groups"].([]any); there && (len(own) == 0 || len(groups) < len(own) || !reflect.DeepEqual(groups[:len(own)], own)) {
				t.Errorf("%s is changed on its way into the PrometheusRule", f.Name)
			} else if there {
				spec["groups"] = append([]any{"(" + f.Name + ")"}, groups[len(own):]...)
			}
		}
	}
	return objects
}

// TestGolden shows in a change what it does to each set; -update takes it over.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, values := range sets(t) {
		got := dump(abridged(t, must(t, values, full)))
		file := filepath.Join("testdata", "golden", name+".yaml")
		if *update {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %s (go test ./... -update takes it over)", name, firstDifference(string(want), string(got)))
		}
	}
	files, err := filepath.Glob("testdata/golden/*.yaml")
	if err != nil || len(files) != len(sets(t)) {
		t.Errorf("%d golden files of %d sets (%v)", len(files), len(sets(t)), err)
	}
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "line " + strings.TrimSpace(a[i]) + " is now " + strings.TrimSpace(b[i])
		}
	}
	return "one is longer than the other"
}
