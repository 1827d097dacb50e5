// Package address reads what people write to say whom to reach on a channel: the only way from such a text to a peer.
//
// What a channel type takes is a value, [channel.Info].Addresses, and no method of its adapter: the inbox, which has to answer
// such a call at once, knows the types only by what they announce (docs/adr/0014-whom-to-reach-is-read-by-announced-forms.md).
package address

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// maxLength of what people write, in bytes.
const maxLength = 320

// Read returns the person that a text names on a channel with these settings, by the first form of the type that the text fits.
// The error for a text that fits none has the JSON pointer at. A type without forms was announced by an earlier version and takes
// any text as the provider's id.
func Read(info channel.Info, s channel.Settings, at, text string) (channel.Person, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return channel.Person{}, fault.At(at, "required", "it is empty: want %s", wanted(info))
	case len(text) > maxLength:
		return channel.Person{}, fault.At(at, "too_long", "it has at most %d bytes, this one has %d", maxLength, len(text))
	case strings.ContainsFunc(text, unicode.IsControl):
		return channel.Person{}, fault.At(at, "bad_format", "control characters are not allowed")
	case len(info.Addresses) == 0:
		return channel.Person{Peer: text}, nil
	}
	for _, f := range info.Addresses {
		if p, ok := readers[f.Kind](f, s, text); ok {
			p.Known = f.Known
			return p, nil
		}
	}
	if _, isPhone := dialled(text); isPhone && slices.ContainsFunc(info.Addresses, byPhone) {
		return channel.Person{}, fault.At(at, "bad_format", "the number has no country code, or not as many digits as its country has: want %s", wanted(info))
	}
	return channel.Person{}, fault.At(at, "bad_format", "it does not name a person on %s: want %s", info.Title, wanted(info))
}

// Unseen is the refusal of a person whom the channel has to know and does not.
func Unseen(info channel.Info, at string) error {
	return fault.At(at, "bad_value", "the channel has not seen this person or group yet: want %s", wanted(info))
}

func byPhone(f channel.AddressForm) bool { return f.Kind == channel.AddressPhone }

// wanted lists the forms of a type for people.
func wanted(info channel.Info) string {
	var forms []string
	for _, f := range info.Addresses {
		form := f.Example
		if f.Known {
			form += " that the channel has seen before"
		}
		forms = append(forms, form)
	}
	return strings.Join(forms, ", or ")
}

var readers = map[channel.AddressKind]func(channel.AddressForm, channel.Settings, string) (channel.Person, bool){
	channel.AddressPhone: readPhone, channel.AddressEmail: readEmail, channel.AddressUsername: readUsername, channel.AddressID: readID,
}

// readEmail takes a bare mail address. The domain is compared without case (RFC 5321 §2.4); before the @ case is kept.
func readEmail(_ channel.AddressForm, _ channel.Settings, text string) (channel.Person, bool) {
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text {
		return channel.Person{}, false
	}
	at := strings.LastIndexByte(text, '@')
	return channel.Person{Peer: text[:at] + strings.ToLower(text[at:])}, true
}

var username = regexp.MustCompile(`^@[\pL\pN][\pL\pN._-]{0,63}$`)

func readUsername(_ channel.AddressForm, _ channel.Settings, text string) (channel.Person, bool) {
	return channel.Person{Username: strings.TrimPrefix(text, "@")}, username.MatchString(text)
}

func readID(f channel.AddressForm, _ channel.Settings, text string) (channel.Person, bool) {
	return channel.Person{Peer: text}, regexp.MustCompile(`^(?:` + f.Pattern + `)$`).MatchString(text)
}
