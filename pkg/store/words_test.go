package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []string
	}{
		"latin":               {"Don't PANIC, Straße!", []string{"don", "t", "panic", "strasse"}},
		"repeated":            {"no no No", []string{"no"}},
		"numbers":             {"+66 81-234 order#A12", []string{"66", "81", "234", "order", "a12"}},
		"address":             {"Anna.Lee@example.com", []string{"anna", "lee", "example", "com"}},
		"composed":            {"e\u0301te\u0301", []string{"été"}},
		"full width":          {"ＡＢＣ１２３", []string{"abc123"}},
		"chinese":             {"你好吗", []string{"你好", "好吗", "吗"}},
		"one character":       {"好", []string{"好"}},
		"japanese":            {"ラーメン食べる", []string{"ラー", "ーメ", "メン", "ン食", "食べ", "べる", "る"}},
		"half-width katakana": {"ﾗｰﾒﾝ", []string{"ラー", "ーメ", "メン", "ン"}},
		"korean":              {"안녕 하세요", []string{"안녕", "녕", "하세", "세요", "요"}},
		"thai":                {"ไทย ดี", []string{"ไท", "ทย", "ย", "ดี", "ี"}},
		"mixed":               {"iPhone15手机", []string{"iphone15", "手机", "机"}},
		"nothing":             {" …!? 🙂 ", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Words(tt.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTerms(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []Term
	}{
		"last is a beginning":      {"Hello wor", []Term{{"hello", false}, {"wor", true}}},
		"pairs":                    {"你好吗", []Term{{"你好", false}, {"好吗", true}}},
		"alone within":             {"我 hello", []Term{{"我", true}, {"hello", true}}},
		"the word that comes last": {"foo bar foo", []Term{{"bar", false}, {"foo", true}}},
		"nothing":                  {"!?", []Term{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Terms(tt.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
