package channel

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestAnnouncedDigestsAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("whose base64 has + and /: 13")) // so that the two alphabets differ
	want := hex.EncodeToString(sum[:])
	std := base64.StdEncoding.EncodeToString(sum[:])
	if !strings.ContainsAny(std, "+/") {
		t.Fatalf("%s shows no difference between the alphabets", std)
	}
	for name, c := range map[string]struct{ announced, want string }{
		"hex":                      {want, want},
		"hex in capitals":          {strings.ToUpper(want), want},
		"base64":                   {std, want},
		"base64 without padding":   {strings.TrimRight(std, "="), want},
		"base64 for URLs":          {base64.URLEncoding.EncodeToString(sum[:]), want},
		"nothing":                  {"", ""},
		"another digest":           {hex.EncodeToString(sum[:20]), ""},
		"hex that base64 can read": {base64.StdEncoding.EncodeToString([]byte(want)), ""},
		"words":                    {"not known", ""},
	} {
		if got := SHA256Hex(c.announced); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
