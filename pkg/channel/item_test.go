package channel_test

import (
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
)

func TestOriginsAreNormalisedOrRefused(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"https://shop.example.com": "https://shop.example.com", " HTTPS://Shop.Example.com/ ": "https://shop.example.com",
		"https://shop.example.com:443": "https://shop.example.com", "http://shop.example.com:80/": "http://shop.example.com",
		"https://shop.example.com:": "https://shop.example.com", "https://shop.example.com:0443": "https://shop.example.com",
		"http://localhost:8080": "http://localhost:8080", "https://shop.example.com:80": "https://shop.example.com:80",
		"https://*.Example.com": "https://*.example.com", "https://*.example.com:8443/": "https://*.example.com:8443",
		"https://[::1]:8080": "https://[::1]:8080", "http://[0:0::1]": "http://[::1]", "http://127.0.0.1:3000": "http://127.0.0.1:3000",
		"https://xn--bcher-kva.example": "https://xn--bcher-kva.example", "capacitor://localhost": "capacitor://localhost",
		"": "", "*": "", "null": "", "https://": "", "https://*": "", "https://*.com": "", "shop.example.com": "", "//shop.example.com": "",
		"https://shop.*.com": "", "https://a*.example.com": "", "https://*.*.example.com": "", "https://shop.example.com/chat": "",
		"https://shop.example.com?x": "", "https://shop.example.com#x": "", "https://me@shop.example.com": "", "ftp://shop.example.com": "",
		"wss://shop.example.com": "", "https://shop.example.com:*": "", "https://shop.example.com:99999": "", "https://shop.example.com:0": "",
		"https://b\u00fccher.example": "https://xn--bcher-kva.example", "https://*.B\u00dcCHER.example:443/": "https://*.xn--bcher-kva.example",
		"https://\u4f8b\u5b50.\u6d4b\u8bd5": "https://xn--fsqu00a.xn--0zwm56d", "https://xn--bcher-kva.example.": "https://xn--bcher-kva.example.",
		"https://stra\u00dfe.example": "https://xn--strae-oqa.example", "https://shop\uff0eexample\uff0ecom": "https://shop.example.com",
		"https://*.\u6d4b\u8bd5": "", "https://\u202eshop.example": "", "https://a\u0301.example": "https://xn--1ca.example", "https://\uff11\uff12\uff17.1": "",
		"https://shop.example\uff0fx": "", "https://user\uff20shop.example": "", "https://\u4f8b_.example": "", "https://shop example.com": "", "https://-shop.example.com": "", "https://shop..example.com": "",
		"http://127.1": "", "http://2130706433": "", "http://0x7f.1": "", "http://[fe80::1%25eth0]": "", "https://x; script-src *": "",
	} {
		got, err := channel.NormaliseOrigin(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", given, got, err, want)
		}
	}
}

func TestAPatternOfOriginsStandsForNamesBelowIt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		allowed, sent string
		want          bool
	}{
		{"https://shop.example.com", "https://shop.example.com", true}, {"https://Shop.example.com:443/", "https://shop.example.com", true},
		{"https://*.example.com", "https://shop.example.com", true}, {"https://*.example.com", "https://a.b.example.com", true},
		{"https://*.example.com", "https://example.com", false}, {"https://*.example.com", "https://.example.com", false},
		{"https://*.example.com", "http://shop.example.com", false}, {"https://*.example.com", "https://shop.example.com:8443", false},
		{"https://*.example.com:8443", "https://shop.example.com:8443", true}, {"https://*.example.com", "https://evil.test/.example.com", false},
		{"https://*.example.com", "https://evil.test#.example.com", false}, {"https://*.example.com", "https://evilexample.com", false},
		{"https://*.example.com", "https://shop.example.com.evil.test", false}, {"*", "https://shop.example.com", false}, {"", "", true},
		{"https://b\u00fccher.example/", "https://xn--bcher-kva.example", true}, {"https://*.b\u00fccher.example", "https://a.xn--bcher-kva.example", true},
		{"https://b\u00fccher.example", "https://bucher.example", false},
	} {
		if got := channel.MatchesOrigin(tc.allowed, tc.sent); got != tc.want {
			t.Errorf("%s of %s: %v", tc.sent, tc.allowed, got)
		}
	}
}

func TestItemsOfAListAreCheckedOneByOne(t *testing.T) {
	t.Parallel()
	many := slices.Repeat([]any{"a"}, channel.MaxItems+1)
	for name, tc := range map[string]struct {
		field channel.Field
		items []any
		want  []any
		bad   []string
	}{
		"origins":  {channel.Field{Item: "origin"}, []any{"https://a.example/", "https://A.example", "b.example", 5}, []any{"https://a.example"}, []string{"/x/2", "/x/3"}},
		"texts":    {channel.Field{}, []any{" a ", "a", "b", " "}, []any{"a", "b"}, []string{"/x/3"}},
		"pattern":  {channel.Field{Pattern: "^[a-z]+$"}, []any{"a", "1"}, []any{"a"}, []string{"/x/1"}},
		"one of":   {channel.Field{OneOf: []string{"a"}}, []any{"b", "a"}, []any{"a"}, []string{"/x/0"}},
		"too many": {channel.Field{}, many, many, []string{"/x"}},
	} {
		got, bad := tc.field.Normalise("/x", tc.items)
		var at []string
		for _, e := range bad {
			at = append(at, e.Pointer)
		}
		if !slices.Equal(got, tc.want) || !slices.Equal(at, tc.bad) {
			t.Errorf("%s: %v, errors at %v", name, got, at)
		}
	}
}
