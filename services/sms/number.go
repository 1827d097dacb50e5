package sms

import "strings"

// peerOf is a sender or recipient as we keep it: a number that is long enough to be one of a person in E.164 with its plus, which some
// providers leave out and forms turn into a space; short codes, alphanumeric senders and addresses of another kind ("whatsapp:+…") as they are.
func peerOf(text string) string {
	kind, number := "", text
	if i := strings.IndexByte(text, ':'); i >= 0 {
		kind, number = text[:i+1], text[i+1:]
	}
	digits := strings.TrimSpace(number)
	digits = strings.TrimPrefix(digits, "+")
	if international, ok := strings.CutPrefix(digits, "00"); ok {
		digits = international
	}
	if kind != "" && kind != "whatsapp:" || len(digits) <= maxShortCode || len(digits) > maxNumber || !isDigits(digits) {
		return kind + strings.TrimSpace(number)
	}
	return kind + "+" + digits
}

const (
	maxShortCode = 8  // digits; longer ones are numbers of people
	maxNumber    = 15 // digits (ITU-T E.164)
)

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// bare is a number as providers want it that take no plus.
func bare(peer string) string { return strings.TrimPrefix(peer, "+") }
