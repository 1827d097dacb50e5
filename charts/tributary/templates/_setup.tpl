{{- /* The pod of the setup Job: {root, component, w, steps}; a step is the arguments of the binary. */ -}}
{{- define "tributary.setupContainer" -}}
- name: {{ .step | first }}-{{ index .step 1 }}
  image: {{ include "tributary.image" . | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: [/usr/local/bin/tributary]
  args: {{ toJson .step }}
  env:
    {{- include "tributary.plain" (dict "name" "TRIBUTARY_DATA_DIR" "value" "/tmp/data") | nindent 4 }}
    {{- include "tributary.plain" (dict "name" "TRIBUTARY_KAFKA_REPLICAS" "value" (int .root.Values.kafka.replicas)) | nindent 4 }}
    {{- include "tributary.servers" .root | trim | nindent 4 }}
    {{- include "tributary.config" .root.Values.config | nindent 4 }}
    {{- include "tributary.extraEnv" .w.env | nindent 4 }}
  {{- include "tributary.envFrom" . | nindent 2 }}
  resources:
    {{- toYaml .w.resources | nindent 4 }}
  securityContext:
    {{- toYaml .w.securityContext | nindent 4 }}
  volumeMounts:
    {{- include "tributary.mounts" . | nindent 4 }}
{{- end }}
{{- define "tributary.setupPod" -}}
metadata:
  labels:
    {{- include "tributary.podLabels" . | nindent 4 }}
  {{- with .w.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "tributary.podBase" . | nindent 2 }}
  serviceAccountName: {{ include "tributary.serviceAccountName" . }}
  restartPolicy: Never
  initContainers:
    {{- range initial .steps }}
    {{- include "tributary.setupContainer" (merge (dict "step" .) $) | nindent 4 }}
    {{- end }}
  containers:
    {{- include "tributary.setupContainer" (merge (dict "step" (last .steps)) .) | nindent 4 }}
  volumes:
    {{- include "tributary.volumes" . | nindent 4 }}
{{- end }}
