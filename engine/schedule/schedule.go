// Package schedule reads the schedules of CronJobs: five fields or a name such
// as "@daily", in a time zone. The zones are bundled, since a browser has none.
package schedule

import (
	"fmt"
	"time"
	_ "time/tzdata" // about 50 KB of the engine's compressed WebAssembly

	"github.com/robfig/cron/v3"
)

// Parse reads a schedule, which may begin with "TZ=Zone ". Without that, times
// are in the zone of the time that Next is asked about.
func Parse(text string) (schedule cron.Schedule, err error) {
	defer func() {
		if cause := recover(); cause != nil { // as for "TZ=0"
			schedule, err = nil, fmt.Errorf("invalid schedule format: %v", cause)
		}
	}()
	return cron.ParseStandard(text)
}

// Location finds a time zone by its name in the IANA database.
func Location(name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %s", name)
	}
	return location, nil
}
