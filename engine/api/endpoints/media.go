package endpoints

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/codec"
)

const (
	mediaJSON = "application/json"
	mediaYAML = "application/yaml"
	// mediaProtobuf is what typed clients send, kubectl's among them. They
	// accept JSON in return.
	mediaProtobuf = "application/vnd.kubernetes.protobuf"
)

// served are the formats of answers, as errors list them. Clients that would
// rather have protobuf or CBOR accept one of these too.
var served = []string{mediaJSON, mediaYAML}

// media is the form in which a client wants its answer.
type media struct {
	yaml, pretty bool
	// as is the kind into which objects are to be transformed: Table,
	// PartialObjectMetadata, PartialObjectMetadataList or, in discovery,
	// APIGroupDiscoveryList; empty for none.
	as schema.GroupVersionKind
}

func (m media) contentType() string {
	if m.yaml {
		return mediaYAML
	}
	return mediaJSON
}

// clause is one entry of an Accept header.
type clause struct {
	kind       string // "application/json"
	parameters map[string]string
	quality    float64
}

func parseAccept(header string) []clause {
	var clauses []clause
	for entry := range strings.SplitSeq(header, ",") {
		parts := strings.Split(entry, ";")
		c := clause{kind: strings.ToLower(strings.TrimSpace(parts[0])), quality: 1, parameters: map[string]string{}}
		for _, parameter := range parts[1:] {
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			if name == "q" {
				if quality, err := strconv.ParseFloat(value, 64); err == nil {
					c.quality = quality
				}
				continue
			}
			c.parameters[name] = strings.Trim(value, `"`)
		}
		if c.kind != "" {
			clauses = append(clauses, c)
		}
	}
	slices.SortStableFunc(clauses, func(a, b clause) int {
		switch {
		case a.quality > b.quality:
			return -1
		case a.quality < b.quality:
			return 1
		}
		return 0
	})
	return clauses
}

// negotiate chooses the first form that the client accepts and allowed, which
// judges transformations, can give.
func negotiate(r *http.Request, allowed func(as schema.GroupVersionKind) bool) (media, error) {
	pretty := wantsPretty(r)
	header := strings.Join(r.Header.Values("Accept"), ",")
	if header == "" {
		return media{pretty: pretty}, nil
	}
	for _, c := range parseAccept(header) {
		m := media{pretty: pretty}
		switch c.kind {
		case mediaJSON, "application/*", "*/*":
		case mediaYAML:
			m.yaml = true
		default:
			continue
		}
		m.as = schema.GroupVersionKind{Group: c.parameters["g"], Version: c.parameters["v"], Kind: c.parameters["as"]}
		if !m.as.Empty() && !allowed(m.as) {
			continue
		}
		if stream, set := c.parameters["stream"]; set && stream != "watch" {
			continue
		}
		if c.parameters["pretty"] == "1" {
			m.pretty = true
		}
		return m, nil
	}
	return media{pretty: pretty}, failure(http.StatusNotAcceptable, metav1.StatusReasonNotAcceptable,
		"only the following media types are accepted: "+strings.Join(served, ", "))
}

// wantsPretty: people read what browsers and command line tools get.
func wantsPretty(r *http.Request) bool {
	if strings.Contains(r.URL.RawQuery, "pretty") {
		if value := r.URL.Query().Get("pretty"); value != "" {
			pretty, _ := strconv.ParseBool(value)
			return pretty
		}
	}
	agent := r.UserAgent()
	return strings.HasPrefix(agent, "curl") || strings.HasPrefix(agent, "Wget") || strings.HasPrefix(agent, "Mozilla/5.0")
}

// transformations of resources that clients may ask for.
func transformable(as schema.GroupVersionKind) bool {
	switch as.Kind {
	case "Table", "PartialObjectMetadata", "PartialObjectMetadataList":
		return as.Group == metav1.GroupName && (as.Version == "v1" || as.Version == "v1beta1")
	}
	return false
}

func nothing(schema.GroupVersionKind) bool { return false }

// bodyFormat reads the Content-Type of a request whose body is an object.
func bodyFormat(r *http.Request) (codec.Format, error) {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "", mediaJSON:
		return codec.JSON, nil
	case mediaYAML:
		return codec.YAML, nil
	case mediaProtobuf:
		return codec.Protobuf, nil
	}
	return 0, unsupportedMedia([]string{mediaJSON, mediaYAML, mediaProtobuf})
}

func unsupportedMedia(accepted []string) error {
	return failure(http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType,
		"the body of the request was in an unknown format - accepted media types include: "+strings.Join(accepted, ", "))
}
