package serviceaccount

const legacyIssuer = "kubernetes/serviceaccount"

// claims are what a token says, in the order in which Kubernetes writes them;
// of a bound token the upper ones, of one in a Secret those that begin with
// Legacy, and issuer and subject.
type claims struct {
	Audience         []string    `json:"aud,omitempty"`
	Expiry           int64       `json:"exp,omitempty"`
	IssuedAt         int64       `json:"iat,omitempty"`
	Issuer           string      `json:"iss"`
	ID               string      `json:"jti,omitempty"`
	Kubernetes       *kubernetes `json:"kubernetes.io,omitempty"`
	LegacyNamespace  string      `json:"kubernetes.io/serviceaccount/namespace,omitempty"`
	LegacySecret     string      `json:"kubernetes.io/serviceaccount/secret.name,omitempty"`
	LegacyAccount    string      `json:"kubernetes.io/serviceaccount/service-account.name,omitempty"`
	LegacyAccountUID string      `json:"kubernetes.io/serviceaccount/service-account.uid,omitempty"`
	NotBefore        int64       `json:"nbf,omitempty"`
	Subject          string      `json:"sub"`
}

// kubernetes is what a token is bound to.
type kubernetes struct {
	Namespace string     `json:"namespace"`
	Node      *reference `json:"node,omitempty"`
	Pod       *reference `json:"pod,omitempty"`
	Secret    *reference `json:"secret,omitempty"`
	Account   reference  `json:"serviceaccount"`
	// WarnAfter is when a client should have got a new token.
	WarnAfter int64 `json:"warnafter,omitempty"`
}

type reference struct {
	Name string `json:"name"`
	UID  string `json:"uid,omitempty"`
}
