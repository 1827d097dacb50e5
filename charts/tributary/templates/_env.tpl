{{- /*
The environment of a process, as entries of `env:` {root, config, env}. Everything is in the pod's own template: what changes rolls
the pods, and hooks that run before the release's objects exist need none of them.
*/ -}}
{{- define "tributary.plain" -}}
- {name: {{ .name }}, value: {{ .value | toString | quote }}}
{{- end }}

{{- define "tributary.secret" -}}
- {name: {{ .name }}, valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}}}
{{- end }}

{{- define "tributary.servers" -}}
{{- $v := .Values }}
{{- if $v.kafka.brokers }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_KAFKA_BROKERS" "value" (join "," $v.kafka.brokers)) }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_KAFKA_TLS" "value" $v.kafka.tls.enabled) }}
{{- with $v.kafka.tls.existingSecret }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_KAFKA_TLS_CERT" "secret" . "key" $v.kafka.tls.certKey) }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_KAFKA_TLS_KEY" "secret" . "key" $v.kafka.tls.keyKey) }}
{{- end }}
{{- with $v.kafka.sasl.mechanism }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_KAFKA_SASL" "value" .) }}
{{- if $v.kafka.sasl.username }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_KAFKA_USERNAME" "value" $v.kafka.sasl.username) }}
{{- else }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_KAFKA_USERNAME" "secret" $v.kafka.sasl.existingSecret "key" $v.kafka.sasl.usernameKey) }}
{{- end }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_KAFKA_PASSWORD" "secret" $v.kafka.sasl.existingSecret "key" $v.kafka.sasl.passwordKey) }}
{{- end }}
{{- end }}
{{- if $v.redis.existingSecret }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_REDIS_URL" "secret" $v.redis.existingSecret "key" $v.redis.urlKey) }}
{{- else if $v.redis.url }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_REDIS_URL" "value" $v.redis.url) }}
{{- end }}
{{- if $v.mongodb.existingSecret }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_STORE_URL" "secret" $v.mongodb.existingSecret "key" $v.mongodb.uriKey) }}
{{- else if $v.mongodb.uri }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_STORE_URL" "value" $v.mongodb.uri) }}
{{- end }}
{{- with $v.blob.url }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_BLOB_URL" "value" .) }}
{{- end }}
{{- with $v.encryption.existingSecret }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_ENCRYPTION_KEY" "secret" . "key" $v.encryption.key) }}
{{- with $v.encryption.acceptedKey }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_ENCRYPTION_KEYS_ACCEPTED" "secret" $v.encryption.existingSecret "key" .) }}
{{- end }}
{{- end }}
{{- if or $v.trustedCAs.existingSecret $v.trustedCAs.existingConfigMap }}
{{ include "tributary.plain" (dict "name" "SSL_CERT_DIR" "value" "/etc/tributary/cas") }}
{{- end }}
{{- end }}

{{- /* Keys of the configuration, by their own names. */ -}}
{{- define "tributary.config" -}}
{{- range $key, $value := . }}
{{- if kindIs "slice" $value }}{{ $value = join "," $value }}{{ else if kindIs "float64" $value }}{{ $value = int64 $value }}{{ end }}
{{ include "tributary.plain" (dict "name" (printf "TRIBUTARY_%s" (upper $key)) "value" $value) }}
{{- end }}
{{- end }}

{{- /* What whoever makes the first tenant is told. */ -}}
{{- define "tributary.bootstrap" -}}
{{- if .Values.bootstrap.enabled }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_BOOTSTRAP_ADMIN_EMAIL" "value" .Values.bootstrap.adminEmail) }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_BOOTSTRAP_ADMIN_PASSWORD" "secret" (include "tributary.bootstrapSecret" .) "key" .Values.bootstrap.adminPasswordKey) }}
{{ include "tributary.secret" (dict "name" "TRIBUTARY_BOOTSTRAP_API_KEY" "secret" (include "tributary.bootstrapSecret" .) "key" .Values.bootstrap.apiKeyKey) }}
{{- end }}
{{- end }}

{{- define "tributary.tracing" -}}
{{- with .Values.tracing.endpoint }}
{{ include "tributary.plain" (dict "name" "OTEL_EXPORTER_OTLP_ENDPOINT" "value" .) }}
{{ include "tributary.plain" (dict "name" "OTEL_RESOURCE_ATTRIBUTES" "value" (printf "service.namespace=%s,k8s.namespace.name=%s" $.Release.Name (include "tributary.namespace" $))) }}
{{- end }}
{{- with .Values.tracing.headersExistingSecret }}
{{ include "tributary.secret" (dict "name" "OTEL_EXPORTER_OTLP_HEADERS" "secret" . "key" $.Values.tracing.headersKey) }}
{{- end }}
{{- end }}

{{- define "tributary.extraEnv" -}}
{{- range $name, $value := . }}
{{- if kindIs "map" $value }}
- name: {{ $name }}
  {{- toYaml $value | nindent 2 }}
{{- else }}
{{ include "tributary.plain" (dict "name" $name "value" $value) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The environment of a workload: {root, component, w}. */ -}}
{{- define "tributary.env" -}}
{{- $v := .root.Values }}
{{- $config := mergeOverwrite (deepCopy $v.config) (deepCopy .w.config) }}
{{- if and $v.hosts.api.name (ne $v.hosts.api.name $v.hosts.public.name) (or (eq .component "tributary") .w.channel) }}
{{- $_ := set $config "operations_hosts" $v.hosts.api.name }}
{{- end }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_HTTP_ADDR" "value" ":8080") }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_ADMIN_ADDR" "value" ":9090") }}
{{- with include "tributary.publicURL" .root }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_PUBLIC_URL" "value" .) }}
{{- end }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_SHUTDOWN_DELAY" "value" (printf "%ds" (int .w.shutdown.delaySeconds))) }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_SHUTDOWN_DRAIN" "value" (printf "%ds" (int .w.shutdown.drainSeconds))) }}
{{- if eq .component "tributary" }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_DATA_DIR" "value" "/data") }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_DEMO" "value" (ternary "on" "off" .w.demo)) }}
{{- end }}
{{- if and (eq .component "tributary") $v.kafka.brokers }}
{{ include "tributary.plain" (dict "name" "TRIBUTARY_KAFKA_REPLICAS" "value" (int $v.kafka.replicas)) }}
{{- end }}
{{- if has .component (list "tributary" "admin") }}
{{- include "tributary.bootstrap" .root }}
{{- end }}
{{- include "tributary.servers" .root }}
{{- include "tributary.config" $config }}
{{- include "tributary.tracing" .root }}
{{- include "tributary.extraEnv" .w.env }}
{{- end }}
