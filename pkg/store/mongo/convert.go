package mongo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Keys in documents come from providers too. Those that BSON or the query language cannot take are written differently.
var (
	escapeKey   = strings.NewReplacer(`\`, `\\`, "\x00", `\0`, "$", `\s`, ".", `\d`)
	unescapeKey = strings.NewReplacer(`\\`, `\`, `\0`, "\x00", `\s`, "$", `\d`, ".")
)

// toBSON makes the stored document. Whole numbers become int64, or decimal where that is too small; others become double. Times
// stay text in event.Layout, which sorts as they do.
func (c *collection) toBSON(id string, rev int64, doc json.RawMessage) (bson.D, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	v, err := decode(d)
	if err != nil {
		return nil, fmt.Errorf("mongo %s %s: %w", c.spec.Name, id, err)
	}
	fields, ok := v.(bson.D)
	if !ok {
		return nil, fmt.Errorf("mongo %s %s: a document is an object", c.spec.Name, id)
	}
	out := bson.D{{Key: fieldID, Value: id}, {Key: fieldRev, Value: rev}}
	for _, f := range fields {
		if f.Key == fieldID {
			continue
		}
		out = append(out, f)
		if f.Key == "expires_at" && c.spec.Expires {
			at, err := time.Parse(event.Layout, fmt.Sprint(f.Value))
			if err != nil {
				return nil, fmt.Errorf("mongo %s %s: expires_at: %w", c.spec.Name, id, err)
			}
			out = append(out, bson.E{Key: fieldExpires, Value: at})
		}
	}
	return out, nil
}

func decode(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return decodeObject(d)
		}
		return decodeArray(d)
	case json.Number:
		return decodeNumber(t)
	}
	return t, nil
}

func decodeObject(d *json.Decoder) (any, error) {
	out := bson.D{}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decode(d)
		if err != nil {
			return nil, err
		}
		out = append(out, bson.E{Key: escapeKey.Replace(k.(string)), Value: v})
	}
	_, err := d.Token()
	return out, err
}

func decodeArray(d *json.Decoder) (any, error) {
	out := bson.A{}
	for d.More() {
		v, err := decode(d)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := d.Token()
	return out, err
}

func decodeNumber(n json.Number) (any, error) {
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	f, err := n.Float64()
	if err == nil && (strings.ContainsAny(n.String(), ".eE") || strconv.FormatFloat(f, 'f', -1, 64) == n.String()) {
		return f, nil
	}
	exact, err := bson.ParseDecimal128(n.String())
	if err != nil {
		return nil, fmt.Errorf("number %s: %w", n, err)
	}
	return exact, nil
}

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
