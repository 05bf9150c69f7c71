package schedule_test

import (
	"testing"
	"time"

	"tidepool.dev/tidepool/engine/schedule"
)

func TestNext(t *testing.T) {
	from := time.Date(2026, 3, 28, 12, 30, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"*/5 * * * *":                   "2026-03-28T12:35:00Z",
		"0 0 1 1 *":                     "2027-01-01T00:00:00Z",
		"@hourly":                       "2026-03-28T13:00:00Z",
		"TZ=Europe/Berlin 30 2 * * *":   "2026-03-30T00:30:00Z", // 2:30 does not exist on the 29th
		"TZ=America/New_York 0 9 * * *": "2026-03-28T13:00:00Z",
		"TZ=Asia/Kolkata 0 0 * * *":     "2026-03-28T18:30:00Z",
		"30 12 29 2 *":                  "2028-02-29T12:30:00Z",
		"0 12 * * MON-FRI":              "2026-03-30T12:00:00Z",
	} {
		parsed, err := schedule.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := parsed.Next(from).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: next is %s, want %s", text, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"every day":       "expected exactly 5 fields, found 2: [every day]",
		"61 * * * *":      "end of range (61) above maximum (59): 61",
		"TZ=0":            "invalid schedule format: runtime error: slice bounds out of range [:-1]",
		"@sometimes":      "unrecognized descriptor: @sometimes",
		"TZ=Mars * * * *": "provided bad location Mars: unknown time zone Mars",
	} {
		if _, err := schedule.Parse(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := schedule.Location("Mars/North"); err == nil || err.Error() != "unknown time zone Mars/North" {
		t.Error(err)
	}
}
