package channel

import "strings"

// Person is somebody, or a group, on a channel: the id to write to, and other ids of the same person.
type Person struct {
	Peer    string   `json:"peer,omitempty"`
	Aliases []string `json:"aliases,omitempty"`
	// Username is set instead of Peer where a name was given: the person is the one of the channel's threads who has it.
	Username string `json:"username,omitempty"`
	// Known says that the business can only write to this person if the channel has seen them before.
	Known bool `json:"known,omitempty"`
}

// AddressForm is one form in which people can write whom to reach on a channel. Package address reads texts by the forms of a
// type; a text that fits none of them is refused.
type AddressForm struct {
	Kind AddressKind `json:"kind"`
	// Pattern is a regular expression for the whole text of an id.
	Pattern string `json:"pattern,omitempty"`
	// Known says that only people and groups that the channel has seen before can be written to in this form.
	Known bool `json:"known,omitempty"`
	// Country is the key of the setting that names the country (ISO 3166-1, two letters) of phone numbers that are written
	// without a country code.
	Country string `json:"country,omitempty"`
	// Plus says that the provider writes phone numbers with a plus sign.
	Plus bool `json:"plus,omitempty"`
	// Example shows the form to people.
	Example string `json:"example,omitempty"`
}

// AddressKind is what a text names somebody by.
type AddressKind string

// The kinds of address.
const (
	AddressPhone    AddressKind = "phone"    // a phone number, international or of the country in the channel's settings
	AddressEmail    AddressKind = "email"    // a mail address
	AddressUsername AddressKind = "username" // @name of somebody whom the channel has seen
	AddressID       AddressKind = "id"       // the provider's own id
)

// Spellings returns the other ways to write the same mobile number, digits with a country code and without a plus sign: in
// Brazil with or without the ninth digit (only before 6 to 9), in Mexico with or without the 1, in Argentina with or without the
// 9. Providers use either.
func Spellings(number string) []string {
	n := number
	if strings.Trim(n, "0123456789") != "" {
		return nil
	}
	mobile := func(i int) bool { return n[i] >= '6' }
	switch {
	case strings.HasPrefix(n, "55") && len(n) == 12 && mobile(4):
		return []string{n[:4] + "9" + n[4:]}
	case strings.HasPrefix(n, "55") && len(n) == 13 && n[4] == '9' && mobile(5):
		return []string{n[:4] + n[5:]}
	case strings.HasPrefix(n, "521") && len(n) == 13:
		return []string{"52" + n[3:]}
	case strings.HasPrefix(n, "52") && len(n) == 12:
		return []string{"521" + n[2:]}
	case strings.HasPrefix(n, "549") && len(n) == 13:
		return []string{"54" + n[3:]}
	case strings.HasPrefix(n, "54") && len(n) == 12:
		return []string{"549" + n[2:]}
	}
	return nil
}
