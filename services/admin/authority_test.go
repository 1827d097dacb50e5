package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/config"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Every operation on a key or a user is asked of a caller who may do it, but is weaker than the one it is done to or than the
// authority that is given.
func TestNoOperationActsOnOrGivesMoreThanTheCallerHas(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	key := func(ou string, scopes ...auth.Permission) answer {
		return w.call(ownerKey, "POST", "/v1/api-keys", object{"name": "k", "scopes": scopes, "ou_id": ou}).is(201)
	}
	user := func(role, ou string) string {
		return w.call(ownerKey, "POST", "/v1/users", object{"name": "U", "email": "u" + httpapi.NewNonce() + "@example.com", "role": role, "ou_id": ou}).is(201).text("id")
	}
	unit := func(parent string) string {
		return w.call(ownerKey, "POST", "/v1/organization-units", object{"name": "u" + httpapi.NewNonce(), "parent_id": parent}).is(201).text("id")
	}
	north, south := unit(""), unit("")
	northern := unit(north)
	w.call(ownerKey, "PATCH", "/v1/tenant-settings", object{"enforce_ou_isolation": true}).is(200)
	admins := []auth.Permission{auth.APIKeysWrite, auth.UsersWrite, auth.SettingsWrite}
	weak, local := key("", admins...).text("key"), key(north, auth.All...).text("key")
	revoke := func(id string) func(string) answer {
		return func(as string) answer { return w.call(as, "DELETE", "/v1/api-keys/"+id, nil) }
	}
	change := func(id string, patch object) func(string) answer {
		return func(as string) answer { return w.call(as, "PATCH", "/v1/users/"+id, patch) }
	}
	newKey := func(ou string, scopes ...auth.Permission) func(string) answer {
		return func(as string) answer {
			return w.call(as, "POST", "/v1/api-keys", object{"name": "n", "scopes": scopes, "ou_id": ou})
		}
	}
	newUser := func(role, ou string) func(string) answer {
		return func(as string) answer {
			return w.call(as, "POST", "/v1/users", object{"name": "N", "email": "n" + httpapi.NewNonce() + "@example.com", "role": role, "ou_id": ou})
		}
	}
	settings := func(patch object) func(string) answer {
		return func(as string) answer { return w.call(as, "PATCH", "/v1/tenant-settings", patch) }
	}
	owner := event.DeriveID("usr", DefaultTenant, "bootstrap owner")
	for name, tc := range map[string]struct {
		as string
		do func(as string) answer
		ok bool
	}{
		"revoke the bootstrap key":      {weak, revoke("key_first"), false},
		"revoke a stronger key":         {weak, revoke(key("", auth.ReadAll).text("id")), false},
		"revoke an equal key":           {weak, revoke(key("", admins...).text("id")), true},
		"give a stronger key":           {weak, newKey("", auth.AuditRead), false},
		"give an equal key":             {weak, newKey("", admins...), true},
		"make an owner":                 {weak, newUser("owner", ""), false},
		"make an agent":                 {weak, newUser("agent", ""), false},
		"disable the owner":             {weak, change(owner, object{"disabled": true}), false},
		"take the owner's password":     {weak, change(owner, object{"password": "mine from now on"}), false},
		"take the owner's address":      {weak, change(owner, object{"email": "mine@example.com"}), false},
		"lower the owner":               {weak, change(owner, object{"role": "agent"}), false},
		"raise an agent":                {weak, change(user("agent", ""), object{"role": "owner"}), false},
		"rename an agent":               {weak, change(user("agent", ""), object{"name": "X"}), false},
		"a key without a unit":          {local, newKey("", auth.Read), false},
		"a key of another unit":         {local, newKey(south, auth.Read), false},
		"a key of the own unit":         {local, newKey(north, auth.Read), true},
		"a key below the own unit":      {local, newKey(northern, auth.Read), true},
		"revoke one without a unit":     {local, revoke(key("", auth.Read).text("id")), false},
		"revoke one of another unit":    {local, revoke(key(south, auth.Read).text("id")), false},
		"revoke one below":              {local, revoke(key(northern, auth.Read).text("id")), true},
		"a user without a unit":         {local, newUser("agent", ""), false},
		"a user below the own unit":     {local, newUser("agent", northern), true},
		"change one of another unit":    {local, change(user("agent", south), object{"password": "mine from now on"}), false},
		"move one out of the own unit":  {local, change(user("agent", north), object{"ou_id": ""}), false},
		"change one of the own unit":    {local, change(user("agent", north), object{"name": "X"}), true},
		"end the isolation of units":    {local, settings(object{"enforce_ou_isolation": false}), false},
		"change something of the space": {local, settings(object{"space_name": "X"}), true},
	} {
		a := tc.do(tc.as)
		if tc.ok && a.status >= 300 || !tc.ok && (a.status != 403 || a.text("code") != "forbidden") {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	w.call(ownerKey, "GET", "/v1/auth/me", nil).is(200)
	w.login(ownerEmail, ownerWord).is(200)
	w.covers("POST /v1/api-keys", "DELETE /v1/api-keys/{id}", "POST /v1/users", "PATCH /v1/users/{id}", "PATCH /v1/tenant-settings")
}

// covers fails for operations on keys, users, roles or settings that the document has and the table above does not.
func (w *world) covers(known ...string) {
	w.Helper()
	for path, item := range w.spec.Doc.Paths.Map() {
		about := slices.ContainsFunc([]string{"api-keys", "users", "roles", "tenant-settings"}, func(s string) bool { return strings.Contains(path, s) })
		for method := range item.Operations() {
			if op := method + " " + path; about && method != "GET" && !slices.Contains(known, op) {
				w.Errorf("%s is not in the table: who may do it to whom?", op)
			}
		}
	}
}

// restart is a start with another configuration.
func (w *world) restart(key, email, password string) {
	w.Helper()
	*config.Of[Bootstrap](w.env.Config) = Bootstrap{APIKey: key, AdminEmail: email, AdminPassword: password}
	w.build()
}

func TestBootstrapValuesTakeEffectWhenTheyAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	alive := func(key string) bool { return w.call(key, "GET", "/v1/auth/me", nil).status == 200 }
	other := w.call(ownerKey, "POST", "/v1/api-keys", object{"name": "bootstrap", "scopes": []string{"audit.read"}}).is(201).text("key")
	session := w.login(ownerEmail, ownerWord).is(200).text("token")
	second, same := "trb_second_0123456789abcdef0123456789abcdef", "trb_second_fedcba9876543210fedcba9876543210"
	w.restart(second, ownerEmail, ownerWord)
	if alive(ownerKey) || !alive(second) || !alive(other) || !alive(session) {
		t.Errorf("a replaced key: old %v new %v, of the API %v, session %v", alive(ownerKey), alive(second), alive(other), alive(session))
	}
	w.restart(same, ownerEmail, ownerWord)
	if alive(second) || !alive(same) {
		t.Errorf("a replaced secret of the same id: old %v new %v", alive(second), alive(same))
	}
	w.restart("", ownerEmail, ownerWord)
	if !alive(same) {
		t.Error("a key that is not configured any more was revoked")
	}
	w.restart(same, ownerEmail, "another password")
	if alive(session) {
		t.Error("a session outlives the password that was replaced")
	}
	w.login(ownerEmail, ownerWord).is(401)
	w.login(ownerEmail, "another password").is(200)
	owner := event.DeriveID("usr", DefaultTenant, "bootstrap owner")
	w.call(same, "PATCH", "/v1/users/"+owner, object{"password": "of the owner's own"}).is(200)
	w.restart(same, ownerEmail, "another password")
	w.login(ownerEmail, "of the owner's own").is(200)
	w.restart(same, "boss@example.com", "another password")
	w.login(ownerEmail, "of the owner's own").is(401)
	w.login("boss@example.com", "of the owner's own").is(200)
	w.call(same, "DELETE", "/v1/api-keys/key_second", nil).is(204)
	w.restart(same, "boss@example.com", "another password")
	if alive(same) {
		t.Error("a key that was revoked lives again after a start")
	}
	for _, said := range []string{"the key before is revoked", "has another secret", "still valid", "was revoked over the API", "ADMIN_PASSWORD was replaced"} {
		if !strings.Contains(logged.String(), said) {
			t.Errorf("the log does not say: %s", said)
		}
	}
}

// Documents of the first versions carry no mark of the configuration.
func TestABootstrapOfTheFirstVersionIsTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	keys, users := store.NewCollection[directory.APIKey](w.env.DB, directory.APIKeys), store.NewCollection[directory.User](w.env.DB, directory.Users)
	_, err := keys.Update(t.Context(), "key_first", func(k *directory.APIKey) error { k.Bootstrap, k.Scopes = false, k.Scopes[:3]; return nil })
	w.ok(err)
	owner := event.DeriveID("usr", DefaultTenant, "bootstrap owner")
	_, err = users.Update(t.Context(), owner, func(u *directory.User) error { u.Bootstrap = nil; return nil })
	w.ok(err)
	w.restart(ownerKey, ownerEmail, "not the one it has")
	w.login(ownerEmail, ownerWord).is(200)
	if me := w.call(ownerKey, "GET", "/v1/auth/me", nil).is(200); len(me.object["permissions"].([]any)) != len(auth.All) {
		t.Errorf("the key lacks permissions of this version: %s", me.raw)
	}
	w.restart("trb_second_0123456789abcdef0123456789abcdef", ownerEmail, "the next one, chosen now")
	w.call(ownerKey, "GET", "/v1/auth/me", nil).is(401)
	w.login(ownerEmail, "the next one, chosen now").is(200)
	if fmt.Sprint(w.login(ownerEmail, ownerWord).status) != "401" {
		t.Error("the replaced password lets in")
	}
}

