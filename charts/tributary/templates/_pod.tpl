{{- /* What every pod of the release has: {root, w, name}. */ -}}
{{- define "tributary.podBase" -}}
automountServiceAccountToken: {{ .w.serviceAccount.automount }}
# A Service named tributary would put TRIBUTARY_PORT and others into the environment, which are no configuration.
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - {name: {{ . }}}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml .w.podSecurityContext | nindent 2 }}
{{- with .w.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .w.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .w.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .w.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .w.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- end }}

{{- /* Volumes and mounts that every pod of the release has. */ -}}
{{- define "tributary.volumes" -}}
- name: tmp
  emptyDir: {}
{{- with .root.Values.trustedCAs.existingSecret }}
- name: cas
  secret: {secretName: {{ . }}}
{{- end }}
{{- with .root.Values.trustedCAs.existingConfigMap }}
- name: cas
  configMap: {name: {{ . }}}
{{- end }}
{{- with .root.Values.blob.existingClaim }}
- name: blobs
  persistentVolumeClaim: {claimName: {{ . }}}
{{- end }}
{{- with .w.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tributary.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if or .root.Values.trustedCAs.existingSecret .root.Values.trustedCAs.existingConfigMap }}
- {name: cas, mountPath: /etc/tributary/cas, readOnly: true}
{{- end }}
{{- if .root.Values.blob.existingClaim }}
- {name: blobs, mountPath: {{ trimPrefix "file://" .root.Values.blob.url }}}
{{- end }}
{{- with .w.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tributary.envFrom" -}}
{{- $from := concat (default (list) .w.envFrom) (ternary (list) (list (dict "secretRef" (dict "name" .root.Values.blob.credentialsExistingSecret))) (empty .root.Values.blob.credentialsExistingSecret)) }}
{{- with $from }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* One probe: {path, p}. */ -}}
{{- define "tributary.probe" -}}
httpGet: {path: {{ .path }}, port: admin}
{{- range $key, $value := .p }}
{{ $key }}: {{ int $value }}
{{- end }}
{{- end }}

{{- define "tributary.topologySpread" -}}
{{- if .w.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range .w.topologySpreadConstraints }}
  - {{- toYaml (mergeOverwrite (dict "labelSelector" (dict "matchLabels" (include "tributary.selector" $ | fromYaml))) .) | nindent 4 }}
  {{- end }}
{{- else if .w.topologySpread.enabled }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $.w.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "tributary.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* The pod template of a workload: {root, component, w, volumes, mounts}. */ -}}
{{- define "tributary.pod" -}}
metadata:
  labels:
    {{- include "tributary.podLabels" . | nindent 4 }}
  annotations:
    kubectl.kubernetes.io/default-container: {{ .component }}
    {{- if and .root.Values.bootstrap.enabled (empty .root.Values.bootstrap.existingSecret) (has .component (list "tributary" "admin")) }}
    checksum/bootstrap: {{ include "tributary.bootstrapData" .root | sha256sum }}
    {{- end }}
    {{- if .root.Values.metrics.podAnnotations }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "9090"
    prometheus.io/path: /metrics
    {{- end }}
    {{- with mergeOverwrite (dict) (default (dict) .root.Values.commonAnnotations) (default (dict) .w.podAnnotations) }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "tributary.podBase" . | nindent 2 }}
  serviceAccountName: {{ include "tributary.serviceAccountName" . }}
  terminationGracePeriodSeconds: {{ int .w.terminationGracePeriodSeconds }}
  {{- include "tributary.topologySpread" . | nindent 2 }}
  containers:
    - name: {{ .component }}
      image: {{ include "tributary.image" . | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      command: [{{ include "tributary.command" . }}]
      ports:
        - {name: http, containerPort: 8080, protocol: TCP}
        - {name: admin, containerPort: 9090, protocol: TCP}
      env:
        {{- include "tributary.env" . | trim | nindent 8 }}
      {{- include "tributary.envFrom" . | nindent 6 }}
      startupProbe:
        {{- include "tributary.probe" (dict "path" "/startupz" "p" .w.probes.startup) | nindent 8 }}
      readinessProbe:
        {{- include "tributary.probe" (dict "path" "/readyz" "p" .w.probes.readiness) | nindent 8 }}
      livenessProbe:
        {{- include "tributary.probe" (dict "path" "/livez" "p" .w.probes.liveness) | nindent 8 }}
      {{- with int .w.shutdown.preStopSleepSeconds }}
      lifecycle:
        preStop:
          sleep: {seconds: {{ . }}}
      {{- end }}
      resources:
        {{- toYaml .w.resources | nindent 8 }}
      securityContext:
        {{- toYaml .w.securityContext | nindent 8 }}
      volumeMounts:
        {{- include "tributary.mounts" . | nindent 8 }}
        {{- with .mounts }}
        {{- . | nindent 8 }}
        {{- end }}
  volumes:
    {{- include "tributary.volumes" . | nindent 4 }}
    {{- with .volumes }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}
