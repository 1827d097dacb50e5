package admin

import (
	"time"

	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
)

// overlap is how long a secret that is replaced now is accepted.
func overlap(d *directory.Channel) time.Duration {
	if d.Overlap == nil {
		return directory.SecretOverlap
	}
	return time.Duration(*d.Overlap) * time.Minute
}

// expire lets no replaced secret outlive the overlap, counted from now on, and takes away those that have expired.
func expire(d *directory.Channel, now event.Time) {
	for key, values := range d.Sealed {
		if len(values) < 2 {
			continue
		}
		until := d.ValidUntil(key)
		if last := now.Add(overlap(d)); until.After(last) {
			until = last
		}
		keepUntil(d, key, until)
		if !until.After(now) {
			d.Sealed[key] = values[:1]
			delete(d.Previous, key)
		}
	}
}

func keepUntil(d *directory.Channel, key string, until event.Time) {
	if d.Previous == nil {
		d.Previous = map[string]event.Time{}
	}
	d.Previous[key] = until
}

// previousSecrets says of the secrets that were replaced until when the value before is accepted.
func previousSecrets(d *directory.Channel, now event.Time) map[string]any {
	out := map[string]any{}
	for key, values := range d.Sealed {
		if until := d.ValidUntil(key); len(values) > 1 && until.After(now) {
			out[key] = map[string]any{"valid_until": until}
		}
	}
	return out
}
