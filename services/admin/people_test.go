package admin

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/store"
)

func (w *world) login(email, password string) answer {
	w.Helper()
	return w.call("", "POST", "/v1/auth/login", object{"email": email, "password": password})
}

func TestAPIKeysGiveNothingTheirCreatorLacks(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	made := w.call(ownerKey, "POST", "/v1/api-keys", object{"name": "k", "scopes": []string{"api_keys.write", "users.write", "audit.read"}}).is(201)
	small := made.text("key")
	w.call(small, "POST", "/v1/api-keys", object{"name": "k2", "scopes": []string{"audit.read"}}).is(201)
	w.call(small, "POST", "/v1/api-keys", object{"name": "k3", "scopes": []string{"audit.read", "settings.write"}}).is(403, "forbidden")
	if got := w.call(small, "POST", "/v1/api-keys", object{"name": "k4", "scopes": []string{"audit.read", "all"}}).is(422).pointers(); !slices.Equal(got, []string{"/scopes/1"}) {
		t.Errorf("%v", got)
	}
	w.call(small, "POST", "/v1/users", object{"name": "E", "email": "e@example.com", "role": "owner"}).is(403, "forbidden")
	boss := w.call(ownerKey, "GET", "/v1/users", nil).is(200).list()[0]["id"].(string)
	w.call(small, "PATCH", "/v1/users/"+boss, object{"password": "taken over by me"}).is(403, "forbidden")
	w.call(small, "PATCH", "/v1/users/"+boss, object{"role": "agent"}).is(403, "forbidden")
	w.call(small, "POST", "/v1/channels", toy("a")).is(403, "forbidden")
	w.call(small, "PATCH", "/v1/tenant-settings", object{"space_name": "x"}).is(403, "forbidden")
	for _, k := range w.call(ownerKey, "GET", "/v1/api-keys", nil).is(200).list() {
		if k["key"] != nil {
			t.Errorf("a list shows a key's text: %v", k)
		}
	}
}

func TestAPIKeysEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := func(ends time.Time) object {
		return object{"name": "k", "scopes": []string{"audit.read"}, "expires_at": ends.UTC().Format(time.RFC3339)}
	}
	if got := w.call(ownerKey, "POST", "/v1/api-keys", body(w.now().Add(-time.Hour))).is(422).pointers(); !slices.Equal(got, []string{"/expires_at"}) {
		t.Errorf("%v", got)
	}
	key := w.call(ownerKey, "POST", "/v1/api-keys", body(w.now().Add(time.Hour))).is(201).text("key")
	w.call(key, "GET", "/v1/auth/me", nil).is(200)
	w.later(time.Hour + time.Second)
	w.call(key, "GET", "/v1/auth/me", nil).is(401)
}

func TestARevokedKeyIsDeadAtOnceOnEveryReplica(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := directory.New(w.env.DB, w.broker.Open(t), w.env.Sealer, w.now)
	there, err := auth.NewAuthenticator(other, slices.Repeat([]byte("k"), 32), nil, w.now)
	w.ok(err)
	ctx, stop := newContext(t)
	var follower sync.WaitGroup
	follower.Go(func() { _ = other.Run(ctx) })
	defer follower.Wait()
	defer stop()
	made := w.call(ownerKey, "POST", "/v1/api-keys", object{"name": "k", "scopes": []string{"audit.read"}}).is(201)
	id, key := made.text("id"), made.text("key")
	w.call(key, "GET", "/v1/auth/me", nil).is(200)
	bustest.Eventually(t, "the key is known on the other replica", func() bool { _, err := there.Authenticate(t.Context(), key); return err == nil })
	w.call(ownerKey, "DELETE", "/v1/api-keys/"+id, nil).is(204)
	w.call(key, "GET", "/v1/auth/me", nil).is(401)
	bustest.Eventually(t, "the key is dead on the other replica", func() bool { _, err := there.Authenticate(t.Context(), key); return err != nil })
	w.call(ownerKey, "DELETE", "/v1/api-keys/"+id, nil).is(204)
}

