package httpapi

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkText adds what is no text in a JSON body: bytes that are not UTF-8, NUL, and halves of surrogate pairs. Databases, Kafka's
// consumers and providers treat them differently, so none is passed on.
func checkText(raw []byte, v any, fields *Fields) {
	if !utf8.Valid(raw) {
		fields.Add("", "bad_encoding", "the body is not UTF-8")
		return
	}
	broken := loneSurrogate(string(raw))
	walkText(v, "", func(at, s string) {
		switch {
		case strings.ContainsRune(s, 0):
			fields.Add(at, "bad_encoding", "the text holds the character NUL (U+0000)")
		case broken && strings.ContainsRune(s, utf8.RuneError):
			fields.Add(at, "bad_encoding", "the text holds half of a surrogate pair (\\uD800 to \\uDFFF)")
		}
	})
	if broken && len(*fields) == 0 {
		fields.Add("", "bad_encoding", "a name in the body holds half of a surrogate pair (\\uD800 to \\uDFFF)")
	}
}

func walkText(v any, at string, f func(at, s string)) {
	switch v := v.(type) {
	case string:
		f(at, v)
	case []any:
		for i, e := range v {
			walkText(e, at+"/"+strconv.Itoa(i), f)
		}
	case map[string]any:
		for k, e := range v {
			if strings.ContainsRune(k, 0) {
				f(at, k)
			}
			walkText(e, at+"/"+step.Replace(k), f)
		}
	}
}

// loneSurrogate reports whether JSON escapes half of a surrogate pair, which decoders replace in silence.
func loneSurrogate(raw string) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++ // the character behind a backslash is escaped
		if i >= len(raw) || raw[i] != 'u' {
			continue
		}
		switch unit := codeUnit(raw[i+1:]); {
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return true
		case unit >= 0xD800 && unit <= 0xDBFF:
			rest := raw[min(i+5, len(raw)):]
			if low := codeUnit(strings.TrimPrefix(rest, `\u`)); !strings.HasPrefix(rest, `\u`) || low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 10
		}
	}
	return false
}

func codeUnit(hex string) int64 {
	if len(hex) < 4 {
		return -1
	}
	n, err := strconv.ParseInt(hex[:4], 16, 32)
	if err != nil {
		return -1
	}
	return n
}

// unseen are letters and symbols that show nothing: fillers of Hangul, and the empty pattern of Braille.
const unseen = "\u115f\u1160\u2800\u3164\uffa0"

// isNonblank is the format of texts for people: empty, or with something to see in it.
func isNonblank(v any) error {
	s, ok := v.(string)
	if !ok || s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !strings.ContainsRune(unseen, r)
	}) {
		return nil
	}
	return errors.New("the text shows nothing: write something that can be seen")
}
