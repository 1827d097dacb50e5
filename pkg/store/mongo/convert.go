package mongo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tributaryhq/tributary/pkg/event"
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
