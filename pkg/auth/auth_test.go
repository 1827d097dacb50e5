package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/fault"
)

type source struct {
	keys  map[string]auth.Key
	users map[string]auth.User
}

var errGone = fault.New(fault.Gone, "not_found", "nobody")

func (s source) APIKey(_ context.Context, id string) (auth.Key, error) {
	if k, ok := s.keys[id]; ok {
		return k, nil
	}
	return auth.Key{}, errGone
}

func (s source) UserByID(_ context.Context, tenant, id string) (auth.User, error) {
	if u, ok := s.users[id]; ok && u.Tenant == tenant {
		return u, nil
	}
	return auth.User{}, errGone
}

func (s source) UserByEmail(_ context.Context, email string) (auth.User, error) {
	return auth.User{}, errGone
}

func TestBearerTokens(t *testing.T) {
	t.Parallel()
	id, text, hash := auth.NewAPIKey()
	oldID, oldText, oldHash := auth.NewAPIKey()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	src := source{
		keys: map[string]auth.Key{
			id:    {ID: id, Tenant: "t1", Hash: hash, Scopes: []auth.Permission{auth.Send}},
			oldID: {ID: oldID, Tenant: "t1", Hash: oldHash, ExpiresAt: now.Add(-time.Second)},
		},
		users: map[string]auth.User{"usr_1": {ID: "usr_1", Tenant: "t1", Role: "agent", Sessions: 1}, "usr_2": {ID: "usr_2", Tenant: "t1", Disabled: true}},
	}
	clock := now
	a, err := auth.NewAuthenticator(src, []byte(strings.Repeat("k", 32)), nil, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	session := func(u auth.User) string {
		token, _, err := a.Session(u)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := session(src.users["usr_1"])
	other, err := auth.NewAuthenticator(src, []byte(strings.Repeat("x", 32)), nil, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	foreign, _, err := other.Session(src.users["usr_1"])
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := auth.NewAuthenticator(src, []byte(strings.Repeat("n", 32)), nil, func() time.Time { return clock }, []byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rotated.Authenticate(t.Context(), good); err != nil {
		t.Errorf("a session signed under the key before the rotation: %v", err)
	}
	if _, err := rotated.Authenticate(t.Context(), foreign); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Errorf("a session signed by another, in a rotation: %v", err)
	}
	for name, tc := range map[string]struct {
		token string
		ok    bool
	}{
		"a key":                         {text, true},
		"an expired key":                {oldText, false},
		"a key with another secret":     {text[:len(text)-1] + "x", false},
		"a key nobody has":              {"trb_0000000000000000_" + strings.Repeat("a", 43), false},
		"a session":                     {good, true},
		"a session after a global exit": {session(auth.User{ID: "usr_1", Tenant: "t1", Sessions: 0}), false},
		"a session of another tenant":   {session(auth.User{ID: "usr_1", Tenant: "t2", Sessions: 1}), false},
		"a disabled user's session":     {session(src.users["usr_2"]), false},
		"a session signed by another":   {foreign, false},
		"no signature":                  {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9.", false},
		"rubbish":                       {"rubbish", false},
	} {
		p, err := a.Authenticate(t.Context(), tc.token)
		if tc.ok != (err == nil) || (err != nil && !errors.Is(err, auth.ErrUnauthenticated)) {
			t.Errorf("%s: principal %v, error %v", name, p, err)
		}
	}
	clock = now.Add(auth.SessionLength + time.Second)
	if _, err := a.Authenticate(t.Context(), good); err == nil {
		t.Error("a session is valid after its end")
	}
}

func TestP11_SealedSecretsOpenOnlyInTheirPlace(t *testing.T) {
	t.Parallel()
	k1, k2 := []byte(strings.Repeat("1", 32)), []byte(strings.Repeat("2", 32))
	old, err := auth.NewSealer(k1)
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := auth.NewSealer(k2, k1)
	if err != nil {
		t.Fatal(err)
	}
	sealed := old.Seal("hunter2", "t1", "ch_1", "app_secret")
	if strings.Contains(sealed, "hunter2") {
		t.Fatal("the sealed value shows its content")
	}
	if again := old.Seal("hunter2", "t1", "ch_1", "app_secret"); again == sealed {
		t.Error("two seals of one value are equal")
	}
	if got, err := rotated.Open(sealed, "t1", "ch_1", "app_secret"); err != nil || got != "hunter2" {
		t.Errorf("after a rotation: %q, %v", got, err)
	}
	if rotated.Current(sealed) || !rotated.Current(rotated.Seal("x")) {
		t.Error("Current does not tell the keys apart")
	}
	for name, open := range map[string]func() (string, error){
		"another place": func() (string, error) { return old.Open(sealed, "t1", "ch_2", "app_secret") },
		"changed":       func() (string, error) { return old.Open(flipped(sealed), "t1", "ch_1", "app_secret") },
		"without key": func() (string, error) {
			s, _ := auth.NewSealer(k2)
			return s.Open(sealed, "t1", "ch_1", "app_secret")
		},
		"cut": func() (string, error) { return old.Open(sealed[:20], "t1", "ch_1", "app_secret") },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s: opened to %q", name, got)
		}
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	h := auth.HashPassword("correct horse")
	if !auth.MatchPassword("correct horse", h) || auth.MatchPassword("correct horsf", h) || auth.MatchPassword("", "") || auth.MatchPassword("x", "$argon2id$v=19$m=0,t=0,p=0$$") {
		t.Error("passwords are not told apart")
	}
}

// flipped changes one character near the end: always to another one, and one whose bits all count.
func flipped(s string) string {
	b := []byte(s)
	i := len(b) - 8
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}
