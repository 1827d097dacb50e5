package provider

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// planted has every letter that some encoding changes.
const planted = `EAAB/x+y "z" & <é>=0123456789`

// spellings are the ways in which a provider may repeat a secret.
func spellings() map[string]string {
	quoted, _ := json.Marshal(planted)
	unicode := ""
	for _, r := range planted {
		unicode += fmt.Sprintf(`\u%04x`, r)
	}
	return map[string]string{
		"plain": planted, "query": url.QueryEscape(planted), "path": url.PathEscape(planted),
		"lower query": lowerEscapes(url.QueryEscape(planted)), "twice": url.QueryEscape(url.QueryEscape(planted)),
		"json": strings.Trim(string(quoted), `"`), "json with slashes": strings.ReplaceAll(strings.Trim(string(quoted), `"`), "/", `\/`),
		"html": html.EscapeString(planted), "hex": hex.EncodeToString([]byte(planted)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(planted))),
		"base64": base64.StdEncoding.EncodeToString([]byte(planted)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(planted)),
		"basic 1": base64.StdEncoding.EncodeToString([]byte("u:" + planted)), "basic 2": base64.StdEncoding.EncodeToString([]byte("us:" + planted + "x")),
		"basic 3": base64.StdEncoding.EncodeToString([]byte("use:" + planted + "xy")), "unicode": unicode,
	}
}

// telltale is an adapter that puts all that it reads into its error.
type telltale struct{ gatewaytest.Toy }

func (telltale) Settle(_ channel.Channel, _ event.Outbound, _ channel.Request, resp channel.Response) (channel.Outcome, error) {
	var said struct {
		Error struct{ Message, Code string }
	}
	text := string(resp.Body)
	if json.Unmarshal(resp.Body, &said) == nil {
		text = said.Error.Message
	}
	e := fault.New(fault.Invalid, channel.CodeContentRejected, "Provider: %s %s", text, resp.Header.Get("X-Error"))
	e.Provider = said.Error.Code
	return channel.Outcome{}, e
}

func TestP11_NoSpellingOfASecretPassesTheRedactor(t *testing.T) {
	t.Parallel()
	for name, spelled := range spellings() {
		inJSON := spelled
		if !strings.Contains(name, "json") && name != "unicode" {
			quoted, _ := json.Marshal(spelled)
			inJSON = strings.Trim(string(quoted), `"`)
		}
		bodies := map[string]string{"json": `{"error":{"message":"Malformed token ` + inJSON + `!","code":"` + inJSON + `"}}`, "text": "Malformed token " + spelled + "!"}
		for kind, body := range bodies {
			t.Run(name+" in "+kind, func(t *testing.T) {
				t.Parallel()
				p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header()["X-Error"] = []string{strings.ReplaceAll(spelled, "\n", "")}
					w.WriteHeader(400)
					_, _ = w.Write([]byte(body))
				}))
				t.Cleanup(p.Close)
				c := caller(t)
				c.Adapter = channel.Guard(telltale{gatewaytest.Toy{Kind: event.Telegram}})
				c.Log = NewCallLog(storetest.New(t, CallSpec), slog.New(slog.DiscardHandler), time.Now)
				ch := gatewaytest.Channel(event.Telegram, "ch_a", "acme", p.URL)
				ch.Secrets["planted"] = []string{"the current value", planted}
				v := send(t, c, ch, outbound("x"))
				shown := v.Err.Shown()
				call := c.Log.document(<-c.Log.queue)
				for where, text := range map[string]string{
					"detail": shown.Detail, "code": shown.ProviderCode, "log": v.Err.Error(), "call log": call.Answer, "call": fmt.Sprint(call),
				} {
					if reveals(text) {
						t.Errorf("%s: %s", where, text)
					}
				}
				if v.Finding != dispatch.Rejected || !strings.Contains(shown.Detail, "Malformed token") || !strings.Contains(shown.Detail, hidden) {
					t.Errorf("%+v %+v", v, shown)
				}
			})
		}
	}
}

// reveals reports whether a text has the secret, or enough of it, in any spelling.
func reveals(text string) bool {
	for _, s := range spellings() {
		middle := s[len(s)/3 : len(s)/3+8]
		if strings.Contains(text, s) || strings.Contains(text, middle) {
			return true
		}
	}
	return false
}

func TestAnAnswerWithoutSecretsIsReadAsItCame(t *testing.T) {
	t.Parallel()
	ch := gatewaytest.Channel(event.Telegram, "ch_a", "acme", "http://x")
	ch.Secrets["verify_token"] = []string{"accepted", "1234567"} // a word of the protocol, and digits that ids may have
	ch.Token = "prov-token-1 https://x.example/"                 // what follows a token is no secret
	for _, body := range []string{`{"id": 91234567890123456789, "status":"accepted",  "x":[1.50]}`, "ref-1234567", "https://x.example/", "", "\x00\xff"} {
		if got := newRedactor(ch).answer(channel.Response{Body: []byte(body)}); string(got.Body) != body {
			t.Errorf("%q became %q", body, got.Body)
		}
	}
}

func TestP11_CredentialsAreHiddenByTheirPlaceToo(t *testing.T) {
	t.Parallel()
	hide := newRedactor(gatewaytest.Channel(event.Telegram, "ch_a", "acme", "http://x"))
	for _, text := range []string{
		"GET https://files.example/a?access_token=Planted1234&x=1", "https://s3.example/b?X-Amz-Signature=Planted1234", "https://u:Planted1234@files.example/",
		"Authorization: Bearer Planted1234", "Authorization: basic UGxhbnRlZDEyMzQ6", `{"refresh_token": "Planted1234"}`, "https://x/?key=Planted1234#f",
	} {
		got := hide.text(text)
		if strings.Contains(got, "Planted1234") || strings.Contains(got, "UGxhbnRl") || !strings.Contains(got, hidden) {
			t.Errorf("%s", got)
		}
	}
	if got := hide.text("https://shop.example/monkey?page=2&sort=token"); got != "https://shop.example/monkey?page=2&sort=token" {
		t.Errorf("%s", got)
	}
}

func TestARedactedErrorKeepsItsKindAndCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial tcp 10.0.0.7: refused, with " + gatewaytest.APIToken + "ch_a")
	err := Redact(gatewaytest.Channel(event.Telegram, "ch_a", "acme", "http://x"), fault.Because(cause, fault.Unavailable, "not_sent", "not reached"))
	if !fault.Is(err, fault.Unavailable) || !errors.Is(err, cause) || strings.Contains(err.Error(), gatewaytest.APIToken) || fault.Of(err).Detail != "not reached" {
		t.Errorf("%v", err)
	}
}
