package mongo

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tributaryhq/tributary/pkg/store"
)

// fromBSON makes the JSON of a stored document.
func fromBSON(raw bson.Raw) (store.Raw, error) {
	elems, err := raw.Elements()
	if err != nil {
		return store.Raw{}, fmt.Errorf("mongo: stored document: %w", err)
	}
	var out store.Raw
	b := append(make([]byte, 0, len(raw)), '{')
	for _, e := range elems {
		switch e.Key() {
		case fieldRev:
			out.Rev = e.Value().AsInt64()
			continue
		case fieldExpires:
			continue
		case fieldID:
			out.ID, _ = e.Value().StringValueOK()
		}
		if b, err = appendField(b, e); err != nil {
			return store.Raw{}, fmt.Errorf("mongo: stored document %q: %w", out.ID, err)
		}
	}
	out.JSON = append(b, '}')
	return out, nil
}

func appendField(b []byte, e bson.RawElement) ([]byte, error) {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(appendText(b, unescapeKey.Replace(e.Key())), ':')
	return appendValue(b, e.Value())
}

func appendValue(b []byte, v bson.RawValue) ([]byte, error) {
	switch v.Type {
	case bson.TypeString:
		return appendText(b, v.StringValue()), nil
	case bson.TypeInt64, bson.TypeInt32:
		return strconv.AppendInt(b, v.AsInt64(), 10), nil
	case bson.TypeDouble:
		return appendFloat(b, v.Double())
	case bson.TypeDecimal128:
		return append(b, v.Decimal128().String()...), nil
	case bson.TypeBinary:
		_, data := v.Binary() // JSON is the only thing that is kept in binary; servers that forget the subtype are read, too
		return append(b, data...), nil
	case bson.TypeBoolean:
		return strconv.AppendBool(b, v.Boolean()), nil
	case bson.TypeNull:
		return append(b, "null"...), nil
	case bson.TypeEmbeddedDocument:
		elems, err := v.Document().Elements()
		if err != nil {
			return nil, err
		}
		b = append(b, '{')
		for _, e := range elems {
			if b, err = appendField(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case bson.TypeArray:
		values, err := v.Array().Values()
		if err != nil {
			return nil, err
		}
		b = append(b, '[')
		for i, e := range values {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendValue(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
	return nil, fmt.Errorf("a value of type %s is not ours", v.Type)
}

func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fmt.Errorf("number %v is not JSON", f)
	}
	j, err := json.Marshal(f)
	return append(b, j...), err
}

func appendText(b []byte, s string) []byte {
	j, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always encodes
	}
	return append(b, j...)
}

// keyOf is the value of a field that orders, as it stands in a cursor.
func keyOf(raw bson.Raw, path []string) any {
	v, err := raw.LookupErr(path...)
	if err != nil {
		return nil
	}
	switch v.Type {
	case bson.TypeString:
		return v.StringValue()
	case bson.TypeInt64, bson.TypeInt32:
		return v.AsInt64()
	case bson.TypeDouble:
		return v.Double()
	case bson.TypeBoolean:
		return v.Boolean()
	}
	return nil
}
