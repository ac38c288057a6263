package format

// document is what of OCSF we write. The names are the schema's.
type document struct {
	ClassUID     int          `json:"class_uid"`
	CategoryUID  int          `json:"category_uid"`
	ActivityID   int          `json:"activity_id"`
	ActivityName string       `json:"activity_name,omitempty"`
	TypeUID      int          `json:"type_uid"`
	Time         int64        `json:"time"`
	SeverityID   int          `json:"severity_id"`
	Severity     string       `json:"severity,omitempty"`
	StatusID     int          `json:"status_id"`
	Status       string       `json:"status,omitempty"`
	StatusCode   string       `json:"status_code,omitempty"`
	StatusDetail string       `json:"status_detail,omitempty"`
	Message      string       `json:"message,omitempty"`
	Metadata     metadata     `json:"metadata"`
	Actor        *actor       `json:"actor,omitempty"`
	User         *user        `json:"user,omitempty"`
	Group        *group       `json:"group,omitempty"`
	Entity       *entity      `json:"entity,omitempty"`
	Service      *service     `json:"service,omitempty"`
	Session      *session     `json:"session,omitempty"`
	Privileges   *[]string    `json:"privileges,omitempty"`
	API          *api         `json:"api,omitempty"`
	Resources    []resource   `json:"resources,omitempty"`
	Source       *endpoint    `json:"src_endpoint,omitempty"`
	HTTPRequest  *httpRequest `json:"http_request,omitempty"`
	FindingInfo  *findingInfo `json:"finding_info,omitempty"`
	Evidences    []evidence   `json:"evidences,omitempty"`
	Enrichments  []enrichment `json:"enrichments,omitempty"`
	Unmapped     unmapped     `json:"unmapped"`
	RawData      string       `json:"raw_data"`
}

type metadata struct {
	Version        string  `json:"version"`
	Product        product `json:"product"`
	UID            string  `json:"uid"`
	EventCode      string  `json:"event_code"`
	CorrelationUID string  `json:"correlation_uid,omitempty"`
	TenantUID      string  `json:"tenant_uid,omitempty"`
	OriginalTime   string  `json:"original_time,omitempty"`
	LogName        string  `json:"log_name"`
	LogProvider    string  `json:"log_provider"`
}

type product struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
}

type actor struct {
	User    *user    `json:"user"`
	Session *session `json:"session,omitempty"`
}

type user struct {
	UID      string `json:"uid,omitempty"`
	Name     string `json:"name,omitempty"`
	FullName string `json:"full_name,omitempty"`
	Email    string `json:"email_addr,omitempty"`
	Type     string `json:"type,omitempty"`
	TypeID   int    `json:"type_id"`
}

type session struct {
	UID string `json:"uid"`
}

type group struct {
	UID  string `json:"uid,omitempty"`
	Name string `json:"name,omitempty"`
}

type service struct {
	UID  string `json:"uid,omitempty"`
	Name string `json:"name,omitempty"`
}

type entity struct {
	UID  string `json:"uid,omitempty"`
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
}

type resource struct {
	UID  string `json:"uid,omitempty"`
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
}

type api struct {
	Operation string `json:"operation"`
}

type endpoint struct {
	IP       string            `json:"ip,omitempty"`
	UID      string            `json:"uid,omitempty"`
	Name     string            `json:"name,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	Provider string            `json:"isp,omitempty"`
	System   *autonomousSystem `json:"autonomous_system,omitempty"`
	Location *location         `json:"location,omitempty"`
}

type autonomousSystem struct {
	Number int    `json:"number"`
	Name   string `json:"name,omitempty"`
}

type location struct {
	City        string `json:"city,omitempty"`
	Region      string `json:"region,omitempty"`
	Country     string `json:"country,omitempty"`
	Description string `json:"desc,omitempty"`
}

type httpRequest struct {
	UserAgent string   `json:"user_agent,omitempty"`
	URL       *address `json:"url,omitempty"`
}

type address struct {
	Path string `json:"path"`
}

type findingInfo struct {
	UID   string   `json:"uid"`
	Title string   `json:"title"`
	Types []string `json:"types"`
}

type evidence struct {
	Actor       *actor       `json:"actor"`
	Source      *endpoint    `json:"src_endpoint,omitempty"`
	HTTPRequest *httpRequest `json:"http_request,omitempty"`
}

type enrichment struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Type     string `json:"type"`
	Provider string `json:"provider"`
	Data     any    `json:"data"`
}

// unmapped is what OCSF has no name for.
type unmapped struct {
	Category string `json:"category"`
	Cluster  string `json:"cluster"`
	Source   string `json:"source"`
}
