{{- define "shop.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "shop.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kafka-shop
{{ include "shop.selector" . }}
{{- end }}

{{- define "shop.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "shop.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "shop.secret" -}}
{{ .Values.secret.existing | default (include "shop.fullname" .) }}
{{- end }}

{{/* The groups of services that share a web, a relay and a database: [{prefix, services}]. */}}
{{- define "shop.rooms" -}}
{{- if .Values.apart }}
{{- range list "orders" "billing" "notify" }}
- {prefix: {{ . }}-, services: [{{ . }}]}
{{- end }}
{{- else }}
- {prefix: "", services: [orders, billing, notify]}
{{- end }}
{{- end }}

{{/* The prefix of the room that a service is in. */}}
{{- define "shop.prefixOf" -}}
{{ if .root.Values.apart }}{{ .service }}-{{ end }}
{{- end }}

{{/* The address of a service's web within the cluster. */}}
{{- define "shop.url" -}}
http://{{ include "shop.fullname" .root }}-{{ include "shop.prefixOf" . }}web:{{ .root.Values.service.port }}
{{- end }}

{{/* A pod of the shop. Takes root, role, services, command, container (further YAML of the container), init (further init containers). */}}
{{- define "shop.pod" -}}
{{- $root := .root }}
metadata:
  labels:
    {{- include "shop.selector" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
  annotations:
    checksum/settings: {{ include (print $root.Template.BasePath "/configmap.yaml") $root | sha256sum }}
    {{- with $root.Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds }}
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with $root.Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile: {type: RuntimeDefault}
  {{- if .waits }}
  initContainers:
    - name: wait-for-migrations
      command: [python, manage.py, migrate_all, --wait, "600"]
      {{- include "shop.container" . | nindent 6 }}
      resources:
        requests: {cpu: 50m, memory: 128Mi}
        limits: {memory: 256Mi}
  {{- end }}
  containers:
    - name: {{ .role | trunc 63 }}
      command: {{ toJson .command }}
      {{- include "shop.container" . | nindent 6 }}
      resources: {{ toYaml .resources | nindent 8 }}
      {{- with .container }}
      {{- . | nindent 6 }}
      {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 64Mi}
  {{- if .spread }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "shop.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ .role }}
  {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* What every container of the shop has. */}}
{{- define "shop.container" -}}
image: {{ include "shop.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
env:
  - {name: SERVICES, value: {{ join "," .services | quote }}}
  {{- if hasSuffix "web" .role }}
  - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
  - {name: ALLOWED_HOSTS, value: {{ printf "%s,$(POD_IP)" (include "shop.hosts" .root) | quote }}} # whoever scrapes calls the pod by its address
  {{- end }}
envFrom:
  - configMapRef: {name: {{ include "shop.fullname" .root }}}
  - secretRef: {name: {{ include "shop.secret" .root }}}
  {{- if .root.Values.apart }}
  {{- range .services }}
  {{- with index $.root.Values.secret.existingOf . }}
  - secretRef: {name: {{ . }}}
  {{- end }}
  {{- end }}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{/* The host names that the web answers to. */}}
{{- define "shop.hosts" -}}
{{- $hosts := list "localhost" }}
{{- range include "shop.rooms" . | fromYamlArray }}
{{- $hosts = append $hosts (printf "%s-%sweb" (include "shop.fullname" $) .prefix) }}
{{- end }}
{{- if .Values.ingress.enabled }}{{ $hosts = append $hosts .Values.ingress.host }}{{ end }}
{{- if .Values.httpRoute.enabled }}{{ $hosts = concat $hosts .Values.httpRoute.hostnames }}{{ end }}
{{- .Values.settings.ALLOWED_HOSTS | default (join "," $hosts) }}
{{- end }}

{{/* The probes of a process without a port: its loop touches a file, and the command looks at it. */}}
{{- define "shop.heartbeat" -}}
startupProbe:
  exec: {command: {{ toJson .check }}}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  exec: {command: {{ toJson .check }}}
  periodSeconds: 15
  timeoutSeconds: 10
  failureThreshold: 4
ports:
  - {name: metrics, containerPort: {{ .root.Values.metrics.port }}}
{{- end }}
