package mongo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Keys in documents come from providers too. Those that BSON or the query language cannot take are written differently.
var (
	escapes     = strings.NewReplacer(`\`, `\\`, "\x00", `\0`, "$", `\s`, ".", `\d`)
	unescapeKey = strings.NewReplacer(`\\`, `\`, `\0`, "\x00", `\s`, "$", `\d`, ".", emptyKey, "")
)

// emptyKey stands for the key "": MongoDB refuses it in some places (error 56, EmptyFieldName).
const emptyKey = `\e`

func escapeKey(key string) string {
	if key == "" {
		return emptyKey
	}
	return escapes.Replace(key)
}

// Bounds of what MongoDB stores (https://www.mongodb.com/docs/manual/reference/limits/).
const (
	maxSize    = 16 << 20 // bytes of a document
	maxNesting = 90       // levels of objects and arrays: the limit of 100 holds for the command around them, too
)

// textJSON is the subtype of binary values that hold a JSON text: a value that BSON cannot express is stored as it is written.
const textJSON = 0x80

func text(value []byte) bson.Binary {
	return bson.Binary{Subtype: textJSON, Data: bytes.Clone(value)}
}

// encode makes the stored document: at most 16 MiB, else store.ErrTooLarge.
func (c *collection) encode(id string, rev int64, doc json.RawMessage) (bson.Raw, error) {
	fields, err := c.toBSON(id, rev, doc)
	if err != nil {
		return nil, err
	}
	raw, err := bson.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("mongo %s %s: %w", c.spec.Name, id, err)
	}
	if len(raw) > maxSize {
		return nil, fmt.Errorf("mongo %s %s: %w: %d bytes, the limit is %d", c.spec.Name, id, store.ErrTooLarge, len(raw), maxSize)
	}
	return raw, nil
}

// toBSON makes the fields of the stored document. Whole numbers become int64, other numbers double or decimal where that holds the
// same number; times stay text in event.Layout, which sorts as they do. A value that BSON cannot hold becomes its JSON text.
func (c *collection) toBSON(id string, rev int64, doc json.RawMessage) (bson.D, error) {
	p := &parser{doc: doc, Decoder: jsontext.NewDecoder(bytes.NewBuffer(doc),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	if p.PeekKind() != '{' {
		return nil, fmt.Errorf("mongo %s %s: a document is an object", c.spec.Name, id)
	}
	fields, _, err := p.parseFields()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("mongo %s %s: %w", c.spec.Name, id, err)
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

// parser reads a JSON document into BSON values.
type parser struct {
	*jsontext.Decoder
	doc []byte
}

func (p *parser) parseValue() (any, error) {
	switch kind := p.PeekKind(); {
	case kind == '{' && p.StackDepth() < maxNesting:
		from := p.start()
		fields, exact, err := p.parseFields()
		if err != nil || exact {
			return fields, err
		}
		return text(p.doc[from:p.InputOffset()]), nil
	case kind == '[' && p.StackDepth() < maxNesting:
		return p.parseArray()
	case kind == '{' || kind == '[':
		raw, err := p.ReadValue()
		return text(raw), err
	case kind == '"':
		return p.parseText()
	case kind == '0':
		raw, err := p.ReadValue()
		return number(string(raw)), err
	}
	t, err := p.ReadToken()
	switch t.Kind() {
	case 't', 'f':
		return t.Bool(), err
	}
	return nil, err
}

// start is where the object that comes next begins.
func (p *parser) start() int {
	at := int(p.InputOffset())
	return at + bytes.IndexByte(p.doc[at:], '{')
}

// parseFields reads an object. It is not exact if one of its names is no text that BSON can hold.
func (p *parser) parseFields() (fields bson.D, exact bool, err error) {
	if _, err := p.ReadToken(); err != nil {
		return nil, false, err
	}
	fields, exact = bson.D{}, true
	for p.PeekKind() != '}' {
		raw, err := p.ReadValue()
		if err != nil {
			return nil, false, err
		}
		name, err := jsontext.AppendUnquote(nil, raw)
		exact = exact && err == nil
		v, err := p.parseValue()
		if err != nil {
			return nil, false, err
		}
		fields = append(fields, bson.E{Key: escapeKey(string(name)), Value: v})
	}
	_, err = p.ReadToken()
	return fields, exact, err
}

func (p *parser) parseArray() (any, error) {
	if _, err := p.ReadToken(); err != nil {
		return nil, err
	}
	values := bson.A{}
	for p.PeekKind() != ']' {
		v, err := p.parseValue()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	_, err := p.ReadToken()
	return values, err
}

// parseText reads a string. One that is not Unicode (half of a surrogate pair) has no other form than its JSON text.
func (p *parser) parseText() (any, error) {
	raw, err := p.ReadValue()
	if err != nil {
		return nil, err
	}
	s, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return text(raw), nil //nolint:nilerr // there is no string
	}
	return string(s), nil
}

// number returns the BSON number that equals a JSON number, or its text if there is none.
func number(n string) any {
	if i, err := strconv.ParseInt(n, 10, 64); err == nil && (i != 0 || n[0] != '-') {
		return i
	}
	if f, err := strconv.ParseFloat(n, 64); err == nil && sameNumber(n, strconv.FormatFloat(f, 'g', -1, 64)) {
		return f
	}
	if d, err := bson.ParseDecimal128(n); err == nil && sameNumber(n, d.String()) {
		return d
	}
	return text([]byte(n))
}

// sameNumber reports whether two decimal texts are the same number. An exponent beyond int is the same as none.
func sameNumber(a, b string) bool {
	aDigits, aExp, aOK := decimal(a)
	bDigits, bExp, bOK := decimal(b)
	return aOK && bOK && aDigits == bDigits && aExp == bExp
}

// decimal returns the sign and digits of a number, without zeros on either side, and the power of ten that they are multiplied by.
func decimal(n string) (digits string, exp int, ok bool) {
	n, sign := strings.CutPrefix(n, "-")
	mantissa, power, has := strings.Cut(strings.ToLower(n), "e")
	if has {
		var err error
		if exp, err = strconv.Atoi(power); err != nil {
			return "", 0, false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	digits = strings.TrimRight(all, "0")
	exp += len(all) - len(digits) - len(fraction)
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		exp = 0
	}
	if sign {
		digits = "-" + digits
	}
	return digits, exp, true
}
