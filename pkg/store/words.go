package store

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Bounds of search.
const (
	MaxWords   = 4000 // distinct words of a document that are searchable; the rest of a longer text is not
	MaxTerms   = 16   // words of a query that count
	maxWordLen = 64   // runes of a word that count
)

// unspaced are the scripts that are written without spaces, or whose words run together: their texts are cut into
// overlapping pairs.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
}

// Words cuts a text into the distinct tokens under which it is found: NFKC, case folded, words of letters, digits and marks;
// what is written without spaces as overlapping pairs, and its last character alone.
func Words(text string) []string { return tokens(text, true, MaxWords) }

// Term is a word of a query.
type Term struct {
	Word   string
	Prefix bool // a document's word that begins with it will do
}

// Terms cuts a query into what a document must have, all of it. The last word may be the beginning of one, and so may a single
// character of a script that is cut into pairs.
func Terms(text string) []Term {
	words := tokens(text, false, MaxTerms)
	terms := make([]Term, len(words))
	for i, w := range words {
		r, size := utf8.DecodeRuneInString(w)
		terms[i] = Term{Word: w, Prefix: i == len(words)-1 || size == len(w) && classOf(r, space) == pairs}
	}
	return terms
}

func tokens(text string, tail bool, limit int) []string {
	t := tokenizer{tail: tail, limit: limit, seen: map[string]int{}}
	for _, r := range norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text))) {
		switch class := classOf(r, t.class); {
		case class == space:
			t.flush()
		case class != t.class:
			t.flush()
			fallthrough
		default:
			t.class = class
			t.run = append(t.run, r)
		}
	}
	t.flush()
	return t.words
}

type class uint8

const (
	space class = iota
	spaced
	pairs
)

// classOf tells how r is cut; marks belong to what they stand on.
func classOf(r rune, before class) class {
	switch {
	case unicode.In(r, unspaced...), r == 'ー':
		return pairs
	case unicode.IsMark(r) && before != space:
		return before
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsNumber(r):
		return spaced
	}
	return space
}

type tokenizer struct {
	tail  bool
	limit int
	class class
	run   []rune
	words []string
	seen  map[string]int
}

func (t *tokenizer) flush() {
	run := t.run
	switch t.class {
	case spaced:
		t.add(string(run[:min(len(run), maxWordLen)]))
	case pairs:
		for i := range len(run) - 1 {
			t.add(string(run[i : i+2]))
		}
		if t.tail || len(run) == 1 {
			t.add(string(run[len(run)-1:]))
		}
	}
	t.run, t.class = t.run[:0], space
}

// add keeps the words distinct. In a query the last word is special, so a word that comes again moves to the end.
func (t *tokenizer) add(word string) {
	if i, ok := t.seen[word]; ok {
		if !t.tail && i < len(t.words)-1 {
			t.words = append(t.words[:i], t.words[i+1:]...)
			for j := i; j < len(t.words); j++ {
				t.seen[t.words[j]] = j
			}
			t.seen[word] = len(t.words)
			t.words = append(t.words, word)
		}
		return
	}
	if len(t.words) < t.limit {
		t.seen[word] = len(t.words)
		t.words = append(t.words, word)
	}
}
