package admin

import "testing"

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
