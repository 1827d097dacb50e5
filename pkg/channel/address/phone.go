package address

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// readPhone takes a phone number in any usual spelling. The length has to be one that the country has; whether the number exists,
// the provider knows.
func readPhone(f channel.AddressForm, s channel.Settings, text string) (channel.Person, bool) {
	n, ok := dialled(text)
	if !ok {
		return channel.Person{}, false
	}
	country := ""
	if f.Country != "" {
		country = strings.ToUpper(s.Text(f.Country))
	}
	digits, ok := n.international(country)
	if !ok {
		return channel.Person{}, false
	}
	plus := ""
	if f.Plus {
		plus = "+"
	}
	p := channel.Person{Peer: plus + digits}
	for _, other := range channel.Spellings(digits) {
		p.Aliases = append(p.Aliases, plus+other)
	}
	return p, true
}

// number is a phone number as it was written, in ASCII digits.
type number struct {
	digits string
	plus   bool // it begins with + or 00: the country code follows
}

// dialled reads digits of any script between the signs that people group them by. It is false for anything else.
func dialled(text string) (number, bool) {
	rest, plus := text, false
	for _, sign := range []string{"+", "＋"} {
		if after, ok := strings.CutPrefix(rest, sign); ok {
			rest, plus = after, true
		}
	}
	if strings.ContainsFunc(rest, func(r rune) bool {
		return !unicode.IsDigit(r) && r != ' ' && r != '\u00a0' && r != '\u202f' && !strings.ContainsRune("-.()/‐‑–", r)
	}) {
		return number{}, false
	}
	digits := phonenumbers.NormalizeDigitsOnly(rest)
	if after, ok := strings.CutPrefix(digits, "00"); ok && !plus {
		digits, plus = after, true
	}
	return number{digits, plus}, digits != ""
}

// international returns the digits with the country code first. Without a plus sign the country decides, if it is set: a number
// that is valid there is read as one of its own; others already begin with a country code, as providers write them.
func (n number) international(country string) (string, bool) {
	code := phonenumbers.GetCountryCodeForRegion(country)
	foreign := code == 0 || strings.HasPrefix(n.digits, strconv.Itoa(code))
	if !n.plus && !foreign {
		if local, ok := n.local(country); ok {
			return local, true
		}
	}
	if digits, ok := possible(n.digits); ok {
		return digits, true
	}
	if n.plus || code == 0 {
		return "", false
	}
	return n.local(country)
}

// local reads the number as one of a country.
func (n number) local(country string) (string, bool) {
	num, err := phonenumbers.Parse(n.digits, country)
	if err != nil || !phonenumbers.IsValidNumber(num) {
		return "", false
	}
	return e164(num), true
}

// possible returns the number that digits with a country code mean, or the other spelling of it, if that one is possible.
func possible(digits string) (string, bool) {
	for _, d := range append([]string{digits}, channel.Spellings(digits)...) {
		if n, ok := canonical(d); ok {
			if again, _ := canonical(n); again == n { // one zero before the area is a habit, more are a mistake
				return n, true
			}
		}
	}
	return "", false
}

func canonical(digits string) (string, bool) {
	num, err := phonenumbers.Parse("+"+digits, "")
	if err != nil || phonenumbers.IsPossibleNumberWithReason(num) != phonenumbers.IS_POSSIBLE {
		return "", false
	}
	return e164(num), true
}

func e164(num *phonenumbers.PhoneNumber) string {
	return strings.TrimPrefix(phonenumbers.Format(num, phonenumbers.E164), "+")
}