func TestLogoutEndsThisSessionAndNoOther(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	first, second := w.login(ownerEmail, ownerWord).is(200).text("token"), w.login(ownerEmail, ownerWord).is(200).text("token")
	w.call(first, "POST", "/v1/auth/logout", nil).is(204)
	w.call(first, "GET", "/v1/auth/me", nil).is(401)
	w.call(second, "GET", "/v1/auth/me", nil).is(200)
	w.call(ownerKey, "POST", "/v1/auth/logout", nil).is(422, "not_applicable")
	w.call("", "POST", "/v1/auth/logout", nil).is(401)
	for range mostEnded + 1 {
		w.call(second, "GET", "/v1/auth/me", nil).is(200)
		u, err := w.env.Directory.UserByEmail(t.Context(), ownerEmail)
		w.ok(err)
		more, _, err := w.env.Auth.Session(u)
		w.ok(err)
		w.call(more, "POST", "/v1/auth/logout", nil).is(204)
		w.call(more, "GET", "/v1/auth/me", nil).is(401)
		if len(u.Ended) == mostEnded {
			break
		}
	}
	w.call(second, "GET", "/v1/auth/me", nil).is(401) // more were ended than are remembered: all are
}

func TestABrowserHoldsItsSessionInACookie(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	in := w.call("", "POST", "/v1/auth/login", object{"email": ownerEmail, "password": ownerWord, "cookie": true}).is(200)
	if _, told := in.object["token"]; told || in.object["user"] == nil || in.text("expires_at") == "" {
		t.Errorf("the answer is %s", in.raw)
	}
	cookie, _, _ := strings.Cut(in.header.Get("Set-Cookie"), ";")
	if cookie == "" {
		t.Fatal("no cookie")
	}
	w.call("", "GET", "/v1/auth/me", nil, "Cookie", cookie).is(200)
	w.call("", "POST", "/v1/auth/logout", nil, "Cookie", cookie, "Sec-Fetch-Site", "cross-site").is(403, "forbidden")
	w.call("", "GET", "/v1/auth/me", nil, "Cookie", cookie).is(200)
	out := w.call("", "POST", "/v1/auth/logout", nil, "Cookie", cookie, "Sec-Fetch-Site", "same-origin").is(204)
	if !strings.Contains(out.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the browser is told %q", out.header.Get("Set-Cookie"))
	}
	w.call("", "GET", "/v1/auth/me", nil, "Cookie", cookie).is(401)
	w.call("", "POST", "/v1/auth/login", object{"email": ownerEmail, "password": ownerWord, "cookie": true}, "Sec-Fetch-Site", "cross-site").is(403, "forbidden")
	if w.login(ownerEmail, ownerWord).is(200).header.Get("Set-Cookie") != "" {
		t.Error("a program is given a cookie")
	}
}

