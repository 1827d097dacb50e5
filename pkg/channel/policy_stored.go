package channel

import (
	"encoding/json"
	"reflect"
	"strings"
)

// NotInEffect returns the JSON pointers of what is set in the policy and acted on by no service of this version.
func (p Policy) NotInEffect() []string { return notInEffect("", reflect.ValueOf(p)) }

func notInEffect(at string, v reflect.Value) (out []string) {
	for i := range v.NumField() {
		f, set := v.Type().Field(i), v.Field(i)
		pointer := at + "/" + keyOf(f)
		switch {
		case set.IsZero():
		case f.Tag.Get("effect") == "none":
			out = append(out, pointer)
		case set.Kind() == reflect.Pointer:
			out = append(out, notInEffect(pointer, set.Elem())...)
		}
	}
	return out
}

// Over returns the policy as it is stored in place of an earlier one. Fields of that which this version does not know stay, so that
// a newer version finds them; of an object that is taken away nothing stays.
func (p Policy) Over(stored json.RawMessage) (json.RawMessage, error) {
	fresh, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return keepUnknown(fresh, stored, reflect.TypeFor[Policy]())
}

// keepUnknown adds to an object what a stored one has besides the fields of t.
func keepUnknown(fresh, stored json.RawMessage, t reflect.Type) (json.RawMessage, error) {
	out, old := fieldsOf(fresh), fieldsOf(stored)
	if out == nil || old == nil {
		return fresh, nil
	}
	known := map[string]reflect.Type{}
	for i := range t.NumField() {
		known[keyOf(t.Field(i))] = t.Field(i).Type
	}
	for key, was := range old {
		field, ok := known[key]
		now, there := out[key]
		switch {
		case !ok:
			out[key] = was
		case there && field.Kind() == reflect.Pointer:
			inner, err := keepUnknown(now, was, field.Elem())
			if err != nil {
				return nil, err
			}
			out[key] = inner
		}
	}
	return json.Marshal(out)
}

// fieldsOf returns the fields of an object, nil for what is none.
func fieldsOf(raw json.RawMessage) (fields map[string]json.RawMessage) {
	_ = json.Unmarshal(raw, &fields) // leaves nil
	return fields
}

// keyOf is a field's key in JSON.
func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return key
}
