package fileurl

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/fault"
)

var (
	noon   = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	sample = File{Tenant: "acme", Key: "acme/ab/abc.DEF", MIME: "image/jpeg", Name: "photo.jpg"}
)

func key(n byte) []byte { return []byte(strings.Repeat(string(rune('a'+n)), 32)) }

func urls(t *testing.T, at time.Time, keys ...[]byte) *URLs {
	t.Helper()
	s, err := auth.NewSealer(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return New(s, "https://chat.example", func() time.Time { return at })
}

func token(t *testing.T, u *URLs, f File) string {
	t.Helper()
	full := u.Link(f)
	if len(full) > 2000 || strings.ContainsAny(full, " \"<>") {
		t.Errorf("%d characters: %s", len(full), full)
	}
	text, ok := strings.CutPrefix(full, "https://chat.example/files/")
	if !ok {
		t.Fatal(full)
	}
	return text
}

func TestATokenOpensOneFileForATime(t *testing.T) {
	t.Parallel()
	now := urls(t, noon, key(0))
	good := token(t, now, sample)
	if f, err := now.Open(good); err != nil || f != sample {
		t.Errorf("%+v %v", f, err)
	}
	body, mac, _ := strings.Cut(good, ".")
	decoded, _ := base64.RawURLEncoding.DecodeString(body)
	other := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(decoded), "acme", "evil", 2)))
	longer := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(decoded), `"e":1`, `"e":9`, 1)))
	for name, c := range map[string]struct {
		u     *URLs
		token string
	}{
		"nothing":                 {now, ""},
		"no MAC":                  {now, body},
		"an empty MAC":            {now, body + "."},
		"another tenant":          {now, other + "." + mac},
		"a later end":             {now, longer + "." + mac},
		"a MAC cut short":         {now, good[:len(good)-1]},
		"one character more":      {now, good + "A"},
		"the MAC of another text": {now, body + "." + now.sealer.MAC("x", purpose)},
		"another purpose":         {now, body + "." + now.sealer.MAC(body, "other")},
		"an unknown key":          {now, body + ".00000000." + strings.Repeat("A", 43)},
		"of another installation": {urls(t, noon, key(1)), good},
		"over":                    {urls(t, noon.Add(Life+24*time.Hour), key(0)), good},
		"very long":               {now, strings.Repeat("A", 1<<20) + "." + mac},
		"signed and no JSON":      {now, "AAAA." + now.sealer.MAC("AAAA", purpose)},
	} {
		if f, err := c.u.Open(c.token); !fault.Is(err, fault.Gone) || f != (File{}) || err.Error() != gone().Error() {
			t.Errorf("%s: %+v %v", name, f, err)
		}
	}
	for name, u := range map[string]*URLs{
		"at its end":              urls(t, noon.Add(Life), key(0)),
		"after the key's change":  urls(t, noon, key(1), key(0)),
		"before the key's change": urls(t, noon, key(0), key(1)),
	} {
		if f, err := u.Open(good); err != nil || f != sample {
			t.Errorf("%s: %+v %v", name, f, err)
		}
	}
}

func TestAFileHasOneURLAllDay(t *testing.T) {
	t.Parallel()
	morning, evening := urls(t, noon.Add(-12*time.Hour), key(0)), urls(t, noon.Add(12*time.Hour-time.Second), key(0))
	if a, b := token(t, morning, sample), token(t, evening, sample); a != b {
		t.Errorf("%s\n%s", a, b)
	}
	if a, b := token(t, evening, sample), token(t, urls(t, noon.Add(12*time.Hour), key(0)), sample); a == b {
		t.Error("the next day has the URL of the day before, so it would end before its time")
	}
}

func TestALongNameKeepsItsEnd(t *testing.T) {
	t.Parallel()
	u := urls(t, noon, key(0))
	f := sample
	f.Name = strings.Repeat("ü", 300) + ".jpg"
	got, err := u.Open(token(t, u, f))
	if err != nil || !strings.HasSuffix(got.Name, "ü.jpg") || len(got.Name) > maxName {
		t.Errorf("%+v %v", got, err)
	}
}

func TestWithoutAPublicURLFilesGoNowhereElse(t *testing.T) {
	t.Parallel()
	s, err := auth.NewSealer(key(0))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		base, target string
		ok           bool
	}{
		{"http://localhost:8080", "https://api.line.me/v2", false},
		{"http://127.0.0.1:8080", "https://api.line.me/v2", false},
		{"http://[::1]:8080", "https://10.0.0.1/", false},
		{"http://localhost:8080", "http://127.0.0.1:9999/v2", true},
		{"http://localhost:8080", "http://localhost:8080/simulator", true},
		{"https://chat.example", "https://api.line.me/v2", true},
		{"https://chat.example", "http://localhost:8080", true},
		{"https://localhost.example", "https://api.line.me/v2", true},
	} {
		err := New(s, c.base, time.Now).Reaches(c.target)
		if (err == nil) != c.ok || !c.ok && fault.Of(err).Code != "public_url_missing" {
			t.Errorf("%s for %s: %v", c.base, c.target, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s, err := auth.NewSealer(key(0))
	if err != nil {
		f.Fatal(err)
	}
	u := New(s, "https://chat.example", func() time.Time { return noon })
	full := u.Link(sample)
	good := strings.TrimPrefix(full, "https://chat.example/files/")
	f.Add(good)
	f.Add(fmt.Sprint(good, "."))
	f.Fuzz(func(t *testing.T, token string) {
		if got, err := u.Open(token); err == nil && token != good {
			t.Errorf("%q opens %+v", token, got)
		}
	})
}