func TestUsersAndChannelsAreShownByTheirNameAloneToWhoMayNotReadThem(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	id := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201).text("id")
	w.call(ownerKey, "POST", "/v1/users", object{"name": "A", "email": "a@example.com", "role": "agent", "password": "an agent's word"}).is(201)
	user := w.call(ownerKey, "POST", "/v1/users", object{"name": "S", "email": "s@example.com", "role": "supervisor", "password": "a supervisor's word"}).is(201).text("id")
	key := func(scopes ...auth.Permission) string {
		return w.call(ownerKey, "POST", "/v1/api-keys", object{"name": "k", "scopes": scopes}).is(201).text("key")
	}
	agent, supervisor := w.login("a@example.com", "an agent's word").text("token"), w.login("s@example.com", "a supervisor's word").text("token")
	for _, tc := range []struct {
		as, path string
		status   int
		whole    bool
	}{
		{key(auth.Read), "/v1/users", 403, false}, {key(auth.Read), "/v1/channels", 403, false}, {key(auth.Read), "/v1/users/" + user, 403, false},
		{key(auth.Read), "/v1/channels/" + id, 403, false}, {key(auth.ReadAll), "/v1/users", 403, false}, {key(auth.UsersRead), "/v1/channels", 403, false},
		{key(auth.UsersRead), "/v1/users", 200, true}, {key(auth.UsersWrite), "/v1/users/" + user, 200, true}, {key(auth.ChannelsRead), "/v1/channels", 200, true},
		{key(auth.ChannelsWrite), "/v1/channels/" + id, 200, true}, {agent, "/v1/users", 200, false}, {agent, "/v1/users/" + user, 200, false},
		{agent, "/v1/channels", 200, false}, {agent, "/v1/channels/" + id, 200, false}, {supervisor, "/v1/users", 200, true}, {supervisor, "/v1/channels", 200, true},
		{agent, "/v1/channels/" + id + "/webhook-log", 403, false}, {supervisor, "/v1/channels/" + id + "/webhook-log", 403, false},
		{key(auth.ChannelsRead), "/v1/channels/" + id + "/webhook-log", 403, false}, {key(auth.WebhookLogRead), "/v1/channels/" + id + "/webhook-log", 200, false},
	} {
		a := w.call(tc.as, "GET", tc.path, nil).is(tc.status)
		whole := strings.Contains(a.raw, "s@example.com") || strings.Contains(a.raw, "webhook_url")
		if whole != tc.whole || tc.status == 200 && !tc.whole && strings.Contains(tc.path, "users") && !strings.Contains(a.raw, `"name":"S"`) {
			t.Errorf("%s: %s", tc.path, a.raw)
		}
	}
	// What a channel can do is known to everybody who may write on it.
	a := w.call(agent, "GET", "/v1/channels/"+id, nil).is(200)
	if rules, ok := a.object["rules"].(map[string]any); !ok || rules["send"] == nil || len(a.object) != 5 {
		t.Errorf("%s", a.raw)
	}
}
