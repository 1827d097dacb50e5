package admin

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/httpapi"
)

func TestGuessesAreLimitedByAddressAndSourceAndBySource(t *testing.T) {
	t.Parallel()
	clock := time.Unix(1_700_000_000, 0)
	a := newAttempts(func() time.Time { return clock })
	admitted := func(n int, email func(int) string, source string) (yes int) {
		for i := range n {
			if a.admit(email(i), source) == nil {
				yes++
			}
		}
		return yes
	}
	same := func(email string) func(int) string { return func(int) string { return email } }
	if n := admitted(20, same("owner"), "stranger"); n != ofPair.Burst {
		t.Errorf("%d guesses at one address", n)
	}
	if n := admitted(5, same("owner"), "home"); n != 5 {
		t.Errorf("the owner, from a source that nothing was tried from: %d of 5", n)
	}
	if n := admitted(100, strconv.Itoa, "sprayer"); n != ofSource.Burst {
		t.Errorf("%d addresses tried from one source", n)
	}
	if n := admitted(100, same("owner"), "sprayer"); n != 0 {
		t.Errorf("%d more from that source", n)
	}
	clock = clock.Add(6 * time.Second)
	if n := admitted(5, same("owner"), "stranger"); n != 1 {
		t.Errorf("%d guesses after six seconds", n)
	}
}

func TestWhoHasSignedInIsNotLockedOutByOthersAtTheSameSource(t *testing.T) {
	t.Parallel()
	clock := time.Unix(1_700_000_000, 0)
	a := newAttempts(func() time.Time { return clock })
	a.succeeded("owner", "office")
	for i := range 100 {
		_ = a.admit("u"+strconv.Itoa(i), "office")
	}
	if err := a.admit("stranger", "office"); err == nil {
		t.Error("the source has a budget left")
	}
	for range ofKnown.Burst - 1 {
		if err := a.admit("owner", "office"); err != nil {
			t.Fatal(err)
		}
	}
	a.succeeded("owner", "office")
	if err := a.admit("owner", "office"); err != nil {
		t.Errorf("after success: %v", err)
	}
	for range 50 {
		_ = a.admit("owner", "office")
	}
	if a.admit("owner", "office") == nil {
		t.Error("a known pair has no limit")
	}
}

func TestASignInOverTheLimitSaysWhenToTryAgain(t *testing.T) {
	t.Parallel()
	s := &server{logins: newAttempts(time.Now)}
	for range ofPair.Burst {
		_ = s.logins.admit("guess@example.com", "192.0.2.1")
	}
	e := httpapi.New()
	e.POST("/v1/auth/login", s.Login)
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, httptest.NewRequest("POST", "/v1/auth/login", strings.NewReader(`{"email":" Guess@example.com","password":"x"}`)))
	if rec.Code != 429 || rec.Header().Get("Retry-After") == "" || !strings.Contains(rec.Body.String(), "rate_limited") {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
}
