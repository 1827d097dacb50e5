package channeltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// keepsSecrets checks that no secret of the channel stands in what leaves the adapter unsigned (P11).
func (c *golden) keepsSecrets(t testing.TB, out []byte) {
	t.Helper()
	if key := leaked(c.ch, out); key != "" {
		t.Errorf("%s: the secret %s stands in\n%s", c.path, key, masked(c.ch, out))
	}
}

func leaked(ch channel.Keyed, out []byte) string {
	for key, values := range ch.Secrets {
		for _, v := range values {
			if len(v) > 3 && bytes.Contains(out, []byte(v)) {
				return key
			}
		}
	}
	if ch.Token != "" && bytes.Contains(out, []byte(ch.Token)) {
		return "token"
	}
	return ""
}

// masked writes secrets as their places.
func masked(ch channel.Keyed, out []byte) []byte {
	s := string(out)
	for key, values := range ch.Secrets {
		for _, v := range values {
			if len(v) > 3 {
				s = strings.ReplaceAll(s, v, "{"+key+"}")
			}
		}
	}
	if ch.Token != "" {
		s = strings.ReplaceAll(s, ch.Token, "{token}")
	}
	return []byte(s)
}

// hidden checks that a printed or encoded channel shows no secret.
func hidden(t *testing.T, ch channel.Keyed) {
	t.Helper()
	b, err := json.Marshal(ch)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(ch.Secrets), fmt.Sprintf("%v %+v %#v", ch.Secrets, ch.Secrets, ch.Secrets), string(b)} {
		if key := leaked(channel.Keyed{Secrets: ch.Secrets}, []byte(s)); key != "" {
			t.Errorf("printing the channel shows the secret %s", key)
		}
	}
}
