package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"sync"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/gin-gonic/gin"
	v2 "github.com/go-json-experiment/json"
	fastjson "github.com/go-json-experiment/json/v1" // encoding/json's semantics, and errors that say where

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Body reads the request's JSON body into v. Unknown fields are refused and named.
func Body(c *gin.Context, v any) error {
	raw, err := Raw(c)
	if err != nil {
		return err
	}
	return Decode(raw, v)
}

// Raw reads the request's body; a second call returns the same bytes.
func Raw(c *gin.Context) ([]byte, error) {
	if b, ok := c.Get("raw_body"); ok {
		return b.([]byte), nil
	}
	raw, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return nil, Unread(err)
	}
	c.Set("raw_body", raw)
	c.Request.Body = io.NopCloser(bytes.NewReader(raw))
	return raw, nil
}

// Decode reads JSON of a caller into v, with an error that names the field. v must hold no struct of package event: those have
// fields that are not a caller's to set.
func Decode(raw []byte, v any) error {
	if t := eventIn(reflect.TypeOf(v)); t != "" {
		return fmt.Errorf("%s is a struct of events: a request needs an input type of its own", t)
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = []byte("{}")
	}
	err := v2.Unmarshal(raw, v, fastjson.DefaultOptionsV1(), fastjson.ReportErrorsWithLegacySemantics(false), v2.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	return undecoded(raw, err)
}

// undecoded is the caller's error for a body that could not be decoded.
func undecoded(raw []byte, err error) error {
	wrong, ok := errors.AsType[*v2.SemanticError](err)
	switch {
	case !ok || !json.Valid(raw):
		return fault.New(fault.Invalid, "bad_json", "the body is not one JSON value: %s", firstLine(err))
	case errors.Is(err, v2.ErrUnknownName):
		return fault.At(string(wrong.JSONPointer), "unknown_field", "the field is not known here")
	case wrong.Err != nil && !errors.Is(wrong.Err, strconv.ErrRange) && !errors.Is(wrong.Err, strconv.ErrSyntax):
		return fault.At(string(wrong.JSONPointer), "bad_format", "%s", firstLine(wrong.Err))
	}
	return fault.At(string(wrong.JSONPointer), "bad_format", "want %s, got %s", wanted(wrong.GoType), wrong.JSONKind)
}

// wanted is what a caller writes in JSON for a Go type.
func wanted(t reflect.Type) string {
	if t == nil {
		return "another type"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// searched remembers the types that were looked at.
var searched sync.Map // reflect.Type → the name of a struct of package event in it, or ""

// eventIn names a struct of package event that JSON for t would fill; "" if there is none. What reads its JSON itself, as times do,
// is a value and no struct.
func eventIn(t reflect.Type) string {
	if found, ok := searched.Load(t); ok {
		return found.(string)
	}
	found := searchType(t, map[reflect.Type]bool{})
	searched.Store(t, found)
	return found
}

func searchType(t reflect.Type, seen map[reflect.Type]bool) string {
	if t == nil || seen[t] || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return searchType(t.Elem(), seen)
	case reflect.Struct:
		if t.PkgPath() == reflect.TypeFor[event.Content]().PkgPath() {
			return t.String()
		}
		for i := range t.NumField() {
			if found := searchType(t.Field(i).Type, seen); found != "" {
				return found
			}
		}
	}
	return ""
}

// MergePatch applies an RFC 7396 patch to v (a pointer): fields set to null are reset, others replaced.
func MergePatch[T any](v *T, patch []byte) error {
	var zero T
	return MergePatchOver(v, zero, patch)
}

// MergePatchOver is MergePatch for a thing whose fields are reset to the values that they have in fresh.
func MergePatchOver[T any](v *T, fresh T, patch []byte) error {
	if len(bytes.TrimSpace(patch)) == 0 || bytes.TrimSpace(patch)[0] != '{' {
		return fault.New(fault.Invalid, "bad_json", "a patch is a JSON object (RFC 7396)")
	}
	before, err := json.Marshal(v)
	if err != nil {
		return err
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		return fault.New(fault.Invalid, "bad_json", "the patch is not JSON: %s", firstLine(err))
	}
	if err := Decode(after, &fresh); err != nil {
		return err
	}
	*v = fresh
	return nil
}

// Idempotency is what makes a repeated create the same create.
type Idempotency struct {
	Key    string // as sent; empty if there was none
	Digest string // of the body: the same key with another digest is refused
}

// IdempotencyKey reads the header Idempotency-Key (at most 255 bytes) and the body's digest.
func IdempotencyKey(c *gin.Context, required bool) (Idempotency, error) {
	key := c.GetHeader("Idempotency-Key")
	if key == "" && required {
		return Idempotency{}, fault.New(fault.Invalid, "idempotency_key_missing", "send the header Idempotency-Key, a text of your own that is the same when you repeat the call")
	}
	if len(key) > 255 {
		return Idempotency{}, fault.At("/Idempotency-Key", "too_long", "the idempotency key may have at most 255 bytes")
	}
	raw, err := Raw(c)
	if err != nil {
		return Idempotency{}, err
	}
	sum := sha256.Sum256(raw)
	return Idempotency{Key: key, Digest: hex.EncodeToString(sum[:16])}, nil
}

// ID is the id of what the request creates: derived from tenant, caller, route and key, so that a repeat finds it. Without a
// key it is fresh.
func (i Idempotency) ID(c *gin.Context, prefix string) string {
	if i.Key == "" {
		return event.DeriveID(prefix, RequestID(c), c.Request.URL.Path, "fresh", NewNonce())
	}
	p := Caller(c)
	return event.DeriveID(prefix, p.Tenant, p.ID, c.FullPath(), c.Request.URL.Path, i.Key)
}

// Repeat checks a thing that exists under the derived id: the same digest marks the answer as a repeat, another is refused.
func (i Idempotency) Repeat(c *gin.Context, digest string) error {
	if digest != i.Digest {
		return fault.New(fault.Invalid, "idempotency_key_reused", "this idempotency key was used with another body")
	}
	c.Header("Idempotency-Replayed", "true")
	return nil
}

// IfMatch checks the header If-Match against a version; without the header everything matches.
func IfMatch(c *gin.Context, version int64) error {
	want := c.GetHeader("If-Match")
	if want == "" || Matches(want, ETag(version)) {
		return nil
	}
	return fault.New(fault.Conflict, "version_mismatch", "the version is %d now", version)
}

// ETag is the entity tag of a version.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
