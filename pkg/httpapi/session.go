package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// sessionCookie is the name of the cookie that holds the session of a person in a browser. Where people come by https it has the prefix
// __Host- (RFC 6265bis, section 4.1.3.2), so that no other host of the domain can set it.
const sessionCookie = "tributary_session"

// sessions are the cookies of one engine.
type sessions struct {
	secure bool
	origin *http.CrossOriginProtection
}

const sessionsKey = "sessions"

// Sessions lets a browser's cookie stand for the bearer token of a request behind [Authenticate]. publicURL is where people open the
// installation.
func Sessions(publicURL string) (gin.HandlerFunc, error) {
	u, err := url.Parse(publicURL)
	if err != nil {
		return nil, fmt.Errorf("public URL: %w", err)
	}
	s := &sessions{secure: u.Scheme == "https", origin: http.NewCrossOriginProtection()}
	if u.Host != "" { // a proxy may have written another Host
		if err := s.origin.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
			return nil, fmt.Errorf("public URL: %w", err)
		}
	}
	return func(c *gin.Context) { c.Set(sessionsKey, s) }, nil
}

func sessionsOf(c *gin.Context) *sessions {
	s, _ := c.Get(sessionsKey)
	out, _ := s.(*sessions)
	return out
}

func (s *sessions) name() string {
	if s.secure {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

// check refuses what a page of another origin does with the cookie of a person who is signed in here.
func (s *sessions) check(r *http.Request) error {
	if s.origin.Check(r) != nil {
		return fault.New(fault.Denied, "forbidden", "a page of another origin may not use the session of this browser")
	}
	return nil
}

// session is the token in the browser's cookie; "" if there is none.
func session(c *gin.Context) (token string, err error) {
	s := sessionsOf(c)
	if s == nil {
		return "", nil
	}
	cookie, err := c.Request.Cookie(s.name())
	if err != nil || cookie.Value == "" {
		return "", nil //nolint:nilerr // there is no such cookie
	}
	return cookie.Value, s.check(c.Request)
}

// KeepSession has the browser send a session with every request to this host, for as long as the session lasts. Scripts cannot read it,
// and pages of other sites cannot send it.
func KeepSession(c *gin.Context, token string, lasts time.Duration) error {
	s := sessionsOf(c)
	if s == nil {
		return fault.New(fault.Invalid, "not_applicable", "this listener keeps no sessions in cookies")
	}
	if err := s.check(c.Request); err != nil {
		return err
	}
	s.set(c, token, int(lasts/time.Second))
	return nil
}

// DropSession has the browser forget the session that it keeps for this host.
func DropSession(c *gin.Context) {
	if s := sessionsOf(c); s != nil {
		s.set(c, "", -1)
	}
}

func (s *sessions) set(c *gin.Context, value string, maxAge int) {
	http.SetCookie(c.Writer, &http.Cookie{
		Name: s.name(), Value: value, Path: "/", MaxAge: maxAge, Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}
