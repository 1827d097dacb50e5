package channel

import "strings"

// maxLabel bounds a provider's word in the name of a counter, in bytes.
const maxLabel = 40

// OtherAccount counts what is addressed to another account of the provider than the channel's. The host then looks whether that account is
// a channel, too ([AppLevel]).
const OtherAccount = "other_account"

// Ignore counts something that was understood and is not for us, or that could not be read. detail is a word of the provider's, made fit
// for the name of a counter; it can be empty.
func (p *Parsed) Ignore(what, detail string) {
	if detail != "" {
		what += ":" + label(detail)
	}
	if p.Ignored == nil {
		p.Ignored = map[string]int{}
	}
	p.Ignored[what]++
}

// label keeps letters, digits, - and _; anything else becomes _.
func label(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return '_'
	}, s[:min(len(s), maxLabel)])
}