func TestAnAddressIsClaimedOnceAcrossTenants(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	user := func(email string) object { return object{"name": "A", "email": email, "role": "agent"} }
	id := w.call(ownerKey, "POST", "/v1/users", user("Ana@Example.com")).is(201).text("id")
	w.call(otherKey, "POST", "/v1/users", user("ana@example.com")).is(409, "name_taken")
	w.call(ownerKey, "PATCH", "/v1/users/"+id, object{"email": ownerEmail}).is(409, "name_taken")
	if got := w.call(ownerKey, "PATCH", "/v1/users/"+id, object{"email": "new@example.com"}).is(200).text("email"); got != "new@example.com" {
		t.Errorf("%s", got)
	}
	w.call(otherKey, "POST", "/v1/users", user("ana@example.com")).is(201)
	emails := store.NewCollection[directory.Email](w.env.DB, directory.Emails)
	dead := &directory.Email{UserID: "usr_never"}
	dead.ID, dead.Tenant, dead.Since.Time = directory.EmailClaim("dead@example.com"), "other", w.now()
	w.ok(emails.Insert(t.Context(), dead))
	w.call(ownerKey, "POST", "/v1/users", user("dead@example.com")).is(409, "name_taken")
	w.later(directory.ClaimRests)
	w.call(ownerKey, "POST", "/v1/users", user("dead@example.com")).is(201)
	got := w.call(ownerKey, "POST", "/v1/users", object{"name": "B", "email": "nobody", "role": "king"}).is(422).pointers()
	if !slices.Equal(got, []string{"/email", "/role"}) {
		t.Errorf("%v", got)
	}
}

func TestSessionsEndWithThePasswordAndTheUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.call(ownerKey, "POST", "/v1/users", object{"name": "A", "email": "a@example.com", "role": "agent", "password": "first password"}).is(201).text("id")
	path := "/v1/users/" + id
	first := w.login("A@example.com ", "first password").is(200).text("token")
	me := w.call(first, "GET", "/v1/auth/me", nil).is(200)
	if me.text("agent_id") != directory.AgentOf(id) || me.text("role") != "agent" {
		t.Errorf("%s", me.raw)
	}
	w.call(ownerKey, "PATCH", path, object{"name": "B"}).is(200)
	w.call(first, "GET", "/v1/auth/me", nil).is(200)
	w.call(ownerKey, "PATCH", path, object{"password": "second password"}).is(200)
	w.call(first, "GET", "/v1/auth/me", nil).is(401)
	w.login("a@example.com", "first password").is(401, "unauthenticated")
	second := w.login("a@example.com", "second password").is(200).text("token")
	w.call(ownerKey, "PATCH", path, object{"disabled": true}).is(200)
	w.call(second, "GET", "/v1/auth/me", nil).is(401)
	w.login("a@example.com", "second password").is(401)
	w.call(ownerKey, "PATCH", path, object{"disabled": false, "email": "b@example.com"}).is(200)
	w.call(second, "GET", "/v1/auth/me", nil).is(401)
	w.login("a@example.com", "second password").is(401)
	w.login("b@example.com", "second password").is(200)
	w.later(auth.SessionLength + time.Minute)
	w.call(second, "GET", "/v1/auth/me", nil).is(401)
}

// Whether an address is known shows neither in the answer nor in the work: one comparison is made either way, seen by the memory
// that it takes. The test is not parallel, so that no other test allocates meanwhile.
func TestASignInDoesNotTellWhoIsKnown(t *testing.T) {
	w := newWorldOf(t, ownerEmail)
	w.call(ownerKey, "POST", "/v1/users", object{"name": "A", "email": "silent@example.com", "role": "agent"}).is(201)
	w.login("nobody@example.com", "nobody has this password") // the first makes the hash that unknown addresses are compared with
	answer := func(email string) (string, uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := w.login(email, "nobody has this password").is(401, "unauthenticated")
		runtime.ReadMemStats(&after)
		delete(a.object, "request_id")
		return cmp.Diff(object{}, a.object), after.TotalAlloc - before.TotalAlloc
	}
	known, _ := answer(ownerEmail)
	const comparison = 19 << 20 // bytes that one takes at least (argon2id, pkg/auth)
	for _, email := range []string{ownerEmail, "nobody@example.com", "silent@example.com"} {
		got, took := answer(email)
		if got != known {
			t.Errorf("%s: %s\n%s", email, got, known)
		}
		if took < comparison || took > 2*comparison {
			t.Errorf("%s took %d bytes, want those of one comparison, %d", email, took, comparison)
		}
	}
}

func TestTenantSettingsHaveRanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for field, values := range map[string][2][]any{ // good, bad
		"offline_reassign_interval_minutes": {{5, 600}, {4, 601, "ten"}},
		"answer_assigns_roles":              {{[]string{}, []string{"agent"}}, {[]string{"king"}, "agent"}},
		"space_name":                        {{"x"}, {"", nil}},
		"close_unassigns":                   {{false, nil}, {"yes"}},
	} {
		for _, v := range values[0] {
			w.call(ownerKey, "PATCH", "/v1/tenant-settings", object{field: v}).is(200)
		}
		for _, v := range values[1] {
			if got := w.call(ownerKey, "PATCH", "/v1/tenant-settings", object{field: v}).is(422).pointers(); len(got) != 1 || got[0][:len(field)+1] != "/"+field {
				t.Errorf("%s %v: %v", field, v, got)
			}
		}
	}
	got := w.call(ownerKey, "PATCH", "/v1/tenant-settings", object{"offline_reassign_interval_minutes": nil}).is(200)
	if got.object["offline_reassign_interval_minutes"] != 10.0 || got.object["close_unassigns"] != true {
		t.Errorf("null is not the default: %s", got.raw)
	}
	w.call(ownerKey, "PATCH", "/v1/tenant-settings", object{"colour": "red"}).is(422)
	if other := w.call(otherKey, "GET", "/v1/tenant-settings", nil).is(200).text("space_name"); other != "other" {
		t.Errorf("another tenant's space is called %s now", other)
	}
}

func TestABootstrapIsDoneOnce(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	boss := w.call(ownerKey, "GET", "/v1/users", nil).is(200).list()[0]["id"].(string)
	w.call(ownerKey, "PATCH", "/v1/users/"+boss, object{"password": "changed since then"}).is(200)
	w.call(ownerKey, "PATCH", "/v1/tenant-settings", object{"space_name": "Ours"}).is(200)
	w.build()
	w.login(ownerEmail, ownerWord).is(401)
	w.login(ownerEmail, "changed since then").is(200)
	if users := w.call(ownerKey, "GET", "/v1/users", nil).is(200).list(); len(users) != 1 {
		t.Errorf("%v", users)
	}
	if name := w.call(ownerKey, "GET", "/v1/tenant-settings", nil).is(200).text("space_name"); name != "Ours" {
		t.Errorf("%s", name)
	}
	w.call(ownerKey, "DELETE", "/v1/api-keys/key_first", nil).is(204)
	w.build()
	w.call(ownerKey, "GET", "/v1/auth/me", nil).is(401)
}

// TestALargeSignInIsRefusedEarly: strangers make the process read no more than an address and a password have.
func TestALargeSignInIsRefusedEarly(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	in := func(password string) object { return object{"email": ownerEmail, "password": password} }
	w.call("", "POST", "/v1/auth/login", in(ownerWord)).is(200)
	for name, c := range map[string]struct {
		password string
		announce bool
		status   int
		read     int // bytes at most
	}{
		"the longest password, escaped": {strings.Repeat("😀", 1024), false, 401, 16 << 10},
		"a megabyte":                    {strings.Repeat("x", 1<<20), false, 413, 17 << 10},
		"a megabyte, announced":         {strings.Repeat("x", 1<<20), true, 413, 0},
	} {
		raw, err := json.Marshal(in(c.password))
		w.ok(err)
		escaped := strings.ReplaceAll(string(raw), "😀", `\ud83d\ude00`)
		body := &counted{Reader: strings.NewReader(escaped)}
		req := httptest.NewRequest("POST", "/v1/auth/login", body).WithContext(w.Context())
		req.Header.Set("Content-Type", "application/json")
		if c.announce {
			req.ContentLength = int64(len(escaped))
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, req)
		if rec.Code != c.status || body.n > c.read {
			t.Errorf("%s: %d after %d bytes, want %d after %d at most: %s", name, rec.Code, body.n, c.status, c.read, rec.Body)
		}
	}
}

// counted counts what is read of it.
type counted struct {
	io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}
