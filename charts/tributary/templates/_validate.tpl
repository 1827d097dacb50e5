{{- /*
What a schema cannot say. All that is wrong is told at once, each with its key and what to do; nothing is rendered then. Schema errors
come before.
*/ -}}
{{- define "tributary.validate" -}}
{{- $wrong := list }}
{{- $wrong = concat $wrong (include "tributary.wrongServers" . | fromJsonArray) }}
{{- $wrong = concat $wrong (include "tributary.wrongHosts" . | fromJsonArray) }}
{{- range $component, $w := include "tributary.workloads" . | fromJson }}
{{- $at := dict "root" $ "component" $component "w" $w "key" (ternary "standalone" (printf "services.%s" $component) (eq $.Values.mode "standalone")) }}
{{- $wrong = concat $wrong (include "tributary.wrongWorkload" $at | fromJsonArray) }}
{{- $wrong = concat $wrong (include "tributary.wrongScaling" $at | fromJsonArray) }}
{{- end }}
{{- if $wrong }}
{{- fail (printf "\n\nThese values cannot work:\n  * %s\n" (uniq $wrong | join "\n  * ")) }}
{{- end }}
{{- end }}

{{- /* The partitions of the topics that are read by key, fixed for the life of a cluster: more readers than that have nothing to do. */ -}}
{{- define "tributary.partitions" -}}48{{- end }}

{{- define "tributary.wrongServers" -}}
{{- $v := .Values }}
{{- $out := list }}
{{- if eq $v.mode "distributed" }}
{{- if not $v.kafka.brokers }}{{ $out = append $out "kafka.brokers is empty: name the bootstrap servers of a Kafka cluster, e.g. [kafka-0.kafka:9092], or set mode: standalone, which needs none" }}{{ end }}
{{- if not (or $v.redis.url $v.redis.existingSecret) }}{{ $out = append $out "redis.existingSecret (or redis.url, without a password) is empty: name a Secret with a redis:// or rediss:// URL, or set mode: standalone, which needs none" }}{{ end }}
{{- if not (or $v.mongodb.uri $v.mongodb.existingSecret) }}{{ $out = append $out "mongodb.existingSecret (or mongodb.uri, without a password) is empty: name a Secret with a mongodb:// URI of a replica set, or set mode: standalone, which needs none" }}{{ end }}
{{- if not $v.blob.url }}{{ $out = append $out "blob.url is empty: name an object store (s3://bucket?region=…, gs://bucket, azblob://container), or file:///path with blob.existingClaim, or set mode: standalone, which needs none" }}{{ end }}
{{- if not $v.encryption.existingSecret }}{{ $out = append $out "encryption.existingSecret is empty: kubectl create secret generic tributary-encryption --from-literal=encryption-key=$(openssl rand -base64 32), name it here, and keep a copy: without it the channels' secrets are lost" }}{{ end }}
{{- if not (include "tributary.publicURL" .) }}{{ $out = append $out "publicURL and hosts.public.name are empty: providers need an address to call; set one of them" }}{{ end }}
{{- end }}
{{- if and $v.kafka.sasl.mechanism (not $v.kafka.sasl.existingSecret) }}{{ $out = append $out "kafka.sasl.existingSecret is empty and kafka.sasl.mechanism is set: name a Secret with user and password, or empty the mechanism" }}{{ end }}
{{- if and $v.kafka.tls.existingSecret (not $v.kafka.tls.enabled) }}{{ $out = append $out "kafka.tls.existingSecret is set and kafka.tls.enabled is not: a certificate is shown over TLS alone; enable it" }}{{ end }}
{{- if and $v.strimzi.enabled $v.strimzi.user.enabled (eq $v.strimzi.user.authentication "tls") (not $v.kafka.tls.existingSecret) }}{{ $out = append $out (printf "strimzi.user.authentication is tls and kafka.tls.existingSecret is empty: name the Secret that Strimzi makes, kafka: {tls: {enabled: true, existingSecret: %s, certKey: user.crt, keyKey: user.key}}" $v.strimzi.user.name) }}{{ end }}
{{- if and $v.strimzi.enabled (not $v.strimzi.cluster) }}{{ $out = append $out "strimzi.cluster is empty and strimzi.enabled is set: name the Kafka resource that the topics belong to" }}{{ end }}
{{- if and $v.strimzi.enabled (eq $v.mode "standalone") }}{{ $out = append $out "strimzi.enabled is set and the broker is in the process: disable it, or set mode: distributed" }}{{ end }}
{{- if and $v.redis.url $v.redis.existingSecret }}{{ $out = append $out "redis.url and redis.existingSecret are both set: keep one of them" }}{{ end }}
{{- if and $v.mongodb.uri $v.mongodb.existingSecret }}{{ $out = append $out "mongodb.uri and mongodb.existingSecret are both set: keep one of them" }}{{ end }}
{{- range $key, $url := dict "redis.url" $v.redis.url "mongodb.uri" $v.mongodb.uri "blob.url" $v.blob.url }}
{{- if regexMatch "^[a-z0-9+]+://[^/]*:[^/]*@" (default "" $url) }}{{ $out = append $out (printf "%s has a password in it, which everybody who may read the release would see: put the whole URL into a Secret" $key) }}{{ end }}
{{- end }}
{{- if hasPrefix "mem://" (default "" $v.blob.url) }}{{ $out = append $out "blob.url is mem://, which one process alone has and loses: name an object store, or file:///path with blob.existingClaim" }}{{ end }}
{{- $file := hasPrefix "file://" (default "" $v.blob.url) }}
{{- if and $file (not $v.blob.existingClaim) }}{{ $out = append $out "blob.existingClaim is empty and blob.url is a folder: name a claim that all pods may mount at once (ReadWriteMany), or use an object store" }}{{ end }}
{{- if and $v.blob.existingClaim (not $file) }}{{ $out = append $out "blob.existingClaim is set and blob.url is no folder: set blob.url to file:///path, or empty blob.existingClaim" }}{{ end }}
{{- if and $v.trustedCAs.existingSecret $v.trustedCAs.existingConfigMap }}{{ $out = append $out "trustedCAs.existingSecret and trustedCAs.existingConfigMap are both set: keep one of them" }}{{ end }}
{{- toJson $out }}
{{- end }}

