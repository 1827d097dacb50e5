package httpapi

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/tributaryhq/tributary/pkg/fault"
)

type thing struct {
	Name  string             `json:"name"`
	Count int                `json:"count"`
	Deep  map[string]any     `json:"deep,omitempty"`
	Inner struct{ A, B int } `json:"inner"`
}

// FuzzDecode reads bodies of clients: an error that blames the body, or a value.
func FuzzDecode(f *testing.F) {
	for _, x := range []string{``, `{}`, `{"name":"x","count":1}`, `{"nam":1}`, `{"count":"x"}`, `{"count":1e99}`, `[]`, `null`, `{} {}`, `{"inner":{"a":"x"}}`} {
		f.Add([]byte(x))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var v thing
		if err := Decode(raw, &v); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}

// FuzzMergePatch applies patches: twice is like once, an empty one changes nothing, and a bad one leaves everything as it was.
func FuzzMergePatch(f *testing.F) {
	for _, x := range []string{`{}`, `{"name":null}`, `{"deep":{"a":{"b":null,"c":[1]}}}`, `{"deep":null}`, `{"count":"x"}`, `{"x":1}`, `[]`, `null`, `{"inner":{"A":5}}`, ` {`} {
		f.Add([]byte(x))
	}
	f.Fuzz(func(t *testing.T, patch []byte) {
		fresh := func() thing {
			return thing{Name: "n", Count: 3, Deep: map[string]any{"a": map[string]any{"b": "c"}, "d": 1.0}}
		}
		v, was := fresh(), fresh()
		if err := MergePatch(&v, patch); err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%q: %v", patch, err)
			}
			if !reflect.DeepEqual(v, was) {
				t.Fatalf("%q failed with %v, and changed it to %+v", patch, err, v)
			}
			return
		}
		once, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := MergePatch(&v, patch); err != nil {
			t.Fatalf("%q cannot be repeated: %v", patch, err)
		}
		if twice, err := json.Marshal(v); err != nil || string(once) != string(twice) {
			t.Fatalf("%q twice: %s, %s", patch, once, twice)
		}
	})
}
