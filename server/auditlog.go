package server

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"tidepool.dev/tidepool/server/audit"
)

// withAudit has the requests to an API logged as the configuration wants it; end
// is to be called when there are no more.
func withAudit(api http.Handler, config Config) (audited http.Handler, end func(), err error) {
	out, end := config.Out, func() {}
	switch config.AuditLog {
	case "":
		return audit.Identify(api), end, nil
	case "-":
	default:
		file, err := os.OpenFile(config.AuditLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, fmt.Errorf("the audit log can't be written: %w (choose another file with --audit-log)", err)
		}
		out, end = file, func() {
			if err := file.Close(); err != nil {
				config.Log.Error("closing the audit log", "error", err)
			}
		}
	}
	log := audit.New(out, time.Now, func(err error) { config.Log.Error("an audit event could not be written", "error", err) })
	return log.Handler(api), end, nil
}
