package session

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// opening is the body of POST …/sessions.
type opening struct {
	VisitorID     string  `json:"visitorId"`
	VisitorSecret string  `json:"visitorSecret"` // what proves the id: agents and integrations see that one
	Identity      *proof  `json:"identity"`
	Locale        string  `json:"locale"`
	Page          *opened `json:"page"`
}

type opened struct {
	URL      string `json:"url"`
	Title    string `json:"title"`
	Referrer string `json:"referrer"`
}

// begin makes a session, or another token for one: with a token that is still good nothing needs to be proved again.
func (s *server) begin(c *gin.Context) {
	ch, ctx := channelOf(c), c.Request.Context()
	var in opening
	if raw, err := httpapi.Raw(c); err != nil {
		httpapi.Fail(c, err)
		return
	} else if len(raw) > 0 && json.Unmarshal(raw, &in) != nil {
		httpapi.Fail(c, fault.New(fault.Invalid, "bad_json", "the body is not JSON of the documented shape"))
		return
	}
	v, err := s.introduce(c, ch, in)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	token, err := s.sign(v)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	last, err := s.last(ctx, v.mailbox())
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	if in.Page != nil && in.Page.URL != "" && s.limit.pages.Take(v.ID) == nil {
		now := s.Now().UnixMilli()
		if err := s.deliver(ctx, ch, v.says(encode(object{"t": "page", "url": in.Page.URL, "title": in.Page.Title, "referrer": in.Page.Referrer, "ts": now}))); err != nil {
			s.Log.WarnContext(ctx, "the page of a new session is lost", "channel", ch.ID, "error", err)
		}
	}
	out := object{
		"sessionId": v.ID, "visitorId": v.Subject, "token": token, "expiresAt": v.ExpiresAt.UTC().Format(time.RFC3339),
		"conversationId": v.mailbox(), "lastSeq": last, "online": true, "verified": v.Identity != "",
		"limits": object{"textBytes": maxText, "fileBytes": maxFile, "messagesPerMinute": s.limit.messages.Rate.N},
		"theme":  setting(ch, "theme"), "preChatForm": setting(ch, "pre_chat_form"),
	}
	if v.secret != "" {
		out["visitorSecret"] = v.secret
	}
	c.JSON(http.StatusCreated, out)
}

// introduce says who the browser speaks for.
func (s *server) introduce(c *gin.Context, ch channel.Keyed, in opening) (session, error) {
	from, now := httpapi.Source(c), s.Now()
	if err := s.limit.sessions.Take(from); err != nil {
		return session{}, err
	}
	who := claimed{visitor: in.VisitorID, secret: in.VisitorSecret}
	if bearer := httpapi.BearerOf(c); bearer != "" {
		v, err := s.open(ch, bearer)
		if in.Identity == nil {
			if err == nil && v.Proven != nil && now.Sub(v.Proven.Time) > provenFor {
				err = errSession
			}
			if err != nil {
				return v, err
			}
			return v, s.seat(c, ch, &v, claimed{visitor: v.Subject, identity: v.Identity, session: true}, from)
		}
		who.session = err == nil && v.Subject == in.VisitorID
	}
	v := session{Tenant: ch.Tenant, Profile: &event.Profile{Locale: cut(in.Locale)}}
	if in.Identity != nil {
		var err error
		if v.Identity, v.Profile, err = prove(ch, *in.Identity, s.Now); err != nil {
			return v, err
		}
		v.Proven, who.identity = jwt.NewNumericDate(now), v.Identity
	}
	v.ID = random("ws_")
	if v.Profile == nil || *v.Profile == (event.Profile{}) {
		v.Profile = nil
	}
	return v, s.seat(c, ch, &v, who, from)
}

// seat gives the session its visitor, and its hour.
func (s *server) seat(c *gin.Context, ch channel.Keyed, v *session, said claimed, from string) error {
	who, secret, err := s.admit(c.Request.Context(), ch, said, func() error { return s.limit.visitors.Take(from) })
	if err != nil {
		return httpapi.StoreError(err)
	}
	now := s.Now()
	v.Subject, v.Audience, v.secret = who.Visitor, jwt.ClaimStrings{ch.ID}, secret
	v.IssuedAt, v.ExpiresAt = jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(sessionFor))
	return nil
}

// setting is an object of the channel's settings as it is, or null.
func setting(ch channel.Keyed, key string) any {
	v, _ := ch.Settings[key].(map[string]any)
	if v == nil {
		return nil
	}
	return v
}

type object map[string]any

// cut bounds a trait.
func cut(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "")
	}
	return s
}
