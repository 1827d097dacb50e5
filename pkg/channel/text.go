package channel

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Len counts text the way a provider does. Segments are the parts of an SMS (GSM 03.38: 160 septets or 153 per part; with any
// other character UCS-2: 70 units or 67 per part).
func (u Unit) Len(text string) int {
	switch u {
	case Bytes:
		return len(text)
	case UTF16:
		n := 0
		for _, r := range text {
			n += utf16Len(r)
		}
		return n
	case Segments:
		return segments(text)
	default:
		return utf8.RuneCountInString(text)
	}
}

// words names the unit in messages to people.
func (u Unit) words() string {
	switch u {
	case UTF16:
		return "UTF-16 units"
	case Bytes, Segments:
		return string(u)
	}
	return "characters"
}

// Over reports by how much text exceeds the limit; zero means that it fits.
func (l Limit) Over(text string) int {
	if l.Max == 0 || len(text) <= l.Max && l.Unit != Segments { // no unit counts more than one per byte
		return 0
	}
	return max(0, l.Unit.Len(text)-l.Max)
}

// Split cuts text into pieces that fit the limit, at a line's or a word's end where one is near, never inside what people see as one
// character (a grapheme cluster of UAX 29: a letter with its accents, an emoji of a family), unless that alone does not fit.
// The pieces joined are the text again. Texts counted in segments are not split: the SMS itself is.
func (l Limit) Split(text string) []string {
	var out []string
	for l.Unit != Segments && l.Over(text) > 0 {
		cut := breakAt(text, l.prefix(text))
		out = append(out, text[:cut])
		text = text[cut:]
	}
	return append(out, text)
}

// prefix returns how many bytes of text fit the limit, at least one character.
func (l Limit) prefix(text string) int {
	n, at, state := 0, 0, -1
	for rest := text; rest != ""; {
		var seen string
		seen, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if n += l.Unit.Len(seen); n > l.Max {
			break
		}
		at += len(seen)
	}
	if at == 0 {
		return l.runes(text)
	}
	return at
}

// runes is how many bytes of text fit, by code points, at least one.
func (l Limit) runes(text string) int {
	n := 0
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRuneInString(text[i:])
		if n += l.Unit.Len(text[i : i+size]); n > l.Max && i > 0 {
			return i
		}
		i += size
	}
	return len(text)
}

// breakAt moves a cut back to behind the last line break, or else the last space, of the second half before it.
func breakAt(text string, cut int) int {
	for _, sep := range []string{"\n", " "} {
		if i := strings.LastIndex(text[:cut], sep); i >= cut/2 {
			return i + len(sep)
		}
	}
	return cut
}

func utf16Len(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

const (
	gsmBasic    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "^{}\\[~]|€\f"
)

// Encoding returns how an SMS with this text is encoded: gsm7 (GSM 03.38), or ucs2 as soon as one character is not in that alphabet.
func Encoding(text string) string {
	for _, r := range text {
		if gsmLen(r) == 0 {
			return "ucs2"
		}
	}
	return "gsm7"
}

// segments packs characters into the parts of a concatenated SMS; a character of two units is never divided.
func segments(text string) int {
	single, part, width := 160, 153, gsmLen
	if Encoding(text) == "ucs2" {
		single, part, width = 70, 67, utf16Len
	}
	total, parts, used := 0, 1, 0
	for _, r := range text {
		w := width(r)
		total += w
		if used += w; used > part {
			parts, used = parts+1, w
		}
	}
	if total <= single {
		return 1
	}
	return parts
}

// gsmLen is how many septets a character takes in the GSM alphabet; 0: it is not in it.
func gsmLen(r rune) int {
	switch {
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmExtended, r):
		return 2
	}
	return 0
}
