package admin

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/auth"
)

func TestOperationsOfAChannelAreRedirectedToItsService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.call(ownerKey, "POST", "/v1/channels", toy("b"), "Idempotency-Key", "1").is(201)
	id := made.text("id")
	reader := w.call(ownerKey, "POST", "/v1/api-keys", object{"name": "r", "scopes": []string{string(auth.ChannelsRead)}}).is(201).text("key")
	for operation, body := range map[string]any{
		"test": nil, "simulate": object{"body": object{"update_id": 1}, "query": object{"a": []string{"b"}}}, "replay": object{"partition": 1, "offset": 2},
	} {
		path := "/v1/channels/" + id + "/" + operation
		got := w.call(ownerKey, "POST", path, body).is(307)
		if want := "/webhooks/" + made.text("type") + "/" + id + "/~" + operation; got.header.Get("Location") != want {
			t.Errorf("%s leads to %q, want %q", path, got.header.Get("Location"), want)
		}
		w.call(reader, "POST", path, body).is(403)
		w.call(otherKey, "POST", path, body).is(404)
		w.call("", "POST", path, body).is(401)
	}
	w.call(ownerKey, "POST", "/v1/channels/"+id+"/simulate", object{}).is(422)
	w.call(ownerKey, "POST", "/v1/channels/"+id+"/replay", object{"partition": 1, "ofset": 2}).is(422)
}
