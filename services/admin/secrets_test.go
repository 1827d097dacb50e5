package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Secrets come in and never go out: they are planted by every call that takes one, and looked for in all that is kept, answered
// and logged.
func TestP11_SecretsNeverComeBack(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	plant := func(s string) string { return "planted-" + s + "-9f2c71" }
	in := toy("a")
	in["secrets"] = object{"token": plant("one"), "verify_token": plant("verify")}
	id := w.call(ownerKey, "POST", "/v1/channels", in, "Idempotency-Key", "k").is(201).text("id")
	path := "/v1/channels/" + id
	w.call(ownerKey, "POST", "/v1/channels", in, "Idempotency-Key", "k").is(201)
	w.call(ownerKey, "PATCH", path, object{"secrets": object{"token": plant("two")}}).is(200)
	w.call(ownerKey, "PATCH", path, object{"secrets": object{"token": plant("three"), "tokn": plant("misplaced")}}).is(422)
	w.call(ownerKey, "PATCH", path, object{"secrets": plant("misshapen")}).is(422)
	w.call(ownerKey, "POST", "/v1/channels", object{"type": "telegram", "name": "x", "settings": object{"bot": "a"}, "secrets": object{"token": plant("four")}}).is(409)
	w.call(ownerKey, "POST", "/v1/users", object{"name": "A", "email": "a@example.com", "role": "agent", "password": plant("password")}).is(201)
	w.call("", "POST", "/v1/auth/login", object{"email": "a@example.com", "password": plant("password")}).is(200)
	w.call("", "POST", "/v1/auth/login", object{"email": "a@example.com", "password": plant("guess")}).is(401)
	for _, p := range []string{"/v1/channels", path, "/v1/users", "/v1/audit-log", "/v1/api-keys", path + "/webhook-log"} {
		w.call(ownerKey, "GET", p, nil).is(200)
	}
	kept := everything(w)
	if !strings.Contains(kept, id) || !strings.Contains(kept, "channel.changed") {
		t.Fatal("the store was not read")
	}
	for where, text := range map[string]string{"the store": kept, "an answer": w.answers.String(), "the log": logged.String()} {
		for _, secret := range []string{"planted-", ownerWord, ownerKey} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s shows a secret: …%.120s", where, text[max(0, i-60):])
			}
		}
	}
	k, err := w.env.Directory.Channel(t.Context(), id)
	w.ok(err)
	if got := k.Secrets["token"]; !slices.Equal(got, []string{plant("two"), plant("one")}) {
		t.Errorf("the adapter gets %q", got)
	}
}

// everything is all documents of the service as they lie in the store, pending facts included.
func everything(w *world) string {
	var b strings.Builder
	for _, spec := range append([]store.Spec{auditSpec, headSpec}, directory.Specs...) {
		ids := map[string]bool{}
		for _, tenant := range []string{DefaultTenant, "other"} {
			ids[tenant] = true
		}
		for _, index := range spec.Indexes {
			if index.Fields[0] != "tenant" {
				continue
			}
			page, err := w.env.DB.Query(w.Context(), spec.Name, store.Query{Where: []store.Eq{{Field: "tenant", Value: DefaultTenant}}, Order: index.Fields[1], Limit: store.MaxLimit})
			if err == nil {
				for _, d := range page.Docs {
					ids[d.ID] = true
				}
			}
		}
		for id := range ids {
			raws, err := w.env.DB.Get(w.Context(), spec.Name, id)
			w.ok(err)
			b.Write(raws[0].JSON)
		}
	}
	return b.String()
}

