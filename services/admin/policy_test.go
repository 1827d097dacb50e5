package admin

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// policy stores a policy as another version might have.
func (w *world) policy(id, text string) {
	w.Helper()
	spec := directory.Channels
	spec.Facts = false
	doc, err := store.NewCollection[directory.Channel](w.env.DB, spec).Update(w.Context(), id, func(c *directory.Channel) error {
		c.Policy = json.RawMessage(text)
		c.Version++
		return nil
	})
	w.ok(err)
	w.env.Directory.Changed(event.Config{Entity: directory.EntityChannel, ID: id, Version: doc.Version})
}

func TestAPatchKeepsWhatANewerVersionStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201).text("id")
	w.policy(id, `{"reopen":"reopen","push":{"enabled":true},"routing":{"sticky":1,"mode":"skill_queue"}}`)
	got := w.call(ownerKey, "PATCH", "/v1/channels/"+id, object{"reopen": nil, "routing": object{"access_code": nil, "mode": nil}}).is(200)
	want := map[string]any{"push": map[string]any{"enabled": true}, "routing": map[string]any{"sticky": 1.0}, "reopen": nil}
	have := map[string]any{}
	for key := range want {
		have[key] = got.object[key]
	}
	if d := gocmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	w.call(ownerKey, "PATCH", "/v1/channels/"+id, object{"push": object{"enabled": false}}).is(422)
}

// What an earlier version took must not keep its owner from changing something else.
func TestAWrongValueThatIsStoredIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201).text("id")
	w.policy(id, `{"routing":{"last_agent":{"enabled":true,"validity_hours":1000}},"reopen":"once"}`)
	w.call(ownerKey, "PATCH", "/v1/channels/"+id, object{"name": "other"}).is(200)
	a := w.call(ownerKey, "PATCH", "/v1/channels/"+id, object{"reopen": "twice"}).is(422)
	if got := a.pointers(); !slices.Equal(got, []string{"/reopen"}) {
		t.Errorf("%v", got)
	}
}

func TestAChannelNamesWhatIsNotInEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.call(ownerKey, "POST", "/v1/channels", merged(toy("a"), object{"on_unknown": "retry"})).is(201)
	if _, there := made.object["not_in_effect"]; there {
		t.Error(made.raw)
	}
	path := "/v1/channels/" + made.text("id")
	patch := object{"agent_no_answer_minutes": 5, "auto_reply": object{"greeting": object{"enabled": true, "text": "hello"}}}
	want := []any{"/auto_reply", "/agent_no_answer_minutes"}
	for method, a := range map[string]answer{"PATCH": w.call(ownerKey, "PATCH", path, patch).is(200), "GET": w.call(ownerKey, "GET", path, nil).is(200)} {
		if d := gocmp.Diff(want, a.object["not_in_effect"]); d != "" {
			t.Errorf("%s: %s", method, d)
		}
	}
}

// The description says the same of a setting as its field does.
func TestTheDescriptionSaysWhatIsNotInEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range reflect.TypeFor[channel.Policy]().NumField() {
		f := reflect.TypeFor[channel.Policy]().Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		for _, schema := range []string{"ChannelInput", "ChannelPatch"} {
			described := w.spec.Doc.Components.Schemas[schema].Value.Properties[key]
			if described == nil {
				t.Fatalf("%s does not describe %s", schema, key)
			}
			idle, says := f.Tag.Get("effect") == "none", strings.Contains(described.Value.Description, "not_in_effect")
			if idle != says {
				t.Errorf("%s: %s has an effect: %v; the description says %q", schema, key, !idle, described.Value.Description)
			}
		}
	}
}

// rate is the first rate among a channel's rules, its calls at once, and how large its files may be.
func (a answer) rate() (n, atOnce, maxMedia any) {
	a.Helper()
	rules, _ := a.object["rules"].(map[string]any)
	send, _ := rules["send"].(map[string]any)
	rates, _ := send["rates"].([]any)
	if len(rates) == 0 {
		a.Fatalf("no rates: %s", a.raw)
	}
	return rates[0].(map[string]any)["n"], send["concurrency"], rules["max_media"]
}

func TestAChannelShowsItsOwnRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.call(ownerKey, "POST", "/v1/channels", toy("a")).is(201)
	slow := toy("b")
	slow["settings"].(object)["size"] = 3
	made := w.call(ownerKey, "POST", "/v1/channels", slow, "Idempotency-Key", "k").is(201)
	path := "/v1/channels/" + made.text("id")
	fancy := object{"settings": object{"mode": "fancy", "size": 7}, "secrets": object{"charm": "c"}}
	for _, step := range []struct {
		what                string
		a                   answer
		n, atOnce, maxMedia float64
	}{
		{"as the type", plain, 10, 4, 20 << 20}, {"by its setting", made, 3, 4, 20 << 20},
		{"repeated", w.call(ownerKey, "POST", "/v1/channels", slow, "Idempotency-Key", "k").is(201), 3, 4, 20 << 20},
		{"read", w.call(ownerKey, "GET", path, nil).is(200), 3, 4, 20 << 20},
		{"patched", w.call(ownerKey, "PATCH", path, fancy).is(200), 7, 1, 2000 << 20},
		{"read again", w.call(ownerKey, "GET", path, nil).is(200), 7, 1, 2000 << 20},
	} {
		if n, atOnce, maxMedia := step.a.rate(); n != step.n || atOnce != step.atOnce || maxMedia != step.maxMedia {
			t.Errorf("%s: %v calls a second, %v at once, files of %v bytes; want %v, %v and %v", step.what, n, atOnce, maxMedia, step.n, step.atOnce, step.maxMedia)
		}
	}
	for _, listed := range w.call(ownerKey, "GET", "/v1/channels", nil).is(200).list() {
		if _, there := listed["rules"]; there {
			t.Error("rules in a list")
		}
	}
}
