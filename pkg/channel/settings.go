package channel

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Settings are the plain fields of a channel as they came over the API.
type Settings map[string]any

// Text returns the text at a dotted path ("imap.host"), or "".
func (s Settings) Text(path string) string {
	switch v := s.at(path).(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

// Bool returns the boolean at a dotted path, or false.
func (s Settings) Bool(path string) bool { b, _ := s.at(path).(bool); return b }

// List returns the texts of the array at a dotted path.
func (s Settings) List(path string) []string {
	vs, _ := s.at(path).([]any)
	out := make([]string, 0, len(vs))
	for _, v := range vs {
		if t, ok := v.(string); ok {
			out = append(out, t)
		}
	}
	return out
}

func (s Settings) at(path string) any {
	var v any = map[string]any(s)
	for key := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// Secrets are the secret fields of a channel. Each may have two live values while it is rotated, the current one first.
// They never print or encode their values.
type Secrets map[string][]string

// Current returns the value to sign with, or "".
func (s Secrets) Current(key string) string {
	if v := s[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// String hides the values.
func (Secrets) String() string { return "[redacted]" }

// GoString hides the values.
func (Secrets) GoString() string { return "[redacted]" }

// MarshalJSON says only which secrets are set.
func (s Secrets) MarshalJSON() ([]byte, error) {
	set := make(map[string]string, len(s))
	for k, v := range s {
		if len(v) > 0 {
			set[k] = "set"
		}
	}
	return json.Marshal(set)
}