func TestRotationKeepsTwoValuesAlive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := toy("a")
	in["secrets"] = object{"token": "v1", "verify_token": "hello"}
	id := w.call(ownerKey, "POST", "/v1/channels", in).is(201).text("id")
	live := func() []string {
		k, err := w.env.Directory.Channel(t.Context(), id)
		w.ok(err)
		return k.Secrets["token"]
	}
	for _, step := range []struct {
		set  string
		want []string
	}{{"v2", []string{"v2", "v1"}}, {"v2", []string{"v2", "v1"}}, {"v3", []string{"v3", "v2"}}, {"v2", []string{"v2", "v3"}}} {
		a := w.call(ownerKey, "PATCH", "/v1/channels/"+id, object{"secrets": object{"token": step.set}}).is(200)
		if got := live(); !slices.Equal(got, step.want) {
			t.Errorf("after %s: %v, want %v", step.set, got, step.want)
		}
		if fmt.Sprint(a.object["secrets"]) != "map[token:set verify_token:set]" {
			t.Errorf("%s", a.raw)
		}
	}
	if _, err := w.env.Directory.BySecret(t.Context(), form.Type, "hello"); err != nil {
		t.Error(err)
	}
	a := w.call(ownerKey, "PATCH", "/v1/channels/"+id, object{"secrets": object{"verify_token": nil}}).is(200)
	if fmt.Sprint(a.object["secrets"]) != "map[token:set]" {
		t.Errorf("null does not take a secret away: %s", a.raw)
	}
	if _, err := w.env.Directory.BySecret(t.Context(), form.Type, "hello"); err == nil {
		t.Error("a verify token that was taken away still leads to the channel")
	}
	if got := w.call(ownerKey, "PATCH", "/v1/channels/"+id, object{"secrets": nil}).is(422).pointers(); !slices.Equal(got, []string{"/secrets/token"}) {
		t.Errorf("%v", got)
	}
	w.call(ownerKey, "DELETE", "/v1/channels/"+id, nil).is(204)
	if _, raw := stored(w, store.NewCollection[directory.Channel](w.env.DB, directory.Channels), id); strings.Contains(raw, "v1.") {
		t.Errorf("a deleted channel keeps its secrets: %s", raw)
	}
}

func TestTheAuditChainShowsEveryChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 4 {
		w.call(ownerKey, "POST", "/v1/organization-units", object{"name": fmt.Sprint(i)}).is(201)
	}
	check := func(want string) {
		t.Helper()
		a := w.call(ownerKey, "GET", "/v1/audit-log/verification", nil).is(200)
		if got := fmt.Sprint(a.object["intact"], " ", a.object["verified_to"], " ", a.object["broken_at"]); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	check("true 4 <nil>")
	lines := w.call(ownerKey, "GET", "/v1/audit-log", nil).is(200).list()
	if len(lines) != 4 || lines[0]["action"] != "organization_unit.created" || lines[0]["actor"].(map[string]any)["id"] != "key_first" {
		t.Fatalf("%v", lines)
	}
	c := store.NewCollection[Entry](w.env.DB, auditSpec)
	id := lines[2]["id"].(string)
	change := func(f func(*Entry)) {
		t.Helper()
		_, err := c.Update(t.Context(), id, func(e *Entry) error { f(e); return nil })
		w.ok(err)
	}
	change(func(e *Entry) { e.Actor.ID = "usr_innocent" })
	check("false 1 2")
	change(func(e *Entry) { e.Hash = e.chain() }) // a forger who knows how: the line behind it tells
	check("false 2 3")
	change(func(e *Entry) { e.Actor.ID = "key_first"; e.Hash = e.chain() })
	check("true 4 <nil>")
	w.ok(c.Delete(t.Context(), id))
	check("false 1 2")
	if b, err := json.Marshal(w.call(ownerKey, "GET", "/v1/audit-log/verification?after=2", nil).is(200).object["intact"]); err != nil || string(b) != "false" {
		t.Errorf("%s (%v): the line to go on from is not there", b, err)
	}
	if a := w.call(ownerKey, "GET", "/v1/audit-log/verification?after=3", nil).is(200); a.object["intact"] != true {
		t.Errorf("%s", a.raw)
	}
}

