package authentication

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"
)

// ProtocolPrefix precedes a token, in base64 for URLs without padding, among the
// subprotocols of a WebSocket: browsers can't set its headers.
const ProtocolPrefix = "base64url.bearer.authorization.k8s.io."

const protocolHeader = "Sec-Websocket-Protocol"

// WebSocketToken returns the bearer token that a request for a WebSocket carries
// among its subprotocols; empty if there is none
// (k8s.io/apiserver/pkg/authentication/request/websocket upstream).
func WebSocketToken(header http.Header) (string, error) {
	token, others := "", 0
	for _, line := range header.Values(protocolHeader) {
		for protocol := range strings.SplitSeq(line, ",") {
			encoded, isToken := strings.CutPrefix(strings.TrimSpace(protocol), ProtocolPrefix)
			if !isToken {
				others++
				continue
			}
			if token != "" {
				return "", errors.New("multiple base64.bearer.authorization tokens specified")
			}
			decoded, err := base64.RawURLEncoding.DecodeString(encoded)
			if err != nil || !utf8.Valid(decoded) {
				return "", errors.New("invalid base64.bearer.authorization token encoding")
			}
			token = string(decoded)
		}
	}
	if token != "" && others == 0 { // there must be one to agree on
		return "", errors.New("missing additional subprotocol")
	}
	return token, nil
}
