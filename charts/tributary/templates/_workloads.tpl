{{- /*
What runs: a map of component to its values, `defaults` merged under each. In mode standalone that is the single binary alone.
Templates range over it, so that a knob exists for every component or for none.
*/ -}}
{{- define "tributary.workloads" -}}
{{- $all := dict }}
{{- if eq .Values.mode "standalone" }}
{{- $_ := set $all "tributary" (mergeOverwrite (deepCopy .Values.defaults) (deepCopy .Values.standalone)) }}
{{- else }}
{{- range $name, $own := .Values.services }}
{{- $w := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy (default (dict) $own)) }}
{{- if $w.enabled }}{{ $_ := set $all $name $w }}{{ end }}
{{- end }}
{{- end }}
{{- toJson $all }}
{{- end }}

{{- /* The name of a component's objects: {root, component}. */ -}}
{{- define "tributary.objectName" -}}
{{- if eq .component "tributary" }}{{ include "tributary.fullname" .root }}
{{- else }}{{ printf "%s-%s" (include "tributary.fullname" .root) .component }}{{ end }}
{{- end }}

{{- define "tributary.serviceAccountName" -}}
{{- if .w.serviceAccount.create }}{{ default (include "tributary.objectName" .) .w.serviceAccount.name }}
{{- else }}{{ default "default" .w.serviceAccount.name }}{{ end }}
{{- end }}

{{- define "tributary.command" -}}
/usr/local/bin/tributary{{ if ne .component "tributary" }}-{{ .component }}{{ end }}
{{- end }}

{{- /* Whether something else than the chart sets the number of replicas. */ -}}
{{- define "tributary.scaled" -}}
{{- if or .w.autoscaling.enabled (and .w.keda.enabled (include "tributary.serves" (dict "root" .root "api" "keda.sh/v1alpha1"))) }}true{{ end }}
{{- end }}

{{- /* The fewest replicas that run. */ -}}
{{- define "tributary.fewest" -}}
{{- if .w.autoscaling.enabled }}{{ .w.autoscaling.minReplicas | int }}
{{- else if include "tributary.scaled" . }}{{ .w.keda.minReplicas | int }}
{{- else }}{{ .w.replicas | int }}{{ end }}
{{- end }}

{{- /*
The hosts and the prefixes that a workload answers there: a list of {class, host, tls, paths}. Channels' prefixes are on both hosts, because
operations on channels (/webhooks/…/~…) belong to the API.
*/ -}}
{{- define "tributary.hosts" -}}
{{- $h := .root.Values.hosts }}
{{- $out := list }}
{{- $public := default (list) .w.paths.public }}
{{- $api := default (list) .w.paths.api }}
{{- if or (empty $h.api.name) (eq $h.api.name $h.public.name) }}
{{- with concat $public $api | uniq | sortAlpha }}
{{- $out = append $out (dict "class" "all" "host" $h.public.name "tls" $h.public.tlsSecret "paths" .) }}
{{- end }}
{{- else }}
{{- with $public | uniq | sortAlpha }}{{ $out = append $out (dict "class" "public" "host" $h.public.name "tls" $h.public.tlsSecret "paths" .) }}{{ end }}
{{- with $api | uniq | sortAlpha }}{{ $out = append $out (dict "class" "api" "host" $h.api.name "tls" $h.api.tlsSecret "paths" .) }}{{ end }}
{{- end }}
{{- toJson (dict "hosts" $out) }}
{{- end }}

{{- define "tributary.publicURL" -}}
{{- if .Values.publicURL }}{{ .Values.publicURL | trimSuffix "/" }}
{{- else if .Values.hosts.public.name }}https://{{ .Values.hosts.public.name }}{{ end }}
{{- end }}

{{- define "tributary.bootstrapSecret" -}}
{{- default (printf "%s-bootstrap" (include "tributary.fullname" .)) .Values.bootstrap.existingSecret }}
{{- end }}
