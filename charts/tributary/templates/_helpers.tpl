{{- /* Names and labels. */ -}}

{{- define "tributary.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 38 | trimSuffix "-" }}
{{- end }}

{{- /* 38 characters leave room for the longest suffix within 63. */ -}}
{{- define "tributary.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}{{ $name = .Values.fullnameOverride }}
{{- else if not (contains $name .Release.Name) }}{{ $name = printf "%s-%s" .Release.Name $name }}
{{- else }}{{ $name = .Release.Name }}{{ end }}
{{- $name | trunc 38 | trimSuffix "-" }}
{{- end }}

{{- define "tributary.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- /* What selects the pods of a workload. It never changes: a Deployment's selector cannot. */ -}}
{{- define "tributary.selector" -}}
app.kubernetes.io/name: {{ include "tributary.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "tributary.labels" -}}
{{ include "tributary.selector" . }}
app.kubernetes.io/part-of: tributary
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Labels of pods. No version of the chart is among them: a new one alone must not roll them. */ -}}
{{- define "tributary.podLabels" -}}
{{ include "tributary.selector" . }}
app.kubernetes.io/part-of: tributary
{{- with mergeOverwrite (dict) .root.Values.commonLabels (default (dict) .w.podLabels) }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* metadata of an object: {root, component, name, annotations, labels}. */ -}}
{{- define "tributary.metadata" -}}
name: {{ .name }}
namespace: {{ include "tributary.namespace" .root }}
labels:
  {{- include "tributary.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with mergeOverwrite (dict) (default (dict) .root.Values.commonAnnotations) (default (dict) .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* The image of a workload: {root, w}. A digest wins over a tag. */ -}}
{{- define "tributary.image" -}}
{{- $i := mergeOverwrite (deepCopy .root.Values.image) (default (dict) .w.image) }}
{{- $repository := ternary $i.repository (printf "%s/%s" $i.registry $i.repository) (empty $i.registry) }}
{{- if $i.digest }}{{ printf "%s@%s" $repository $i.digest }}{{ else }}{{ printf "%s:%s" $repository (default .root.Chart.AppVersion $i.tag | toString) }}{{ end }}
{{- end }}

{{- /* Whether the cluster serves an API: {root, api}. Objects of other APIs would fail the whole release. */ -}}
{{- define "tributary.serves" -}}
{{- if .root.Capabilities.APIVersions.Has .api }}true{{ end }}
{{- end }}
