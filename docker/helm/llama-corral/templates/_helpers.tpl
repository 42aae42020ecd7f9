{{- define "llama-corral.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of all objects, short enough for suffixes. */}}
{{- define "llama-corral.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $both := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $both .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "llama-corral.selector" -}}
app.kubernetes.io/name: {{ include "llama-corral.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "llama-corral.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "llama-corral.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "llama-corral.image" -}}
{{- $build := ternary "cuda" "cpu" (gt (int .Values.gpu.count) 0) }}
{{- $tag := default (printf "%s-%s" .Chart.AppVersion $build) .Values.image.tag }}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end }}
{{- end }}

{{- define "llama-corral.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "llama-corral.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The Secret with the key file; empty where that lies on the volume of data. */}}
{{- define "llama-corral.keysSecret" -}}
{{- if .Values.keys.enabled }}
{{- if .Values.keys.existingSecret }}
{{- .Values.keys.existingSecret }}
{{- else if .Values.keys.content }}
{{- printf "%s-keys" (include "llama-corral.fullname" .) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A number without an exponent, or `auto`. */}}
{{- define "llama-corral.numberOrAuto" -}}
{{ ternary "auto" (int64 . | toString) (eq (toString .) "auto") | quote }}
{{- end }}

{{/* How many pods there may be. */}}
{{- define "llama-corral.mostPods" -}}
{{- if .Values.autoscaling.enabled }}
{{- int .Values.autoscaling.maxReplicas }}
{{- else if .Values.scaleToZero.enabled }}
{{- 1 }}
{{- else }}
{{- int .Values.replicas }}
{{- end }}
{{- end }}

{{/*
What says that a pod takes requests. A single one always does: while its engine restarts, they wait in the gateway's line, which is better
than the 503 of an ingress without a pod. Of several, one whose model is away leaves its clients to the others.
*/}}
{{- define "llama-corral.readiness" -}}
{{ ternary "/readyz" "/livez" (gt (int (include "llama-corral.mostPods" .)) 1) }}
{{- end }}

{{/* Whether something scales the pods; empty: no. */}}
{{- define "llama-corral.isScaled" -}}
{{- if or .Values.autoscaling.enabled .Values.scaleToZero.enabled }}yes{{ end }}
{{- end }}

{{/* What llama-server downloads; empty where the models lie on the volume. */}}
{{- define "llama-corral.download" -}}
{{- if .Values.models.list }}
{{- range .Values.models.list }}{{ default (get . "url") (get . "hf") }}{{ end }}
{{- else }}
{{- if not .Values.model.file }}{{ default .Values.model.huggingFace .Values.model.url }}{{ end }}
{{- end }}
{{- end }}

{{/* The Service that proxies send clients to: ours, or the HTTP add-on's where there may be no pod. */}}
{{- define "llama-corral.front" -}}
{{- if .Values.scaleToZero.enabled -}}
name: {{ include "llama-corral.fullname" . }}-interceptor
port: 8080
{{- else -}}
name: {{ include "llama-corral.fullname" . }}
port: {{ int .Values.service.port }}
{{- end }}
{{- end }}

{{/* The names by which clients call. */}}
{{- define "llama-corral.hosts" -}}
{{- $hosts := .Values.scaleToZero.hosts }}
{{- if .Values.ingress.enabled }}{{ $hosts = append $hosts .Values.ingress.host }}{{ end }}
{{- if .Values.traefik.enabled }}{{ $hosts = append $hosts .Values.traefik.host }}{{ end }}
{{- toYaml (uniq $hosts) }}
{{- end }}

{{/* Mistakes that a schema cannot see. */}}
{{- define "llama-corral.check" -}}
{{- if not .Values.image.repository }}
{{- fail "no image is named: build one, push it to your registry, and set image.repository (registry.example.com/llama-corral)" }}
{{- end }}
{{- $several := gt (int (include "llama-corral.mostPods" .)) 1 }}
{{- if and $several .Values.data.persistence.enabled }}
{{- fail "data.persistence belongs to one pod: set data.persistence.enabled=false for several" }}
{{- end }}
{{- $store := lower (toString (get .Values.settings "STORE")) }}
{{- if and (has $store (list "on" "true" "yes" "1")) (not .Values.data.persistence.enabled) }}
{{- fail "the store is on the volume of data, and each pod would have one of its own: set data.persistence.enabled=true, or settings.STORE=off" }}
{{- end }}
{{- if and $several .Values.keys.enabled (not (include "llama-corral.keysSecret" .)) }}
{{- fail "several pods need one key file: set keys.existingSecret or keys.content" }}
{{- end }}
{{- if and .Values.models.aliases (not .Values.models.list) }}
{{- fail "models.aliases has names of models that models.list does not have: set models.list" }}
{{- end }}
{{- if not (or .Values.models.list .Values.model.file .Values.model.url .Values.model.huggingFace) }}
{{- fail "no model is named: set model.huggingFace, model.url, model.file or models.list" }}
{{- end }}
{{- if and .Values.scaleToZero.enabled (not (or .Values.scaleToZero.hosts .Values.ingress.enabled .Values.traefik.enabled)) }}
{{- fail "the HTTP add-on selects the deployment by host: set scaleToZero.hosts" }}
{{- end }}
{{- if and .Values.scaleToZero.enabled .Values.autoscaling.enabled (eq .Values.scaleToZero.api "HTTPScaledObject") }}
{{- fail "an HTTPScaledObject scales alone: set autoscaling.enabled=false, or scaleToZero.api=InterceptorRoute" }}
{{- end }}
{{- end }}
