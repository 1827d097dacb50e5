package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// input is a channel as it is created and patched.
type input struct {
	Type     event.ChannelType `json:"type"`
	Name     string            `json:"name"`
	Enabled  *bool             `json:"enabled,omitempty"`
	Settings channel.Settings  `json:"settings,omitempty"`
	Secrets  map[string]string `json:"secrets,omitempty"`
	OUID     string            `json:"ou_id,omitempty"`
	Overlap  *int              `json:"secret_overlap_minutes,omitempty"`
	channel.Policy
}

// mostOverlap is the longest time for which a replaced secret may be accepted, in minutes: 30 days.
const mostOverlap = 30 * 24 * 60

func inputOf(d *directory.Channel) input {
	enabled := d.Enabled
	return input{
		Type: d.Type, Name: d.Name, Enabled: &enabled, Settings: d.Settings, OUID: d.OUID, Overlap: d.Overlap, Policy: channel.ReadPolicy(d.Policy),
	}
}

// fill checks in against the type's form and writes it into the document.
func (s *server) fill(ctx context.Context, d *directory.Channel, in input, info channel.Info) error {
	var bad httpapi.Fields
	if in.Name == "" || len([]rune(in.Name)) > 128 {
		bad.Add("/name", "out_of_range", "a name has 1 to 128 characters")
	}
	settings := channel.Settings{}
	maps.Copy(settings, in.Settings)
	known := map[string]bool{"api_base_url": true}
	for _, f := range info.Settings {
		known[top(f.Key)] = true
		normaliseList(f, d.Settings, settings, &bad)
		checkField(f, settings, in.Secrets, d.Sealed, &bad)
	}
	for _, k := range slices.Sorted(maps.Keys(in.Settings)) {
		if !known[k] {
			bad.Add("/settings/"+k, "unknown_field", "%s has no setting %q", info.Title, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(in.Secrets)) {
		if !slices.ContainsFunc(info.Settings, func(f channel.Field) bool { return f.Secret && f.Key == k }) {
			bad.Add("/secrets/"+k, "unknown_field", "%s has no secret %q", info.Title, k)
		}
	}
	checkURL("/settings/api_base_url", settings, &bad)
	if o := in.Overlap; o != nil && (*o < 0 || *o > mostOverlap) {
		bad.Add("/secret_overlap_minutes", "out_of_range", "a replaced secret is accepted for 0 to %d minutes more", mostOverlap)
	}
	if err := s.checkPolicy(ctx, d.Tenant, channel.ReadPolicy(d.Policy), in.Policy, &bad); err != nil {
		return err
	}
	if err := s.unitExists(ctx, d.Tenant, in.OUID); fault.Is(err, fault.Invalid) {
		bad = append(bad, fault.Of(err))
	} else if err != nil {
		return err
	}
	if err := bad.Err(); err != nil {
		return err
	}
	policy, err := in.Over(d.Policy)
	if err != nil {
		return err
	}
	d.Overlap = in.Overlap
	expire(d, s.at())
	d.Name, d.Settings, d.OUID, d.Policy, d.UpdatedAt = in.Name, settings, in.OUID, policy, s.at()
	if in.Enabled != nil {
		d.Enabled = *in.Enabled
	}
	for key, value := range in.Secrets {
		s.seal(d, info, key, value)
	}
	return nil
}

// seal makes value the current secret; the one before is accepted for the channel's overlap. An empty value takes both away.
func (s *server) seal(d *directory.Channel, info channel.Info, key, value string) {
	if value == "" {
		delete(d.Sealed, key)
		delete(d.Previous, key)
		if key == info.NamingSecret() {
			d.Verify = ""
		}
		return
	}
	if old := d.Sealed[key]; len(old) > 0 {
		plain, err := s.sealer.Open(old[0], d.Tenant, d.ID, key)
		if err == nil && plain == value {
			return
		}
		d.Sealed[key] = []string{s.sealer.Seal(value, d.Tenant, d.ID, key)}
		if err == nil { // one that does not open has no use any more
			d.Sealed[key] = append(d.Sealed[key], old[0])
			keepUntil(d, key, s.at().Add(overlap(d)))
		}
	} else {
		d.Sealed[key] = []string{s.sealer.Seal(value, d.Tenant, d.ID, key)}
	}
	if key == info.NamingSecret() {
		d.Verify = directory.VerifyHash(value)
	}
}

// normaliseList checks the items of a list setting and keeps them in their one form. A list that is as it was stays as it is: what
// an earlier version took must not keep its owner from changing something else.
func normaliseList(f channel.Field, before, settings channel.Settings, bad *httpapi.Fields) {
	items, ok := settings[f.Key].([]any)
	if !ok || f.Kind != "list" || reflect.DeepEqual(settings[f.Key], before[f.Key]) {
		return
	}
	items, wrong := f.Normalise("/settings/"+f.Key, items)
	settings[f.Key] = items
	*bad = append(*bad, wrong...)
}

func checkField(f channel.Field, settings channel.Settings, secrets map[string]string, sealed map[string][]string, bad *httpapi.Fields) {
	for key, want := range f.When {
		if have := settings.Text(key); have != want {
			return
		}
	}
	pointer, value, set := "/settings/"+f.Key, settings.Text(f.Key), settings.Text(f.Key) != ""
	if f.Secret {
		pointer, value = "/secrets/"+f.Key, secrets[f.Key]
		_, given := secrets[f.Key]
		set = value != "" || (!given && len(sealed[f.Key]) > 0)
	}
	if !set && f.Default != "" && !f.Secret {
		settings[f.Key], value, set = f.Default, f.Default, true
	}
	switch {
	case set && !f.Secret && !fits(f.Kind, settings[f.Key]):
		bad.Add(pointer, "bad_format", "%s must be a %s", f.Label, cmp.Or(f.Kind, "text"))
	case !set && !f.Optional:
		bad.Add(pointer, "required", "%s is required", f.Label)
	case f.Kind == "list": // its items were checked one by one
	case value != "" && len(f.OneOf) > 0 && !slices.Contains(f.OneOf, value):
		bad.Add(pointer, "bad_value", "%s must be one of %v", f.Label, f.OneOf)
	case value != "" && len([]rune(value)) < f.MinLength:
		bad.Add(pointer, "out_of_range", "%s has at least %d characters", f.Label, f.MinLength)
	case value != "" && f.Pattern != "" && !regexp.MustCompile(f.Pattern).MatchString(value):
		bad.Add(pointer, "bad_format", "%s must match %s", f.Label, f.Pattern)
	}
}

// top is the setting that a dotted path lies in.
func top(path string) string {
	key, _, _ := strings.Cut(path, ".")
	return key
}

// fits reports whether a JSON value is of a field's kind. What lies deeper is the adapter's to check.
func fits(kind string, v any) bool {
	switch v.(type) {
	case nil:
		return true
	case string:
		return kind == "" || kind == "text"
	case float64, json.Number:
		return kind == "number"
	case bool:
		return kind == "bool"
	case []any:
		return kind == "list"
	}
	return kind == "object"
}

func checkURL(pointer string, settings channel.Settings, bad *httpapi.Fields) {
	text := settings.Text("api_base_url")
	if text == "" {
		return
	}
	if u, err := url.Parse(text); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		bad.Add(pointer, "bad_format", "want an http or https URL without credentials")
	}
}

// patch applies a merge patch. Secrets are no part of what is patched, because nobody can read them: those that the patch
// names are set, those that it sets to null are taken away.
func (in *input) patch(raw []byte, sealed map[string][]string) error {
	if err := httpapi.MergePatch(in, raw); err != nil {
		return err
	}
	var named struct {
		Secrets map[string]*string `json:"secrets"`
	}
	var given map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(raw, &named), json.Unmarshal(raw, &given)); err != nil {
		return fault.New(fault.Invalid, "bad_json", "the patch is not JSON of the documented shape")
	}
	gone := func(key string) {
		if in.Secrets == nil {
			in.Secrets = map[string]string{}
		}
		in.Secrets[key] = ""
	}
	for key, value := range named.Secrets {
		if value == nil {
			gone(key)
		}
	}
	if _, all := given["secrets"]; all && named.Secrets == nil {
		for key := range sealed {
			gone(key)
		}
	}
	return nil
}
