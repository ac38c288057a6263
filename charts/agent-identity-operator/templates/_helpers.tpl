{{- define "operator.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "operator.name" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- /* The namespaces in which only what administrators write is looked at. */}}
{{- define "operator.incident" -}}
{{ .Values.configuration.incidentNamespace | default .Release.Namespace }}
{{- end }}

{{- /* What the schema cannot say. */}}
{{- define "operator.check" -}}
{{- if not .Values.clusterID }}{{ fail "clusterID: name this cluster in Okta, for example --set clusterID=prod-1; it must never change" }}{{ end }}
{{- if not .Values.okta.orgURL }}{{ fail "okta.orgURL: name the org, for example --set okta.orgURL=https://example.okta.com" }}{{ end }}
{{- if and .Values.clusterWide .Values.namespaces }}{{ fail "namespaces and clusterWide: choose one of them" }}{{ end }}
{{- if not (or .Values.clusterWide .Values.namespaces) }}
{{- fail "namespaces: name those that the operator serves, for example --set 'namespaces={chatbot}'; or set clusterWide=true, by which it may read all Secrets of the cluster" }}
{{- end }}
{{- range $own, $_ := include "operator.labels" . | fromYaml }}
{{- if hasKey $.Values.podLabels $own }}{{ fail (printf "podLabels: %s is the chart's own" $own) }}{{ end }}
{{- end }}
{{- if and .Values.webhook.enabled (not .Values.webhook.certManager) (not (and .Values.webhook.certificateSecret .Values.webhook.caBundle)) }}
{{- fail "webhook: without certManager name certificateSecret and caBundle" }}
{{- end }}
{{- end }}

{{- /* Nine tenths of the limit of memory, to which Go's collector keeps rather than be killed; nothing where the limit is
       written otherwise than in Mi or Gi. */}}
{{- define "operator.memory" -}}
{{- $limit := "" }}
{{- with .Values.resources }}{{ with .limits }}{{ $limit = toString .memory }}{{ end }}{{ end }}
{{- if regexMatch "^[0-9]+Mi$" $limit }}{{ div (mul (trimSuffix "Mi" $limit | int64) 9) 10 }}MiB
{{- else if regexMatch "^[0-9]+Gi$" $limit }}{{ div (mul (trimSuffix "Gi" $limit | int64) 9216) 10 }}MiB{{ end }}
{{- end }}

{{- /* The configuration file: what stands in values of their own, over the rest. */}}
{{- define "operator.configuration" -}}
{{- $c := deepCopy .Values.configuration }}
{{- $_ := set $c "apiVersion" "config.agentidentity.dev/v1alpha1" }}
{{- $_ := set $c "kind" "Configuration" }}
{{- $_ := set $c "clusterID" .Values.clusterID }}
{{- $_ := set $c "okta" (merge (dict "orgURL" .Values.okta.orgURL "credentialsDirectory" "/var/run/secrets/okta") ($c.okta | default dict)) }}
{{- if .Values.namespaces }}{{ $_ := set $c "namespaces" .Values.namespaces }}{{ end }}
{{- $manager := dict "metricsBindAddress" (ternary ":8443" "0" .Values.metrics.enabled) "healthProbeBindAddress" ":8081" "leaderElection" "Enabled" }}
{{- if .Values.webhook.enabled }}
{{- $_ := set $manager "webhookCertificatesDirectory" "/var/run/secrets/webhook" }}
{{- $_ := set $manager "webhookPort" 9443 }}
{{- end }}
{{- $_ := set $c "manager" (merge $manager ($c.manager | default dict)) }}
{{- toYaml $c }}
{{- end }}
