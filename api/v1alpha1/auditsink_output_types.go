package v1alpha1

// OutputType is a kind of receiver.
//
// +kubebuilder:validation:Enum=OTLP;HTTP;SplunkHEC;Kafka
type OutputType string

// The kinds of receivers.
const (
	OutputOTLP      OutputType = "OTLP"
	OutputHTTP      OutputType = "HTTP"
	OutputSplunkHEC OutputType = "SplunkHEC"
	OutputKafka     OutputType = "Kafka"
)

// AuditOutput is the receiver.
//
// +union
// +kubebuilder:validation:XValidation:rule="self.type == 'OTLP' ? has(self.otlp) : !has(self.otlp)",message="output.otlp is required when output.type is OTLP, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="self.type == 'HTTP' ? has(self.http) : !has(self.http)",message="output.http is required when output.type is HTTP, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="self.type == 'SplunkHEC' ? has(self.splunkHEC) : !has(self.splunkHEC)",message="output.splunkHEC is required when output.type is SplunkHEC, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="self.type == 'Kafka' ? has(self.kafka) : !has(self.kafka)",message="output.kafka is required when output.type is Kafka, and forbidden otherwise"
type AuditOutput struct {
	// type is OTLP, HTTP, SplunkHEC or Kafka.
	// +unionDiscriminator
	// +required
	Type OutputType `json:"type,omitempty"`

	// otlp sends log records of OpenTelemetry.
	// +optional
	OTLP *OTLPOutput `json:"otlp,omitempty"`

	// http posts batches of JSON.
	// +optional
	HTTP *HTTPOutput `json:"http,omitempty"`

	// splunkHEC sends to a Splunk HTTP Event Collector.
	// +optional
	SplunkHEC *SplunkHECOutput `json:"splunkHEC,omitempty"`

	// kafka produces to a topic.
	// +optional
	Kafka *KafkaOutput `json:"kafka,omitempty"`

	// tls says whom to trust; the authorities of the operator's image when absent.
	// Certificates are always verified.
	// +optional
	TLS *OutputTLS `json:"tls,omitempty"`
}

// Endpoint is an https URL.
//
// +kubebuilder:validation:MinLength=9
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() == 'https' && url(self).getHostname().size() > 0",message="endpoint must be an https URL with a host, such as https://collector.example.com:4318"
// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="endpoint must have no user, query or fragment: put credentials into a Secret and reference it"
type Endpoint string

// OutputTLS says whom to trust, and who we are.
//
// +kubebuilder:validation:MinProperties=1
type OutputTLS struct {
	// ca holds the certificate authorities to trust, as PEM, instead of those of
	// the operator's image.
	// +optional
	CA *CABundleReference `json:"ca,omitempty"`

	// clientCertificate names a Secret of type kubernetes.io/tls in the sink's
	// namespace, shown to receivers that ask for it.
	// +optional
	ClientCertificate *SecretReference `json:"clientCertificate,omitempty"`
}

// CABundleReference points at certificate authorities in the sink's namespace.
type CABundleReference struct {
	// kind of the object: ConfigMap or Secret.
	// +required
	// +kubebuilder:validation:Enum=ConfigMap;Secret
	Kind string `json:"kind,omitempty"`

	// name of the object.
	// +required
	Name ObjectName `json:"name,omitempty"`

	// key under which the bundle stands; ca.crt when absent.
	// +optional
	// +default="ca.crt"
	Key DataKey `json:"key,omitempty"`
}

// SecretReference points at a Secret in the namespace of the object that names it. One that
// an AuditSink names has the label agentidentity.dev/audit-output: "true".
type SecretReference struct {
	// name of the Secret.
	// +required
	Name ObjectName `json:"name,omitempty"`
}

// SecretKeyReference points at one value of a Secret in the sink's namespace, which has the
// label agentidentity.dev/audit-output: "true".
type SecretKeyReference struct {
	// name of the Secret.
	// +required
	Name ObjectName `json:"name,omitempty"`

	// key of the value in the Secret.
	// +required
	Key DataKey `json:"key,omitempty"`
}

// DataKey is a key of a Secret or ConfigMap.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
type DataKey string

