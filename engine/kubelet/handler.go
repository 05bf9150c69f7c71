package kubelet

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// httpGet is the request that a probe or hook describes.
func (w *worker) httpGet(c *container, action *corev1.HTTPGetAction) (HTTPGet, error) {
	port, err := resolvePort(c.spec, action.Port)
	if err != nil {
		return HTTPGet{}, err
	}
	host := action.Host
	if host == "" {
		host = w.podIP()
	}
	path := action.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return HTTPGet{
		Scheme:  strings.ToLower(string(action.Scheme)),
		Host:    host,
		Port:    port,
		Path:    path,
		Headers: action.HTTPHeaders,
	}, nil
}

// resolvePort finds a port that is given by number or by name.
func resolvePort(c *corev1.Container, port intstr.IntOrString) (int, error) {
	number := port.IntValue()
	if port.Type == intstr.String {
		found := false
		for i := range c.Ports {
			if c.Ports[i].Name == port.StrVal {
				number, found = int(c.Ports[i].ContainerPort), true
			}
		}
		if !found {
			parsed, err := strconv.Atoi(port.StrVal)
			if err != nil {
				return 0, fmt.Errorf("invalid port %q: strconv.Atoi: parsing %q: invalid syntax", port.StrVal, port.StrVal)
			}
			number = parsed
		}
	}
	if number <= 0 || number > 65535 {
		return 0, fmt.Errorf("invalid port number: %v", number)
	}
	return number, nil
}

func commandLine(command []string) string { return strings.Join(command, " ") }