{{- define "tributary.wrongHosts" -}}
{{- $v := .Values }}
{{- $out := list }}
{{- $exposed := or $v.ingress.enabled $v.httpRoute.enabled }}
{{- if and $v.ingress.enabled $v.httpRoute.enabled }}{{ $out = append $out (printf "ingress.enabled and httpRoute.enabled would both expose host %q: enable one of them" $v.hosts.public.name) }}{{ end }}
{{- if and $exposed (not $v.hosts.public.name) }}{{ $out = append $out "hosts.public.name is empty and ingress or httpRoute is enabled: name the host that providers call" }}{{ end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}{{ $out = append $out "httpRoute.parentRefs is empty: name the Gateway, e.g. [{name: public, namespace: gateways}]" }}{{ end }}
{{- if and $v.publicURL $v.hosts.public.name (ne (urlParse $v.publicURL).hostname $v.hosts.public.name) }}{{ $out = append $out (printf "publicURL names host %q and hosts.public.name %q: providers would call a host that nothing answers; name the same, or empty publicURL" (urlParse $v.publicURL).hostname $v.hosts.public.name) }}{{ end }}
{{- if and $v.metrics.serviceMonitor.enabled (not $v.metrics.service.enabled) }}{{ $out = append $out "metrics.service.enabled is false and metrics.serviceMonitor.enabled is set: a ServiceMonitor finds pods through a Service; enable it" }}{{ end }}
{{- if and $v.httpRoute.enabled (or $v.hosts.public.tlsSecret $v.hosts.api.tlsSecret) }}{{ $out = append $out "hosts.public.tlsSecret or hosts.api.tlsSecret is set and httpRoute is enabled: the listeners of a Gateway have the certificates; set it there" }}{{ end }}
{{- toJson $out }}
{{- end }}

{{- define "tributary.wrongWorkload" -}}
{{- $w := .w }}
{{- $out := list }}
{{- if and (eq .root.Values.mode "standalone") (ne (int $w.replicas) 1) }}{{ $out = append $out (printf "standalone.replicas is %d: broker and store are in the process, and there is one of it; set 1, or mode: distributed" (int $w.replicas)) }}{{ end }}
{{- if and (eq .root.Values.mode "standalone") (or $w.autoscaling.enabled $w.keda.enabled) }}{{ $out = append $out "standalone.autoscaling.enabled or standalone.keda.enabled is set: there is one process; disable it, or set mode: distributed" }}{{ end }}
{{- $sleep := int $w.shutdown.preStopSleepSeconds }}
{{- $delay := int $w.shutdown.delaySeconds }}
{{- if and (gt $sleep 0) (gt $delay 0) }}{{ $out = append $out (printf "%s.shutdown.preStopSleepSeconds and .delaySeconds are both set: either the kubelet waits or the process; set one of them to 0, best preStopSleepSeconds" .key) }}{{ end }}
{{- if and (gt $sleep 0) (semverCompare "<1.30-0" .root.Capabilities.KubeVersion.Version) }}{{ $out = append $out (printf "%s.shutdown.preStopSleepSeconds needs Kubernetes 1.30 and this is %s: set it to 0 and .delaySeconds to %d" .key .root.Capabilities.KubeVersion.Version $sleep) }}{{ end }}
{{- $need := add $sleep $delay (int $w.shutdown.drainSeconds) 15 }}
{{- if lt (int $w.terminationGracePeriodSeconds) (int $need) }}{{ $out = append $out (printf "%s.terminationGracePeriodSeconds is %d and a stop may take %d (%d before it begins, %d for requests, 15 for readers and telemetry): set at least %d" .key (int $w.terminationGracePeriodSeconds) (int $need) (add $sleep $delay | int) (int $w.shutdown.drainSeconds) (int $need)) }}{{ end }}
{{- range $name := keys $w.env }}
{{- if hasPrefix "TRIBUTARY_" $name }}{{ $out = append $out (printf "%s.env.%s: the chart sets these; use config, or the value that the setting has" $.key $name) }}{{ end }}
{{- end }}
{{- if and (eq (int $w.rollingUpdate.maxSurge) 0) (eq (int $w.rollingUpdate.maxUnavailable) 0) (not (kindIs "string" $w.rollingUpdate.maxSurge)) (not (kindIs "string" $w.rollingUpdate.maxUnavailable)) }}{{ $out = append $out (printf "%s.rollingUpdate.maxSurge and .maxUnavailable are both 0: nothing could ever be replaced; set one of them" .key) }}{{ end }}
{{- toJson $out }}
{{- end }}

{{- define "tributary.wrongScaling" -}}
{{- $w := .w }}
{{- $out := list }}
{{- $partitions := include "tributary.partitions" .root | int }}
{{- if and $w.autoscaling.enabled $w.keda.enabled }}{{ $out = append $out (printf "%s.autoscaling.enabled and .keda.enabled are both set: two would set the number of replicas; disable one of them" .key) }}{{ end }}
{{- range $how, $s := dict "autoscaling" $w.autoscaling "keda" $w.keda }}
{{- if $s.enabled }}
{{- if gt (int $s.maxReplicas) $partitions }}{{ $out = append $out (printf "%s.%s.maxReplicas is %d and topics have %d partitions: more replicas would read nothing; set at most %d" $.key $how (int $s.maxReplicas) $partitions $partitions) }}{{ end }}
{{- if gt (int $s.minReplicas) (int $s.maxReplicas) }}{{ $out = append $out (printf "%s.%s.minReplicas is %d and maxReplicas %d: set at most that" $.key $how (int $s.minReplicas) (int $s.maxReplicas)) }}{{ end }}
{{- end }}
{{- end }}
{{- if and (not (include "tributary.scaled" .)) (gt (int $w.replicas) $partitions) }}{{ $out = append $out (printf "%s.replicas is %d and topics have %d partitions: more replicas would read nothing; set at most %d" .key (int $w.replicas) $partitions $partitions) }}{{ end }}
{{- if and $w.keda.enabled (not $w.groups) }}{{ $out = append $out (printf "%s.keda.enabled is set and this service reads nothing by which it could be scaled: use autoscaling" .key) }}{{ end }}
{{- if and $w.keda.enabled (eq $w.keda.trigger "prometheus") (not $w.keda.prometheus.serverAddress) }}{{ $out = append $out (printf "%s.keda.prometheus.serverAddress is empty: name the Prometheus that scrapes these pods, or set trigger: kafka" .key) }}{{ end }}
{{- if and $w.autoscaling.enabled (not (or $w.autoscaling.targetCPUUtilizationPercentage $w.autoscaling.targetMemoryUtilizationPercentage $w.autoscaling.metrics)) }}{{ $out = append $out (printf "%s.autoscaling has no target: set targetCPUUtilizationPercentage, targetMemoryUtilizationPercentage or metrics" .key) }}{{ end }}
{{- if and $w.autoscaling.enabled $w.autoscaling.targetCPUUtilizationPercentage (not (dig "requests" "cpu" "" $w.resources)) }}{{ $out = append $out (printf "%s.autoscaling.targetCPUUtilizationPercentage is a share of resources.requests.cpu, which is not set: set it" .key) }}{{ end }}
{{- toJson $out }}
{{- end }}
