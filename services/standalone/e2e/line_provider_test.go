package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const lineSecret = "secret-of-the-channel"

// lineAccount plays LINE's Messaging API outside of the platform: one official account with friends of its own. Every other reply token
// is over before it is used, so answers leave by both ways: by a reply, which cannot be repeated, and by a push with a retry key, which
// can.
type lineAccount struct {
	*account
	keys map[string]string // the message that a retry key made
	used map[string]bool   // reply tokens
}

// lineBody is what a call has.
type lineBody struct {
	To       string `json:"to"`
	Token    string `json:"replyToken"`
	Messages []struct {
		Text string `json:"text"`
	} `json:"messages"`
}

// openLine starts a provider with one account, whose first calls are refused.
func openLine(t *testing.T, refuse int) (url string, a *lineAccount) {
	a = &lineAccount{account: (&provider{accounts: map[string]*account{}}).open(t, refuse), keys: map[string]string{}, used: map[string]bool{}}
	s := httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(s.Close)
	return s.URL, a
}

func (a *lineAccount) peer(i int) string { return "U" + a.prefix + fmt.Sprintf("%025d", i) }

// tells implements party: LINE says nothing after it has taken a message.
func (a *lineAccount) tells() bool { return false }

func (a *lineAccount) write(t *test, peer, id, text string) int {
	body := fmt.Sprintf(`{"destination":%q,"events":[{"type":"message","message":{"type":"text","id":%q,"text":%q},"webhookEventId":%q,"deliveryContext":{"isRedelivery":false},"timestamp":%d,"source":{"type":"user","userId":%q},"mode":"active","replyToken":%q}]}`,
		lineBot, id, text, id, time.Now().UnixMilli(), peer, "token-"+id)
	mac := hmac.New(sha256.New, []byte(lineSecret))
	mac.Write([]byte(body))
	return t.hook("line", "X-Line-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)), body)
}

func (a *lineAccount) serve(w http.ResponseWriter, r *http.Request) {
	var in lineBody
	if r.Method != http.MethodPost {
		http.Error(w, `{"message":"Not found"}`, http.StatusNotFound) // profiles
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Messages) != 1 {
		http.Error(w, `{"message":"The request body has 1 error(s)"}`, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/message/reply"):
		a.reply(w, in)
	case strings.HasSuffix(r.URL.Path, "/message/push"):
		a.push(w, in, r.Header.Get("X-Line-Retry-Key"))
	default:
		_, _ = fmt.Fprint(w, `{}`) // loading animation, mark as read
	}
}

func (a *lineAccount) reply(w http.ResponseWriter, in lineBody) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over(w) {
		return
	}
	if last := in.Token[len(in.Token)-1]; a.used[in.Token] || last%2 == 1 {
		http.Error(w, `{"message":"Invalid reply token"}`, http.StatusBadRequest)
		return
	}
	a.used[in.Token] = true
	a.made(w, a.make(in.Messages[0].Text))
}

func (a *lineAccount) push(w http.ResponseWriter, in lineBody, key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if id, ok := a.keys[key]; ok {
		w.Header().Set("X-Line-Accepted-Request-Id", "earlier")
		w.WriteHeader(http.StatusConflict)
		a.made(w, id)
		return
	}
	if a.over(w) {
		return
	}
	a.keys[key] = a.make(in.Messages[0].Text)
	a.made(w, a.keys[key])
}

// over refuses the first calls.
func (a *lineAccount) over(w http.ResponseWriter) bool {
	if a.refuse == 0 {
		return false
	}
	a.refuse--
	http.Error(w, `{"message":"The API rate limit has been exceeded. Try again later."}`, http.StatusTooManyRequests)
	return true
}

func (a *lineAccount) make(text string) (id string) {
	a.taken[text]++
	a.ids++
	return fmt.Sprintf("4614401%s%d", a.prefix, a.ids)
}

func (a *lineAccount) made(w http.ResponseWriter, id string) {
	_, _ = fmt.Fprintf(w, `{"sentMessages":[{"id":%q,"quoteToken":"q"}]}`, id)
}
