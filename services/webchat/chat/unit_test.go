package chat

import (
	"net/http"
	"os"
	"testing"
	"time"

	"encoding/json"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// The sample of the facts: at its own time, with its own secret.
func TestTheSampleProofs(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/session-create.json")
	if err != nil {
		t.Fatal(err)
	}
	var in opening
	if err := json.Unmarshal(raw, &in); err != nil {
		t.Fatal(err)
	}
	ch := channel.Keyed{Channel: channel.Channel{ID: "ch_1"}, Secrets: channel.Secrets{"identity_secret": {"the next one", "wc-identity-secret-invented"}}}
	at := func(unix int64) func() time.Time { return func() time.Time { return time.Unix(unix, 0) } }
	who, p, err := prove(ch, *in.Identity, in.WidgetID, at(1789463405))
	if err != nil || who != "cust-10086" || p.Name != "Alice Zhang" || p.Email != "alice@customer.example" || !p.Verified {
		t.Errorf("%s %+v %v", who, p, err)
	}
	for _, unix := range []int64{1789463300, 1789463700 + 31} {
		if _, _, err := prove(ch, *in.Identity, in.WidgetID, at(unix)); err == nil {
			t.Errorf("taken at %d", unix)
		}
	}
	var sample struct {
		Hash struct{ Identifier, Hash string } `json:"identity_hash"`
	}
	if raw, err = os.ReadFile("testdata/signature-example.json"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &sample); err != nil {
		t.Fatal(err)
	}
	if who, p, err := prove(ch, proof{Identifier: sample.Hash.Identifier, Hash: sample.Hash.Hash}, "", time.Now); err != nil || who != "cust-10086" || p != nil {
		t.Errorf("%s %+v %v", who, p, err)
	}
	for _, secrets := range []channel.Secrets{nil, {"identity_secret": {""}}} {
		ch.Secrets = secrets
		if _, _, err := prove(ch, *in.Identity, in.WidgetID, at(1789463405)); err == nil {
			t.Error("proved without a secret")
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ remote, said, want string }{
		{"203.0.113.9:5", "", "203.0.113.9"}, {"203.0.113.9:5", "198.51.100.1", "203.0.113.9"}, {"10.0.0.1:5", "", "10.0.0.1"},
		{"10.0.0.1:5", "1.1.1.1, 198.51.100.1", "198.51.100.1"}, {"127.0.0.1:5", "::ffff:198.51.100.1", "198.51.100.1"}, {"[::1]:5", "junk", "::1"},
		{"10.0.0.1:5", "198.51.100.1,", "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.said != "" {
			r.Header.Set("X-Forwarded-For", c.said)
		}
		if got := address(r); got != c.want {
			t.Errorf("%s for %q: %s, want %s", c.remote, c.said, got, c.want)
		}
	}
}

func TestBucketsFillAgain(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	b := newLimits(Limits{Messages: Quota{20, time.Minute, 2}}, func() time.Time { return now }).messages
	for n, want := range []bool{true, true, false, false} {
		if ok := b.take("a") == nil; ok != want {
			t.Errorf("take %d: %v", n, ok)
		}
	}
	if b.take("b") != nil {
		t.Error("another's bucket is empty too")
	}
	now = now.Add(3 * time.Second)
	if b.take("a") != nil || b.take("a") == nil {
		t.Error("after 3 seconds there is one again, not two")
	}
	now = now.Add(time.Hour)
	_ = b.take("c")
	if len(b.of) != 1 {
		t.Errorf("%d buckets are kept", len(b.of))
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"../../etc/passwd": "passwd", "a\r\nb": "ab", "": "file", "x/": "file", "bücher.pdf": "bücher.pdf"} {
		if got := plainName(name); got != want {
			t.Errorf("%q became %q", name, got)
		}
	}
}
