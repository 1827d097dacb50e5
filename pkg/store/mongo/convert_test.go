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
		"escapes":  {`{"":1,"\\e":2,"$":{"":{"":[]}}}`, `{"_id":"x","":1,"\\e":2,"$":{"":{"":[]}}}`},
		"nothing":  {`{"a":null,"b":[],"c":{}}`, `{"_id":"x","a":null,"b":[],"c":{}}`},
		"expiry":   {`{"expires_at":"2024-01-02T03:04:05.006Z"}`, `{"_id":"x","expires_at":"2024-01-02T03:04:05.006Z"}`},
	} {
		if diff := cmp.Diff(tt.want, roundTrip(t, tt.in)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, number := range []string{
		"0", "-0", "-0.0", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890123456789",
		"0.10000000000000000001", "1e400", "-1E+99999", "1e-99999", "1e99999999999999999999999", "5e-324", "1.7976931348623157e308", "1e21", "0e9",
		"12345678901234567890.5", "0.000001", "1.50",
	} {
		got := strings.TrimSuffix(strings.TrimPrefix(roundTrip(t, `{"a":[`+number+`]}`), `{"_id":"x","a":[`), `]}`)
		if !sameNumber(number, got) && number != got {
			t.Errorf("%s came back as %s", number, got)
		}
	}
	d, err := converted.toBSON("x", 1, json.RawMessage(`{"expires_at":"2024-01-02T03:04:05.006Z"}`))
	if err != nil || d[len(d)-1].Key != fieldExpires {
		t.Errorf("%v, %v: a document that expires has a date for it", d, err)
	}
	for name, in := range map[string]string{
		"half": `{"a":`, "no object": `[]`, "empty": ``, "bad expiry": `{"expires_at":"soon"}`,
	} {
		if d, err := converted.toBSON("x", 1, json.RawMessage(in)); err == nil {
			t.Errorf("%s: taken as %v", name, d)
		}
	}
}

// TestConvertAsWritten: what BSON cannot hold comes back byte for byte.
func TestConvertAsWritten(t *testing.T) {
	t.Parallel()
	deep := func(n int, open, inner, shut string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(shut, n)
	}
	for name, value := range map[string]string{
		"39 digits":           "123456789012345678901234567890123456789",
		"minus 39 digits":     "-123456789012345678901234567890123456789.5",
		"huge exponent":       "1e99999",
		"exponent beyond int": "1e99999999999999999999999",
		"300 arrays":          deep(300, "[", "1", "]"),
		"300 objects":         deep(300, `{"a":`, `{"$x.y":-0}`, "}"),
		"9000 levels":         deep(4500, `[{"":`, "null", "}]"),
		"text of NaN":         `["NaN","-Infinity"]`,
		"half a pair":         `["\ud800",{"a":"x\udc00y"}]`,
		"half a pair in keys": `[{"a":1, "\ud800" : {"b":2}},{"c":3}]`,
		"spaces within":       deep(100, "[ ", `{"a" : 1}`, "]"),
	} {
		in := `{"a":` + value + `,"z":1}`
		got := roundTrip(t, in)
		if name == "spaces within" { // outside of what is kept as text they mean nothing
			got, in = strings.ReplaceAll(got, " ", ""), strings.ReplaceAll(in, " ", "")
		}
		if want := `{"_id":"x",` + in[1:]; name != "half a pair in keys" && got != want {
			t.Errorf("%s: %.300s", name, got)
		}
		if name == "half a pair in keys" && got != `{"_id":"x","a":[{"a":1, "\ud800" : {"b":2}},{"c":3}],"z":1}` {
			t.Errorf("%s: %s", name, got)
		}
	}
	d, err := converted.encode("x", 1, json.RawMessage(`{"a":`+deep(300, "[", "1", "]")+`}`))
	if err != nil {
		t.Fatal(err)
	}
	depth := 0
	for v := d.Lookup("a"); v.Type == bson.TypeArray; v = bson.Raw(v.Array()).Lookup("0") {
		depth++
	}
	if depth >= 100 {
		t.Errorf("stored in %d levels: MongoDB takes 100", depth)
	}
}

// TestStoredBefore: documents as earlier versions stored them.
func TestStoredBefore(t *testing.T) {
	t.Parallel()
	long, err := bson.ParseDecimal128("123456789012345678901234567890")
	if err != nil {
		t.Fatal(err)
	}
	b, err := bson.Marshal(bson.D{
		{Key: "_id", Value: "x"}, {Key: "_rev", Value: int64(7)}, {Key: "long", Value: long}, {Key: "n", Value: int32(3)}, {Key: "f", Value: -0.5},
		{Key: `\sset`, Value: bson.D{{Key: "", Value: 1}, {Key: `a\db\\`, Value: true}}}, {Key: "list", Value: bson.A{"1", nil}},
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := fromBSON(b)
	want := `{"_id":"x","long":123456789012345678901234567890,"n":3,"f":-0.5,"$set":{"":1,"a.b\\":true},"list":["1",null]}`
	if diff := cmp.Diff(want, string(raw.JSON)); err != nil || diff != "" {
		t.Error(err, diff)
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
