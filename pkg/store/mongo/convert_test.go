package mongo

import (
	"encoding/json"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/store"
)

var converted = &collection{spec: store.Spec{Name: "things", Expires: true}}

func roundTrip(t interface{ Fatal(...any) }, doc string) string {
	d, err := converted.toBSON("x", 7, json.RawMessage(doc))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := fromBSON(b)
	if err != nil || raw.ID != "x" || raw.Rev != 7 {
		t.Fatal(raw, err)
	}
	return string(raw.JSON)
}

func TestConvert(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{
		"id":       {`{"n":1,"_id":"x"}`, `{"_id":"x","n":1}`},
		"numbers":  {`{"a":9007199254740993,"b":-1,"c":0.1,"d":1.0}`, `{"_id":"x","a":9007199254740993,"b":-1,"c":0.1,"d":1}`},
		"too long": {`{"a":123456789012345678901234567890}`, `{"_id":"x","a":123456789012345678901234567890}`},
		"keys":     {`{"a":{"$b.c":1,"\\s":2,"":3,"\u0000":4}}`, `{"_id":"x","a":{"$b.c":1,"\\s":2,"":3,"\u0000":4}}`},
		"nothing":  {`{"a":null,"b":[],"c":{}}`, `{"_id":"x","a":null,"b":[],"c":{}}`},
		"expiry":   {`{"expires_at":"2024-01-02T03:04:05.006Z"}`, `{"_id":"x","expires_at":"2024-01-02T03:04:05.006Z"}`},
	} {
		if diff := cmp.Diff(tt.want, roundTrip(t, tt.in)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	d, err := converted.toBSON("x", 1, json.RawMessage(`{"expires_at":"2024-01-02T03:04:05.006Z"}`))
	if err != nil || d[len(d)-1].Key != fieldExpires {
		t.Errorf("%v, %v: a document that expires has a date for it", d, err)
	}
	for name, in := range map[string]string{
		"half": `{"a":`, "no object": `[]`, "empty": ``, "bad expiry": `{"expires_at":"soon"}`, "beyond numbers": `{"a":1e99999}`,
	} {
		if d, err := converted.toBSON("x", 1, json.RawMessage(in)); err == nil {
			t.Errorf("%s: taken as %v", name, d)
		}
	}
}

// TestConvertAnything: whatever JSON a document holds comes back the same.
func TestConvertAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := map[string]any{"tree": tree(t, 4)}
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(roundTrip(t, string(b))), &got); err != nil {
			t.Fatal(err)
		}
		doc["_id"] = "x"
		var want map[string]any
		b, _ = json.Marshal(doc)
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func tree(t *rapid.T, depth int) any {
	key := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"a", "$", ".", `\`, "\x00", "é", "s", "d", "0"})).Draw(t, "parts"), "")
	})
	switch n := rapid.IntRange(0, 7).Draw(t, "kind"); {
	case n == 0 && depth > 0:
		out := map[string]any{}
		for _, k := range rapid.SliceOfN(key, 0, 3).Draw(t, "keys") {
			out[k] = tree(t, depth-1)
		}
		return out
	case n == 1 && depth > 0:
		out := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			out = append(out, tree(t, depth-1))
		}
		return out
	case n == 2:
		return rapid.Float64().Draw(t, "float")
	case n == 3:
		return rapid.Int64().Draw(t, "int")
	case n == 4:
		return rapid.Bool().Draw(t, "bool")
	case n == 5:
		return nil
	}
	return rapid.String().Draw(t, "text")
}
