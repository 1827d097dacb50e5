package store

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzCursor reads cursors that clients made up: an error, or a position whose own cursor reads as the same position.
func FuzzCursor(f *testing.F) {
	for _, p := range []Position{
		{Index: "by_queue", Keys: []any{"q_1", int64(5)}, ID: "cnv_1"},
		{Index: "by_time", Desc: true, Keys: []any{nil, true, 1.5, "2026-01-02T03:04:05.000Z"}, ID: "cnv_2", Back: true, Here: true},
	} {
		f.Add(p.String())
	}
	f.Add("eyJ4IjoiYSIsImsiOlsxZTk5OV0sImkiOiIifQ") // a number that no float holds
	f.Add("e30")
	f.Fuzz(func(t *testing.T, cursor string) {
		p, err := parseCursor(cursor)
		if err != nil {
			return
		}
		again, err := parseCursor(p.String())
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%+v is read again as %+v, %v", p, again, err)
		}
		sc, err := scan(p.Index, make([]string, len(p.Keys)), p.Desc, 10, cursor)
		if err != nil {
			t.Fatalf("a cursor of this list is refused: %v", err)
		}
		sc.Page(nil) // the way back from a place where everything was deleted
	})
}

// FuzzWords cuts texts: the words are distinct and whole, and a text is found by itself.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"Don't PANIC, Straße!", "+66 81-234 order#A12", "e\u0301te\u0301", "ラーメン食べる", "안녕 하세요", "ไทย ดี", "iPhone15手机", "a\u0300\u0301 ﷺ ½ ⅷ", "\xff\xfe", "好 好好 a a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, terms := Words(text), Terms(text)
		seen := map[string]bool{}
		for _, w := range words {
			if w == "" || seen[w] || utf8.RuneCountInString(w) > maxWordLen || strings.ContainsAny(w, " \t\n\"*") {
				t.Fatalf("%q has the word %q", text, w)
			}
			seen[w] = true
		}
		if len(words) > MaxWords || len(terms) > MaxTerms {
			t.Fatalf("%d words, %d terms", len(words), len(terms))
		}
		if len(words) == MaxWords {
			return // the rest of it is not searchable
		}
		for _, term := range terms {
			if !found(words, term) {
				t.Fatalf("%q is not found by itself: %+v is not among %q", text, term, words)
			}
		}
	})
}

func found(words []string, term Term) bool {
	for _, w := range words {
		if w == term.Word || term.Prefix && strings.HasPrefix(w, term.Word) {
			return true
		}
	}
	return false
}
