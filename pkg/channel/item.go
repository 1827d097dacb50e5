package channel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// MaxItems is how many items a list setting may have.
const MaxItems = 100

// normalisers bring an item of a kind into the one form that is compared, or say what is wrong with it.
var normalisers = map[string]func(string) (string, error){"": trimItem, "text": trimItem, "origin": NormaliseOrigin}

// KnownItem reports whether this version knows a kind of items, see [Field.Item].
func KnownItem(kind string) bool { return normalisers[kind] != nil }

func trimItem(s string) (string, error) {
	if s = strings.TrimSpace(s); s == "" {
		return "", fmt.Errorf("it is empty")
	}
	return s, nil
}

// Normalise returns the items of a list setting in the form that is compared, each once. What is no item is an error about its
// place below the JSON pointer at.
func (f Field) Normalise(at string, items []any) (out []any, bad []*fault.Error) {
	if len(items) > MaxItems {
		return items, []*fault.Error{fault.At(at, "too_long", "%s has at most %d items, these are %d", f.Label, MaxItems, len(items))}
	}
	for i, item := range items {
		text, err := f.normaliseItem(item)
		if err != nil {
			bad = append(bad, fault.At(fmt.Sprintf("%s/%d", at, i), "bad_format", "%s: %s", f.Label, err.Error()))
		} else if !slices.Contains(out, any(text)) {
			out = append(out, text)
		}
	}
	return out, bad
}

func (f Field) normaliseItem(item any) (string, error) {
	text, ok := item.(string)
	if !ok {
		return "", fmt.Errorf("an item is a text")
	}
	normalise, ok := normalisers[f.Item]
	if !ok {
		normalise = trimItem // a kind of items that only a newer version of the channel's service knows
	}
	text, err := normalise(text)
	if err != nil {
		return "", err
	}
	switch {
	case len(f.OneOf) > 0 && !slices.Contains(f.OneOf, text):
		return "", fmt.Errorf("it must be one of %v", f.OneOf)
	case f.Pattern != "" && !regexp.MustCompile(f.Pattern).MatchString(text):
		return "", fmt.Errorf("it must match %s", f.Pattern)
	}
	return text, nil
}
