package session

import (
	"encoding/json"
	"os"
	"testing"
	"time"

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
	ch := channel.Keyed{Channel: channel.Channel{ID: "ch_1", Settings: channel.Settings{"identity_audience": "wgt_7fQ2"}}, Secrets: channel.Secrets{"identity_secret": {"the next one", "wc-identity-secret-invented"}}}
	at := func(unix int64) func() time.Time { return func() time.Time { return time.Unix(unix, 0) } }
	who, p, err := prove(ch, *in.Identity, at(1789463405))
	if err != nil || who != "cust-10086" || p.Name != "Alice Zhang" || p.Email != "alice@customer.example" || !p.Verified {
		t.Errorf("%s %+v %v", who, p, err)
	}
	for _, unix := range []int64{1789463300, 1789463700 + 31} {
		if _, _, err := prove(ch, *in.Identity, at(unix)); err == nil {
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
	if who, p, err := prove(ch, proof{Identifier: sample.Hash.Identifier, Hash: sample.Hash.Hash}, time.Now); err != nil || who != "cust-10086" || p != nil {
		t.Errorf("%s %+v %v", who, p, err)
	}
	for _, secrets := range []channel.Secrets{nil, {"identity_secret": {""}}} {
		ch.Secrets = secrets
		if _, _, err := prove(ch, *in.Identity, at(1789463405)); err == nil {
			t.Error("proved without a secret")
		}
	}
}
