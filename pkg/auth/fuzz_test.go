package auth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
)

// FuzzBearer shows tokens that nobody was given: none of them is anybody's.
func FuzzBearer(f *testing.F) {
	const id, text = "0123456789abcdef", "trb_0123456789abcdef_AAECAwQFBgcICQoLDA0ODw"
	src := source{
		keys:  map[string]auth.Key{id: {ID: id, Tenant: "t1", Hash: auth.HashAPIKey(text)}},
		users: map[string]auth.User{"usr_1": {ID: "usr_1", Tenant: "t1", Role: "agent", Sessions: 1}},
	}
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	a, err := auth.NewAuthenticator(src, []byte(strings.Repeat("k", 32)), nil, now)
	if err != nil {
		f.Fatal(err)
	}
	foreign, err := auth.NewAuthenticator(src, []byte(strings.Repeat("f", 32)), nil, now)
	if err != nil {
		f.Fatal(err)
	}
	given := map[string]bool{text: true}
	for _, x := range []*auth.Authenticator{a, foreign} {
		token, _, err := x.Session(src.users["usr_1"])
		if err != nil {
			f.Fatal(err)
		}
		given[token] = x == a
		head, rest, _ := strings.Cut(token, ".")
		body, _, _ := strings.Cut(rest, ".")
		f.Add(token)
		f.Add(head + "." + body + ".")
		f.Add("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + body + ".") // alg: none
	}
	f.Add(text)
	f.Add(text + "x")
	f.Add("trb__")
	f.Fuzz(func(t *testing.T, bearer string) {
		p, err := a.Authenticate(context.Background(), bearer)
		if (err == nil) != given[bearer] || (p != nil) != (err == nil) {
			t.Fatalf("%q is %+v, %v", bearer, p, err)
		}
	})
}

// FuzzSealed seals values and opens them again, in their place only; what was not sealed does not open.
func FuzzSealed(f *testing.F) {
	s, err := auth.NewSealer([]byte(strings.Repeat("k", 32)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("planted", "t1", s.Seal("x", "t1"))
	f.Add("", "", "v1....")
	f.Add("ü\xff", "a", "v1.00000000.AAAA.AAAA")
	f.Fuzz(func(t *testing.T, plain, place, stranger string) {
		sealed := s.Seal(plain, place, "field")
		if got, err := s.Open(sealed, place, "field"); err != nil || got != plain {
			t.Fatalf("%q opens as %q, %v", plain, got, err)
		}
		if _, err := s.Open(sealed, place+"x", "field"); err == nil {
			t.Fatal("it opens in another place")
		}
		if _, err := s.Open(stranger, place, "a place where nothing was ever sealed"); err == nil {
			t.Fatalf("%q opens", stranger)
		}
	})
}
