{{- define "agent.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "agent.role" -}}
{{ .Values.role.existing | default .Release.Name }}
{{- end }}
