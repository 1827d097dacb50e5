package channel

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/pkg/event"
)

// The types below read JSON that somebody else writes: a wrong type inside never fails what stands beside it (P2).

// Opaque is an id that a provider writes as text or as a number; the digits stay as they were. Anything else reads as "".
type Opaque string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (o *Opaque) UnmarshalJSON(b []byte) error {
	*o = ""
	switch {
	case len(b) == 0:
	case b[0] == '"':
		*o = Opaque(unquote(b))
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*o = Opaque(b)
	}
	return nil
}

// Stamp is a moment that a provider writes in seconds or milliseconds, as number or text. Anything else reads as zero.
type Stamp int64

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (s *Stamp) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(string(bytes.Trim(b, `"`)), 10, 64)
	if err != nil {
		n = 0
	}
	*s = Stamp(n)
	return nil
}

// Time reads the stamp; zero and less is no time.
func (s Stamp) Time() event.Time { return event.Unix(int64(s)) }

// Item is one element of a list. What it holds is read for itself: if its shape is not the expected one, Err says so, V has
// what could be read, and the neighbours are not touched.
type Item[T any] struct {
	V   T
	Raw json.RawMessage // the element as it came
	Err error
}

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (i *Item[T]) UnmarshalJSON(b []byte) error {
	i.Raw = append(json.RawMessage(nil), b...)
	i.Err = json.Unmarshal(b, &i.V)
	return nil
}

// Few reads the first elements of a list, at most [MaxNamed], for a look at what nothing has proved yet: what it costs does not grow with the
// list. What is no list reads as an empty one.
type Few[T any] []T

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (f *Few[T]) UnmarshalJSON(b []byte) error {
	*f = nil
	dec := json.NewDecoder(bytes.NewReader(b))
	open, _ := dec.Token() // the decoder that calls this has checked b
	for open == json.Delim('[') && len(*f) < MaxNamed && dec.More() {
		var v T
		if err := dec.Decode(&v); err != nil && !Malformed(err) {
			break
		}
		*f = append(*f, v)
	}
	return nil
}

// Malformed reports whether err is about the type of a value, after which the rest was read all the same.
func Malformed(err error) bool {
	_, ok := errors.AsType[*json.UnmarshalTypeError](err)
	return ok
}

func unquote(b []byte) string {
	if inner := b[1 : len(b)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(b, &s) // b is a JSON string: the decoder has checked it
	return s
}
