package chart

import (
	"strings"
	"testing"
)

// TestWhatCannotWorkIsRefused: with the key, and what to do.
func TestWhatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	c := load(t)
	for _, tt := range []struct {
		name, base, values string
		want               []string
	}{
		{"a misspelt section", "", `servces: {}`, []string{"additional properties 'servces' not allowed"}},
		{"a misspelt service", distributed, `services: {inbx: {replicas: 2}}`, []string{"/services", "'inbx' not allowed"}},
		{"a misspelt leaf", distributed, `services: {inbox: {replica: 2}}`, []string{"/services/inbox", "'replica' not allowed"}},
		{"a misspelt key of the configuration", "", `config: {log_levl: debug}`, []string{"/config", "log_levl"}},
		{"a key that has a value of its own", "", `config: {http_addr: ":80"}`, []string{"/config", "http_addr"}},
		{"a wrong type", "", `ingress: {enabled: "yes"}`, []string{"/ingress/enabled", "want boolean"}},
		{"a wrong mode", "", `mode: cluster`, []string{"/mode", "standalone"}},
		{"replicas below 0", distributed, `services: {inbox: {replicas: -1}}`, []string{"/services/inbox/replicas", "minimum"}},
		{"a port that is none", "", `standalone: {service: {port: 70000}}`, []string{"/standalone/service/port", "maximum"}},
		{"a quantity that is none", "", `defaults: {resources: {limits: {memory: 1 GB}}}`, []string{"/defaults/resources/limits/memory"}},
		{"a broker without a port", distributed, `kafka: {brokers: [kafka]}`, []string{"/kafka/brokers/0", "pattern"}},
		{"a mechanism that is none", distributed, `kafka: {sasl: {mechanism: gssapi}}`, []string{"/kafka/sasl/mechanism"}},
		{"no Kafka", distributed, `kafka: {brokers: []}`, []string{"kafka.brokers is empty", "bootstrap servers"}},
		{"no Redis", distributed, `redis: {existingSecret: ""}`, []string{"redis.existingSecret", "name a Secret"}},
		{"no MongoDB", distributed, `mongodb: {existingSecret: ""}`, []string{"mongodb.existingSecret", "name a Secret"}},
		{"no blob store", distributed, `blob: {url: ""}`, []string{"blob.url is empty", "s3://"}},
		{"no key", distributed, `encryption: {existingSecret: ""}`, []string{"encryption.existingSecret is empty", "openssl rand"}},
		{"no URL", distributed, `publicURL: ""`, []string{"publicURL and hosts.public.name are empty", "set one of them"}},
		{"nothing at all", "", `mode: distributed`, []string{"kafka.brokers", "redis.existingSecret", "mongodb.existingSecret", "blob.url", "encryption.existingSecret", "publicURL"}},
		{"SASL without a Secret", distributed, `kafka: {sasl: {mechanism: plain}}`, []string{"kafka.sasl.existingSecret is empty", "name a Secret"}},
		{"a certificate without TLS", distributed, `kafka: {tls: {existingSecret: c}}`, []string{"kafka.tls.existingSecret is set", "enable it"}},
		{"a user by a certificate that is not read", distributed, `strimzi: {enabled: true, cluster: kafka, user: {enabled: true, authentication: tls}}`,
			[]string{"strimzi.user.authentication is tls", "existingSecret: tributary, certKey: user.crt"}},
		{"topics of no Kafka", distributed, `strimzi: {enabled: true}`, []string{"strimzi.cluster is empty", "name the Kafka resource"}},
		{"topics of no cluster", "", `strimzi: {enabled: true, cluster: kafka}`, []string{"strimzi.enabled is set", "mode: distributed"}},
		{"two URLs of Redis", distributed, `redis: {url: "redis://r:6379"}`, []string{"redis.url and redis.existingSecret", "keep one"}},
		{"two URIs of MongoDB", distributed, `mongodb: {uri: "mongodb://m/t"}`, []string{"mongodb.uri and mongodb.existingSecret", "keep one"}},
		{"a password of Redis", distributed, `redis: {existingSecret: "", url: "redis://:secret@r:6379"}`, []string{"redis.url has a password", "Secret"}},
		{"a password of MongoDB", distributed, `mongodb: {existingSecret: "", uri: "mongodb://u:secret@m/t"}`, []string{"mongodb.uri has a password", "Secret"}},
		{"files in memory", distributed, `blob: {url: "mem://"}`, []string{"blob.url is mem://", "object store"}},
		{"a folder without a claim", distributed, `blob: {url: "file:///files"}`, []string{"blob.existingClaim is empty", "ReadWriteMany"}},
		{"a claim without a folder", distributed, `blob: {existingClaim: files}`, []string{"blob.existingClaim is set", "file:///path"}},
		{"two sources of CAs", "", `trustedCAs: {existingSecret: a, existingConfigMap: b}`, []string{"trustedCAs.existingSecret and trustedCAs.existingConfigMap", "keep one"}},
		{"standalone twice", "", `standalone: {replicas: 2}`, []string{"standalone.replicas is 2", "set 1, or mode: distributed"}},
		{"standalone autoscaled", "", `standalone: {autoscaling: {enabled: true}}`, []string{"standalone.autoscaling.enabled", "disable it"}},
		{"standalone on lag", "", `defaults: {keda: {enabled: true, trigger: kafka}}`, []string{"standalone.keda.enabled", "disable it"}},
		{"more replicas than partitions", distributed, `services: {inbox: {replicas: 49}}`, []string{"services.inbox.replicas is 49", "48 partitions", "set at most 48"}},
		{"more replicas than partitions, scaled", distributed, `services: {inbox: {autoscaling: {enabled: true, maxReplicas: 64}}}`, []string{"services.inbox.autoscaling.maxReplicas is 64", "set at most 48"}},
		{"more replicas than partitions, by lag", distributed, `defaults: {keda: {enabled: true, trigger: kafka, maxReplicas: 50}}`, []string{"services.whatsapp.keda.maxReplicas is 50", "set at most 48"}},
		{"fewest above most", distributed, `services: {inbox: {autoscaling: {enabled: true, minReplicas: 9, maxReplicas: 3}}}`, []string{"services.inbox.autoscaling.minReplicas is 9 and maxReplicas 3"}},
		{"two scalers", distributed, `services: {inbox: {autoscaling: {enabled: true}, keda: {enabled: true, trigger: kafka}}}`, []string{"services.inbox.autoscaling.enabled and .keda.enabled", "disable one"}},
		{"lag of nothing", distributed, `services: {admin: {keda: {enabled: true, trigger: kafka}}}`, []string{"services.admin.keda.enabled", "use autoscaling"}},
		{"lag of nowhere", distributed, `services: {inbox: {keda: {enabled: true}}}`, []string{"services.inbox.keda.prometheus.serverAddress is empty", "trigger: kafka"}},
		{"no target", distributed, `services: {inbox: {autoscaling: {enabled: true, targetCPUUtilizationPercentage: 0}}}`, []string{"services.inbox.autoscaling has no target"}},
		{"a share of nothing", distributed, `services: {inbox: {autoscaling: {enabled: true}, resources: {requests: {cpu: null}}}}`, []string{"services.inbox.autoscaling.targetCPUUtilizationPercentage", "resources.requests.cpu"}},
		{"a short grace period", distributed, `services: {whatsapp: {terminationGracePeriodSeconds: 30}}`, []string{"services.whatsapp.terminationGracePeriodSeconds is 30", "set at least 40"}},
		{"a long drain", "", `standalone: {shutdown: {drainSeconds: 60}}`, []string{"standalone.terminationGracePeriodSeconds is 60", "set at least 80"}},
		{"two delays", "", `defaults: {shutdown: {preStopSleepSeconds: 5}}`, []string{"preStopSleepSeconds and .delaySeconds", "set one of them to 0"}},
		{"two ways of exposing a host", distributed, `{hosts: {public: {name: tributary.example.com}}, ingress: {enabled: true}, httpRoute: {enabled: true, parentRefs: [{name: g}]}}`,
			[]string{"ingress.enabled and httpRoute.enabled", `"tributary.example.com"`, "enable one"}},
		{"an Ingress without a host", distributed, `ingress: {enabled: true}`, []string{"hosts.public.name is empty", "name the host"}},
		{"a route without a Gateway", distributed, `{hosts: {public: {name: tributary.example.com}}, httpRoute: {enabled: true}}`, []string{"httpRoute.parentRefs is empty", "name the Gateway"}},
		{"a certificate of a route", distributed, `{hosts: {public: {name: tributary.example.com, tlsSecret: t}}, httpRoute: {enabled: true, parentRefs: [{name: g}]}}`, []string{"hosts.public.tlsSecret", "set it there"}},
		{"a URL of another host", distributed, `hosts: {public: {name: other.example.com}}`, []string{"publicURL names host", `"other.example.com"`}},
		{"a variable of the chart", "", `standalone: {env: {TRIBUTARY_LOG_LEVEL: debug}}`, []string{"standalone.env.TRIBUTARY_LOG_LEVEL", "use config"}},
		{"a rollout that cannot begin", distributed, `services: {inbox: {rollingUpdate: {maxSurge: 0}}}`, []string{"services.inbox.rollingUpdate.maxSurge and .maxUnavailable are both 0"}},
		{"monitors without Services", "", `metrics: {service: {enabled: false}, serviceMonitor: {enabled: true}}`, []string{"metrics.service.enabled is false", "ServiceMonitor"}},
	} {
		_, _, err := render(c, with(parse(t, tt.base), tt.values), full)
		if err == nil {
			t.Errorf("%s: rendered", tt.name)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", tt.name, want, err)
			}
		}
	}
}

// TestWhatACheckRefusesAnotherClusterTakes: sleeps before a stop came with Kubernetes 1.30.
func TestWhatACheckRefusesAnotherClusterTakes(t *testing.T) {
	t.Parallel()
	c := load(t)
	_, _, err := render(c, parse(t, `defaults: {shutdown: {preStopSleepSeconds: 5, delaySeconds: 0}}`), cluster{version: "v1.29.3"})
	if err == nil || !strings.Contains(err.Error(), "preStopSleepSeconds needs Kubernetes 1.30") {
		t.Errorf("%v", err)
	}
	if _, _, err = render(c, map[string]any{}, cluster{version: "v1.29.3"}); err != nil {
		t.Error(err)
	}
}

func TestUmbrellaChartsMaySetWhatTheyShare(t *testing.T) {
	t.Parallel()
	must(t, parse(t, `{enabled: true, global: {anything: {at: all}}}`), full)
}
