package event

import (
	"fmt"
	"time"
)

// Layout is how every time of the gateway is written: UTC, always three decimals, so that texts sort like times.
const Layout = "2006-01-02T15:04:05.000Z"

// Time is a moment with millisecond precision. It is the only representation of time in events, documents and API
// answers. The zero value is written as null and, with omitzero, left out.
type Time struct{ time.Time }

// At cuts t to milliseconds, in UTC. A year that RFC 3339 cannot write (before 0, after 9999) is no time: whoever reads
// the event could not read it.
func At(t time.Time) Time {
	t = t.UTC()
	if y := t.Year(); t.IsZero() || y < 0 || y > 9999 {
		return Time{}
	}
	return Time{t.Truncate(time.Millisecond)}
}

// Unix reads a provider's timestamp: at least 1e12 is milliseconds, less is seconds, zero or less is no time, nor is
// what [At] takes for none.
func Unix(n int64) Time {
	switch {
	case n <= 0:
		return Time{}
	case n >= 1e12:
		return At(time.UnixMilli(n))
	}
	return At(time.Unix(n, 0))
}

// String returns the time in [Layout], or "" for the zero time.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(Layout)
}

// Add returns t+d.
func (t Time) Add(d time.Duration) Time { return At(t.Time.Add(d)) }

// Before reports whether t is before u.
func (t Time) Before(u Time) bool { return t.Time.Before(u.Time) }

// After reports whether t is after u.
func (t Time) After(u Time) bool { return t.Time.After(u.Time) }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	b := make([]byte, 0, len(Layout)+2)
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, Layout)
	return append(b, '"'), nil
}

// UnmarshalJSON implements json.Unmarshaler. It takes any RFC 3339 time, and null.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = Time{}
		return nil
	}
	if len(b) < 2 || b[0] != '"' {
		return fmt.Errorf("time: want an RFC 3339 text, got %.40s", b)
	}
	u, err := time.Parse(time.RFC3339Nano, string(b[1:len(b)-1]))
	if err != nil {
		return fmt.Errorf("time: %w", err)
	}
	*t = At(u)
	return nil
}