// TestASecretThatDoesNotOpenIsReplaced: the channel says which it is, a patch of it mends the channel, and nothing of what does not
// open is left.
func TestASecretThatDoesNotOpenIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, ownerEmail)
	id := w.call(ownerKey, "POST", "/v1/channels", toy("a"), "Idempotency-Key", "k").is(201).text("id")
	path := "/v1/channels/" + id
	lost, err := auth.NewSealer(bytes.Repeat([]byte("x"), 32))
	w.ok(err)
	channels := store.NewCollection[directory.Channel](w.env.DB, directory.Channels)
	doc, err := channels.Update(t.Context(), id, func(c *directory.Channel) error {
		c.Version++
		c.Sealed["token"] = []string{lost.Seal("old", c.Tenant, c.ID, "token")}
		return nil
	})
	w.ok(err)
	w.env.Directory.Changed(event.Config{Entity: directory.EntityChannel, ID: id, Version: doc.Version})
	secrets, _ := w.call(ownerKey, "GET", path, nil).is(200).object["secrets"].(map[string]any)
	if secrets["token"] != "unreadable" {
		t.Errorf("shown as %v", secrets)
	}
	if _, err := w.env.Directory.Channel(t.Context(), id); fault.Of(err) == nil || fault.Of(err).Code != "channel_unreadable" {
		t.Errorf("before: %v", err)
	}
	w.call(ownerKey, "PATCH", path, object{"secrets": object{"token": "new"}}).is(200)
	k, err := w.env.Directory.Channel(t.Context(), id)
	if err != nil || !slices.Equal(k.Secrets["token"], []string{"new"}) {
		t.Errorf("after: %q, %v", k.Secrets["token"], err)
	}
	secrets, _ = w.call(ownerKey, "GET", path, nil).is(200).object["secrets"].(map[string]any)
	if secrets["token"] != "set" {
		t.Errorf("then shown as %v", secrets)
	}
}

func TestAReplacedSecretExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201).text("id")
	path := "/v1/channels/" + id
	live := func(want ...string) {
		t.Helper()
		k, err := w.env.Directory.Channel(t.Context(), id)
		w.ok(err)
		if got := k.Secrets["token"]; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	set := func(body object) answer { t.Helper(); return w.call(ownerKey, "PATCH", path, body).is(200) }
	if a := set(object{"secrets": object{"token": "v2"}}); !strings.Contains(a.raw, `"previous_secrets":{"token":{"valid_until":"`) {
		t.Errorf("%s", a.raw)
	}
	live("v2", "token of a")
	w.later(directory.SecretOverlap - time.Second)
	set(object{"name": "renamed"}) // which is no other replacement
	live("v2", "token of a")
	w.later(time.Second)
	live("v2")
	if a := w.call(ownerKey, "GET", path, nil).is(200); strings.Contains(a.raw, "previous_secrets") {
		t.Errorf("%s", a.raw)
	}
	set(object{"secrets": object{"token": "v3"}, "secret_overlap_minutes": 5})
	w.later(4 * time.Minute)
	live("v3", "v2")
	set(object{"secret_overlap_minutes": 0}) // it leaked
	live("v3")
	set(object{"secrets": object{"token": "v4"}})
	live("v4")
	for _, minutes := range []int{-1, mostOverlap + 1} {
		w.call(ownerKey, "PATCH", path, object{"secret_overlap_minutes": minutes}).is(422)
	}
	// The first versions did not say until when: there it is a day from the last change on.
	set(object{"secret_overlap_minutes": nil})
	set(object{"secrets": object{"token": "v5"}})
	channels := store.NewCollection[directory.Channel](w.env.DB, directory.Channels)
	doc, err := channels.Update(t.Context(), id, func(c *directory.Channel) error { c.Previous = nil; c.Version++; return nil })
	w.ok(err)
	w.env.Directory.Changed(event.Config{Entity: directory.EntityChannel, ID: id, Version: doc.Version})
	live("v5", "v4")
	w.later(directory.SecretOverlap)
	live("v5")
}

func TestASecretThatPeopleChooseHasALeastLength(t *testing.T) {
	t.Parallel()
	chosen, given := channel.Field{Key: "chosen", Label: "Chosen", Secret: true, MinLength: 16}, channel.Field{Key: "given", Label: "Given", Secret: true}
	for value, want := range map[string]int{"x": 1, "fifteen letters": 1, "sixteen letters!": 0} {
		var bad httpapi.Fields
		for _, f := range []channel.Field{chosen, given} {
			checkField(f, channel.Settings{}, map[string]string{"chosen": value, "given": value}, nil, &bad)
		}
		if len(bad) != want || want == 1 && (bad[0].Pointer != "/secrets/chosen" || bad[0].Code != "out_of_range") {
			t.Errorf("%q: %v", value, bad)
		}
	}
	var bad httpapi.Fields
	if checkField(chosen, channel.Settings{}, nil, map[string][]string{"chosen": {"sealed"}}, &bad); len(bad) > 0 {
		t.Errorf("a short one that is kept: %v", bad)
	}
}