// OTLPOutput sends log records of OpenTelemetry.
type OTLPOutput struct {
	// endpoint of the receiver, without /v1/logs.
	// +required
	Endpoint Endpoint `json:"endpoint,omitempty"`

	// protocol is HTTP (protobuf over HTTP, the default) or GRPC.
	// +optional
	// +default="HTTP"
	Protocol OTLPProtocol `json:"protocol,omitempty"`

	// headers are sent with each request, for example for authentication.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Headers []SecretHeader `json:"headers,omitempty"`
}

// OTLPProtocol is a transport of OTLP.
//
// +kubebuilder:validation:Enum=HTTP;GRPC
type OTLPProtocol string

// The transports.
const (
	OTLPProtocolHTTP OTLPProtocol = "HTTP"
	OTLPProtocolGRPC OTLPProtocol = "GRPC"
)

// SecretHeader is a header whose value is in a Secret.
type SecretHeader struct {
	// name of the header, in small letters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9][a-z0-9-]*$')",message="a header's name is in small letters, digits and hyphens"
	// +kubebuilder:validation:XValidation:rule="!(self in ['host','content-length','content-type','content-encoding','transfer-encoding','connection','te','trailer','upgrade'])",message="this header is set by the operator itself: remove it"
	Name string `json:"name,omitempty"`

	// value of the header, in a Secret.
	// +required
	Value SecretKeyReference `json:"value,omitzero"`
}

// HTTPOutput posts batches of JSON.
type HTTPOutput struct {
	// endpoint the batches are posted to.
	// +required
	Endpoint Endpoint `json:"endpoint,omitempty"`

	// headers are sent with each request, for example for authentication.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Headers []SecretHeader `json:"headers,omitempty"`

	// signingKey signs each request (HMAC-SHA256 over time and body), so that the
	// receiver knows who sent it; nothing is signed when absent.
	// +optional
	SigningKey *SecretKeyReference `json:"signingKey,omitempty"`

	// maxEvents of one request; 500 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxEvents *int32 `json:"maxEvents,omitempty"`
}

// SplunkHECOutput sends to a Splunk HTTP Event Collector.
type SplunkHECOutput struct {
	// endpoint of the collector, without /services/collector.
	// +required
	Endpoint Endpoint `json:"endpoint,omitempty"`

	// token of the collector.
	// +required
	Token SecretKeyReference `json:"token,omitzero"`

	// index the events go to; the token's own when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	// +kubebuilder:validation:Pattern=`^[a-z0-9_][a-z0-9_-]*$`
	Index string `json:"index,omitempty"`

	// acknowledgement says whether an event counts as delivered only when the
	// indexer acknowledges it (Required, the default) or once it is accepted
	// (Optional).
	// +optional
	Acknowledgement Requirement `json:"acknowledgement,omitempty"`
}

// KafkaOutput produces to a topic, over TLS, idempotently and with all replicas'
// acknowledgement.
type KafkaOutput struct {
	// brokers to begin with, as host:port.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Brokers []KafkaBroker `json:"brokers,omitempty"`

	// topic the events go to. It must exist.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9._-]+$`
	Topic string `json:"topic,omitempty"`

	// sasl says who we are; a TLS client certificate or nothing when absent.
	// +optional
	SASL *KafkaSASL `json:"sasl,omitempty"`
}

// KafkaBroker is host:port.
//
// +kubebuilder:validation:MinLength=3
// +kubebuilder:validation:MaxLength=261
// +kubebuilder:validation:XValidation:rule="self.matches('^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|\\\\[[0-9a-fA-F:.]+\\\\]):[0-9]{1,5}$')",message="a broker is host:port, without a scheme, such as kafka.example.com:9093"
type KafkaBroker string

// KafkaSASL says who we are.
type KafkaSASL struct {
	// mechanism is Plain, SCRAMSHA256 or SCRAMSHA512.
	// +required
	// +kubebuilder:validation:Enum=Plain;SCRAMSHA256;SCRAMSHA512
	Mechanism string `json:"mechanism,omitempty"`

	// username stands in a Secret.
	// +required
	Username SecretKeyReference `json:"username,omitzero"`

	// password stands in a Secret.
	// +required
	Password SecretKeyReference `json:"password,omitzero"`
}
