package event_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	generator "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tributaryhq/tributary/pkg/event"
)

var update = flag.Bool("update", false, "add what is new to the frozen schemas")

func schemaPath(t event.Type) string { return filepath.Join("schema", "v1", string(t)+".json") }

// generate makes the schema of a payload. Unknown fields are allowed: an older reader meets newer events.
func generate(t *testing.T, x event.Example) []byte {
	t.Helper()
	r := generator.Reflector{AllowAdditionalProperties: true, DoNotReference: true, Anonymous: true, ExpandedStruct: true, Mapper: textual}
	s := r.Reflect(x.Payload)
	s.Title, s.Description = string(x.Type), "payload on topic "+x.Topic
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// textual maps event.Time, a struct in Go, to what it is on the wire.
func textual(t reflect.Type) *generator.Schema {
	if t == reflect.TypeFor[event.Time]() {
		return &generator.Schema{AnyOf: []*generator.Schema{{Type: "string", Format: "date-time"}, {Type: "null"}}}
	}
	return nil
}

func TestP14_SchemasAreFrozen(t *testing.T) {
	t.Parallel()
	for _, x := range event.Examples() {
		fresh, path := generate(t, x), schemaPath(x.Type)
		frozen, err := os.ReadFile(path)
		if os.IsNotExist(err) && *update {
			frozen, err = fresh, os.WriteFile(path, fresh, 0o644)
		}
		if err != nil {
			t.Errorf("%s: %v (go test ./pkg/event -update adds what is new)", x.Type, err)
			continue
		}
		if lost := shrunk(t, frozen, fresh); lost != "" {
			t.Errorf("%s: the contract only grows, but %s", x.Type, lost)
			continue
		}
		if !bytes.Equal(frozen, fresh) {
			if !*update {
				t.Errorf("%s: the payload has grown: go test ./pkg/event -update\n%s", x.Type, cmp.Diff(string(frozen), string(fresh)))
			} else if err := os.WriteFile(path, fresh, 0o644); err != nil {
				t.Error(err)
			}
		}
	}
}

// shrunk says what of the old schema the new one lacks or demands in addition.
func shrunk(t *testing.T, before, after []byte) string {
	t.Helper()
	var a, b map[string]any
	if err := json.Unmarshal(before, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(after, &b); err != nil {
		t.Fatal(err)
	}
	return compare("", a, b)
}

func compare(at string, a, b map[string]any) string {
	pa, _ := a["properties"].(map[string]any)
	pb, _ := b["properties"].(map[string]any)
	for name, x := range pa {
		there, ok := pb[name]
		if !ok {
			return at + "/" + name + " is gone"
		}
		x, typed := x.(map[string]any)
		y, still := there.(map[string]any)
		if !typed { // anything goes
			if still {
				return at + "/" + name + " takes less than before"
			}
			continue
		}
		if !cmp.Equal(x["type"], y["type"]) {
			return at + "/" + name + " has another type"
		}
		if lost := compare(at+"/"+name, x, y); lost != "" {
			return lost
		}
		ix, _ := x["items"].(map[string]any)
		iy, _ := y["items"].(map[string]any)
		if lost := compare(at+"/"+name+"[]", ix, iy); lost != "" {
			return lost
		}
	}
	needed := map[any]bool{}
	for _, r := range list(a["required"]) {
		needed[r] = true
	}
	for _, r := range list(b["required"]) {
		if !needed[r] && len(pa) > 0 {
			return at + "/" + r.(string) + " is required now"
		}
	}
	return ""
}

func list(v any) []any { l, _ := v.([]any); return l }

func TestExamplesFitTheirSchemas(t *testing.T) {
	t.Parallel()
	seen := map[event.Type]bool{}
	for _, x := range event.Examples() {
		seen[x.Type] = true
		s, err := jsonschema.NewCompiler().Compile(schemaPath(x.Type))
		if err != nil {
			t.Errorf("%s: %v", x.Type, err)
			continue
		}
		b, err := json.Marshal(x.Payload)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v\n%s", x.Type, err, b)
		}
	}
	frozen, err := filepath.Glob("schema/v1/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range frozen {
		if typ := event.Type(filepath.Base(p[:len(p)-len(".json")])); !seen[typ] {
			t.Errorf("%s has a schema and no example: types do not go away", typ)
		}
	}
}

func TestDerivedIDs(t *testing.T) {
	t.Parallel()
	a := event.DeriveID("msg", "t1", "ch_1", "ref")
	if a != event.DeriveID("msg", "t1", "ch_1", "ref") || len(a) != len("msg_")+26 {
		t.Errorf("id %q is not derived alike, or of another length", a)
	}
	for _, parts := range [][]string{{"t1", "ch_1", "reg"}, {"t1", "ch_1r", "ef"}, {"t1", "ch_1", "ref", ""}, {"t2", "ch_1", "ref"}} {
		if event.DeriveID("msg", parts...) == a {
			t.Errorf("%q has the id of another", parts)
		}
	}
	if event.Key("a|b", "c") == event.Key("a", "b|c") {
		t.Error("two keys meet")
	}
}

func TestTimesSortLikeTheirTexts(t *testing.T) {
	t.Parallel()
	for _, s := range []string{`"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.1234567+00:00"`, `"2026-01-02T04:04:05.5+01:00"`, `null`} {
		var v event.Time
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil || (s != "null" && len(b) != len(event.Layout)+2) {
			t.Errorf("%s became %s (%v)", s, b, err)
		}
	}
	if event.Unix(1781524800) != event.Unix(1781524800000) || !event.Unix(0).IsZero() {
		t.Error("seconds and milliseconds are not told apart")
	}
}

// A record, a row or a result of a version without actions is about a message.
func TestP14_WithoutAnActionItIsAMessage(t *testing.T) {
	t.Parallel()
	var o event.Outbound
	if err := json.Unmarshal([]byte(`{"message_id":"msg_1","attempt_id":"try_1","attempt":1,"content":{"type":"text","text":"x"}}`), &o); err != nil || o.Action != nil {
		t.Errorf("%+v, %v", o.Action, err)
	}
	var r event.SendResult
	var s event.Status
	if json.Unmarshal([]byte(`{"attempt_id":"try_1","status":"sent"}`), &r) != nil || json.Unmarshal([]byte(`{"attempt_id":"try_1","status":"sent"}`), &s) != nil || r.Action != "" || s.Action != "" {
		t.Errorf("%q, %q", r.Action, s.Action)
	}
	for _, v := range []any{o, r, s} {
		if b, err := json.Marshal(v); err != nil || bytes.Contains(b, []byte(`"action"`)) {
			t.Errorf("what an older version reads has an action: %s, %v", b, err)
		}
	}
}
