package admin

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/directory"
)

func TestARepeatedCallMakesNoSecondAPIKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := object{"name": "k", "scopes": []string{"audit.read"}}
	create := func(key string, in object) answer {
		return w.call(ownerKey, "POST", "/v1/api-keys", in, "Idempotency-Key", key)
	}
	first := create("same", body).is(201)
	again := create("same", body).is(201)
	if again.text("id") != first.text("id") || again.text("key") != first.text("key") || again.text("key") == "" || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("first %s, again %s", first.raw, again.raw)
	}
	w.call(again.text("key"), "GET", "/v1/audit-log", nil).is(200)
	create("same", object{"name": "other", "scopes": []string{"audit.read"}}).is(422)
	if other := create("another", body).is(201); other.text("id") == first.text("id") || other.text("key") == first.text("key") {
		t.Errorf("another call made the same key: %s", other.raw)
	}
	if plain := w.call(ownerKey, "POST", "/v1/api-keys", body).is(201); plain.text("id") == first.text("id") {
		t.Errorf("a call without the header made the same key: %s", plain.raw)
	}
	w.call(ownerKey, "DELETE", "/v1/api-keys/"+first.text("id"), nil).is(204)
	create("same", body).is(409)
}

// TestARepeatedCallIsTheSameAfterTheKeysWereRotated: the first answer comes again, also when the former key is there no more.
func TestARepeatedCallIsTheSameAfterTheKeysWereRotated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	creates := map[string]object{
		"/v1/channels":           toy("a"),
		"/v1/users":              {"name": "Ana", "email": "ana@example.com", "role": "agent"},
		"/v1/api-keys":           {"name": "k", "scopes": []string{"audit.read"}},
		"/v1/organization-units": {"name": "North"},
	}
	create := func(path string, body object) answer {
		return w.call(ownerKey, "POST", path, body, "Idempotency-Key", "same")
	}
	first := map[string]answer{}
	for path, body := range creates {
		first[path] = create(path, body).is(201)
	}
	for _, letters := range []string{"nk", "n"} { // both keys, then the new one alone
		w.rekey(letters)
		if letters == "nk" {
			_, err := directory.Reseal(t.Context(), w.env.DB, w.env.Sealer, false, func(directory.Resealed) {})
			w.ok(err)
		}
		for path, body := range creates {
			again := create(path, body).is(201)
			if again.raw != first[path].raw || again.header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("keys %s, %s: first %s, again %s", letters, path, first[path].raw, again.raw)
			}
			create(path, object{"name": "another", "type": "telegram", "role": "agent", "email": "b@example.com", "scopes": []string{"audit.read"}}).is(422)
		}
	}
}
