package session_test

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// token signs a session's claims, with our own key unless another is given.
func token(t *testing.T, key []byte, claims jwt.MapClaims) string {
	t.Helper()
	if key == nil {
		k, err := hkdf.Key(sha256.New, w.key, nil, "tributary web chat sessions", 32)
		must(err)
		key = k
	}
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
	must(err)
	return s
}

func TestTokens(t *testing.T) {
	t.Parallel()
	id, foreign := w.channel(t, nil), w.channel(t, nil)
	now := time.Now()
	good := jwt.MapClaims{"sub": "vis_1", "jti": "ws_1", "aud": []string{id}, "tnt": tenant, "exp": now.Add(time.Hour).Unix()}
	but := func(key string, v any) jwt.MapClaims {
		c := jwt.MapClaims{}
		for k, x := range good {
			c[k] = x
		}
		c[key] = v
		return c
	}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, good).SignedString(jwt.UnsafeAllowNoneSignatureType)
	must(err)
	for name, c := range map[string]struct {
		token string
		ok    bool
	}{
		"good":            {token(t, nil, good), true},
		"none":            {"", false},
		"garbage":         {"x.y.z", false},
		"unsigned":        {unsigned, false},
		"another key":     {token(t, []byte("another key of thirty-two bytes!"), good), false},
		"expired":         {token(t, nil, but("exp", now.Add(-time.Second).Unix())), false},
		"without end":     {token(t, nil, but("exp", nil)), false},
		"another channel": {token(t, nil, but("aud", []string{foreign})), false},
		"another tenant":  {token(t, nil, but("tnt", "tnt_2")), false},
		"no visitor":      {token(t, nil, but("sub", "")), false},
		"flipped":         {token(t, nil, good)[:20] + "A" + token(t, nil, good)[21:], false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &browser{t: t, url: w.urls[0] + "/chat/" + id, token: c.token}
			want := http.StatusOK
			if !c.ok {
				want = http.StatusUnauthorized
			}
			if status, f := b.call("GET", "/poll?wait=0", nil); status != want {
				t.Errorf("poll: %d %v", status, f)
			}
			l := b.dial()
			l.say(frame{"t": "hello", "token": c.token})
			if c.ok {
				l.want("hello")
				return
			}
			if f := l.want("error"); f.text("code") != "unauthenticated" {
				t.Errorf("%v", f)
			}
			l.wantEnd(4401)
			if status, f := b.call("POST", "/messages", frame{"clientId": "c", "text": "x"}); status != want {
				t.Errorf("post: %d %v", status, f)
			}
		})
	}
}

func TestASocketBeginsWithHello(t *testing.T) {
	t.Parallel()
	b := visit(t, 0, w.channel(t, nil), frame{})
	for _, first := range []string{`{"t":"message","clientId":"c","text":"x"}`, `not json`, `[]`} {
		l := b.dial()
		l.say(first)
		l.wantEnd(4408)
	}
}

func TestASocketEndsWithItsSession(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	b.token = token(t, nil, jwt.MapClaims{"sub": b.visitor, "jti": "ws_1", "aud": []string{id}, "tnt": tenant, "exp": time.Now().Add(1500 * time.Millisecond).Unix()})
	l := b.dial()
	l.say(frame{"t": "hello", "token": b.token})
	l.wantEnd(4401)
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := &browser{t: t, url: w.urls[0] + "/chat/" + id}
	own := w.urls[0]
	for origin, want := range map[string]int{
		shop: 201, own: 201, "https://chat.tributary.example": 201, "": 201,
		"https://evil.example": 403, "https://shop.example.evil.example": 403, "http://shop.example": 403, "null": 403, "https://SHOP.example:444": 403,
	} {
		head := []string{"Origin", origin}
		if origin == "" {
			head = nil
		}
		status, f := b.call("POST", "/sessions", frame{}, head...)
		if h := f["header"].(http.Header); status != want || want == 201 && h.Get("Access-Control-Allow-Origin") != origin || want == 403 && h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%q: %d %v", origin, status, f)
		}
		if origin == "" {
			continue
		}
		conn, resp, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(b.url, "http")+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if (err == nil) != (want == 201) || want == 403 && (resp == nil || resp.StatusCode != 403) {
			t.Errorf("%q: socket: %v", origin, err)
		}
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
	status, f := b.call("OPTIONS", "/poll", nil, "Origin", shop, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
	if h := f["header"].(http.Header); status != 204 || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") || h.Get("Vary") != "Origin" {
		t.Errorf("preflight: %d %v", status, h)
	}
	if status, _ := b.call("OPTIONS", "/poll", nil, "Origin", "https://evil.example"); status != 403 {
		t.Errorf("preflight of another: %d", status)
	}
	if status, _ := (&browser{t: t, url: w.urls[0] + "/chat/ch_none"}).call("POST", "/sessions", frame{}); status != 404 {
		t.Errorf("no such channel: %d", status)
	}
}

func TestBadFrames(t *testing.T) {
	t.Parallel()
	b := visit(t, 0, w.channel(t, nil), frame{})
	l, _ := b.connect(0)
	long := strings.Repeat("x", 101)
	for name, c := range map[string]struct {
		frame any
		code  string
	}{
		"no id":        {frame{"t": "message", "text": "x"}, "out_of_range"},
		"long id":      {frame{"t": "message", "clientId": long, "text": "x"}, "out_of_range"},
		"long text":    {frame{"t": "message", "clientId": "c", "text": strings.Repeat("ä", 2049)}, "too_long"},
		"empty":        {frame{"t": "message", "clientId": "c"}, "required"},
		"unknown file": {frame{"t": "message", "clientId": "c", "fileIds": []string{"att_x"}}, "bad_value"},
		"many files":   {frame{"t": "message", "clientId": "c", "fileIds": strings.Split(strings.Repeat("x", 11), "")}, "too_long"},
		"unknown":      {frame{"t": "sticker"}, "bad_value"},
		"read nothing": {frame{"t": "read"}, "out_of_range"},
		"not json":     {"hello", "bad_json"},
		"wrong type":   {`{"t":"message","text":{}}`, "bad_json"},
	} {
		l.say(c.frame)
		if f := l.want("error"); f.text("code") != c.code || f["retryable"] != false {
			t.Errorf("%s: %v", name, f)
		}
	}
	l.say(frame{"t": "message", "clientId": "c", "text": strings.Repeat("ä", 2048)})
	if a := l.want("ack"); a.seq() != 1 {
		t.Errorf("the longest text: %v", a)
	}
	l.say(frame{"t": "ping"})
	l.want("pong")
	l.say(frame{"t": "message", "clientId": "c", "text": strings.Repeat("x", 17<<10)})
	l.wantEnd(websocket.StatusMessageTooBig)
	if status, f := b.call("POST", "/messages", frame{"clientId": "d", "text": strings.Repeat("x", 33<<10)}); status != 413 {
		t.Errorf("a large body: %d %v", status, f)
	}
	if status, f := b.call("POST", "/messages", frame{"clientId": "d", "text": strings.Repeat("x", 4097)}); status != 422 {
		t.Errorf("a long text: %d %v", status, f)
	}
	l = b.dial()
	if err := l.conn.Write(t.Context(), websocket.MessageBinary, []byte("x")); err != nil {
		t.Fatal(err)
	}
	l.wantEnd(4408)
}

// TestTwentyMessagesAMinute counts with the bucket's filling while it runs: one message every three seconds.
func TestTwentyMessagesAMinute(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	l, _ := b.connect(0)
	began, said := time.Now(), 0
	say := func() frame {
		l.say(frame{"t": "message", "clientId": fmt.Sprint("c-", said), "text": "x"})
		return l.want("ack", "error")
	}
	f := say()
	for ; f.text("t") == "ack"; f = say() {
		said++
	}
	if most := 20 + int(time.Since(began)/(3*time.Second)); said < 20 || said > most {
		t.Errorf("%d were taken, want 20 to %d", said, most)
	}
	if ms, _ := f["retryAfterMs"].(float64); f.text("code") != "rate_limited" || f.text("clientId") != fmt.Sprint("c-", said) || ms <= 0 || ms > 3001 {
		t.Errorf("%v", f)
	}
	l.say(frame{"t": "message", "clientId": "c-3", "text": "x"}) // a repeat costs nothing
	if a := l.want("ack"); a["duplicate"] != true {
		t.Errorf("%v", a)
	}
	post := func(n int) (status int) {
		status, f = b.call("POST", "/messages", frame{"clientId": fmt.Sprint("p-", n), "text": "x"})
		return status
	}
	for n := 0; post(n) == 202; n++ {
	}
	if h := f["header"].(http.Header); f["status"] != 429.0 || h.Get("Retry-After") == "" {
		t.Errorf("%v", f)
	}
	other := visit(t, 0, id, frame{}) // another visitor's bucket is another
	if status, f := other.call("POST", "/messages", frame{"clientId": "c-20", "text": "x"}); status != 202 {
		t.Errorf("%d %v", status, f)
	}
	for n := range 50 { // who goes on is sent away
		_ = l.conn.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"t":"message","clientId":"q-%d","text":"x"}`, n))
	}
	l.wantEnd(4429)
}

func identified(t *testing.T, sub string, change func(jwt.MapClaims)) frame {
	t.Helper()
	now := time.Now()
	c := jwt.MapClaims{"aud": "wgt_1", "sub": sub, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "jti": "1", "name": "Alice", "email": "alice@customer.example"}
	if change != nil {
		change(c)
	}
	return frame{"identity": frame{"token": token(t, []byte(identity), c)}}
}

func with(f frame, key string, v any) frame { f[key] = v; return f }

func TestProofs(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := &browser{t: t, url: w.urls[0] + "/chat/" + id}
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for name, c := range map[string]struct {
		body frame
		want int
	}{
		"token":           {identified(t, "cust-1", nil), 201},
		"for the channel": {identified(t, "cust-1", func(c jwt.MapClaims) { c["aud"] = id }), 201},
		"several":         {identified(t, "cust-1", func(c jwt.MapClaims) { c["aud"] = []string{"another-system", id} }), 201},
		"another system":  {with(identified(t, "cust-1", func(c jwt.MapClaims) { c["aud"] = "another-system" }), "widgetId", "another-system"), 401},
		"another channel": {identified(t, "cust-1", func(c jwt.MapClaims) { c["aud"] = "ch_another" }), 401},
		"any audience":    {with(identified(t, "cust-1", func(c jwt.MapClaims) { delete(c, "aud") }), "widgetId", ""), 401},
		"empty audience":  {with(identified(t, "cust-1", func(c jwt.MapClaims) { c["aud"] = "" }), "widgetId", ""), 401},
		"expired":         {identified(t, "cust-1", func(c jwt.MapClaims) { c["iat"], c["exp"] = at(-9*time.Minute), at(-5*time.Minute) }), 401},
		"too long":        {identified(t, "cust-1", func(c jwt.MapClaims) { c["exp"] = at(6 * time.Minute) }), 401},
		"without end":     {identified(t, "cust-1", func(c jwt.MapClaims) { delete(c, "exp") }), 401},
		"without start":   {identified(t, "cust-1", func(c jwt.MapClaims) { delete(c, "iat") }), 401},
		"of the future":   {identified(t, "cust-1", func(c jwt.MapClaims) { c["iat"], c["exp"] = at(3*time.Minute), at(5*time.Minute) }), 401},
		"nobody":          {identified(t, "", nil), 401},
		"another secret":  {frame{"identity": frame{"token": token(t, []byte("x"), jwt.MapClaims{"sub": "a"})}}, 401},
		"hash":            {frame{"identity": frame{"identifier": "cust-10086", "hash": "8eac599d143b91689e6170cef10a32656386e9eee44b79f1fb438c6535310688"}}, 201},
		"another's hash":  {frame{"identity": frame{"identifier": "cust-10087", "hash": "8eac599d143b91689e6170cef10a32656386e9eee44b79f1fb438c6535310688"}}, 401},
		"no hash":         {frame{"identity": frame{"identifier": "cust-10086"}}, 401},
		"nothing":         {frame{"identity": frame{}}, 401},
	} {
		if status, f := b.call("POST", "/sessions", c.body); status != c.want || status == 201 && f["verified"] != true {
			t.Errorf("%s: %d %v", name, status, f)
		}
	}
}

func TestAProvedPersonHasOneMailbox(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	phone, laptop := visit(t, 0, id, identified(t, "cust-1", nil)), visit(t, 1, id, identified(t, "cust-1", nil))
	if phone.visitor == laptop.visitor {
		t.Fatal("two browsers have one visitor id")
	}
	a, _ := phone.connect(0)
	b, _ := laptop.connect(0)
	sent := w.send(t, id, phone.visitor, nil)
	if x, y := a.want("message"), b.want("message"); x.text("id") != sent.MessageID || y.text("id") != sent.MessageID {
		t.Errorf("%v %v", x, y)
	}
	b.say(frame{"t": "read", "upTo": sent.MessageID}) // read on the laptop what was addressed to the phone
	eventually(t, "read", func() bool {
		rs := w.said(id, event.ReceiptWatermark)
		return len(rs) == 1 && rs[0].Peer == phone.visitor
	})
	b.say(frame{"t": "message", "clientId": "c-1", "text": "x"})
	b.want("ack")
	eventually(t, "the message", func() bool { return len(w.said(id, event.MessageReceived)) == 1 })
	m := w.said(id, event.MessageReceived)[0]
	if len(m.Aliases) != 1 || m.Aliases[0] != "user:cust-1" || m.Sender == nil || m.Sender.Name != "Alice" || !m.Sender.Verified {
		t.Errorf("%+v", m)
	}
	for name, body := range map[string]frame{
		"without proof": {}, "another person": identified(t, "cust-2", nil), "an invented id": {},
	} {
		said := laptop.visitor
		if name == "an invented id" {
			said = "vis_invented"
		}
		o := visit(t, 0, id, with(body, "visitorId", said))
		if o.visitor == said || o.lastSeq != 0 {
			t.Errorf("%s: continues as %s", name, o.visitor)
		}
	}
	same := visit(t, 0, id, with(identified(t, "cust-1", nil), "visitorId", laptop.visitor))
	if same.visitor != laptop.visitor || same.lastSeq != 2 {
		t.Errorf("with proof: %s %d", same.visitor, same.lastSeq)
	}
	renewed := &browser{t: t, url: laptop.url, token: laptop.token}
	if status, f := renewed.call("POST", "/sessions", frame{}); status != 201 || f.text("visitorId") != laptop.visitor || f["verified"] != true {
		t.Errorf("renewed: %d %v", status, f)
	}
}

// anonymous visitors who later prove who they are keep their id, and answers to it come along.
func TestAVisitorProvesWhoTheyAre(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	before, _ := b.connect(0)
	before.say(frame{"t": "message", "clientId": "c-before", "text": "Who can help me?"})
	before.want("ack")
	answered := w.send(t, id, b.visitor, nil)
	before.want("message")
	if stranger := visit(t, 0, id, with(identified(t, "cust-2", nil), "visitorId", b.visitor)); stranger.visitor == b.visitor {
		t.Fatal("whoever knows the id joins the visitor's talk by proving to be somebody else")
	}
	known := visit(t, 0, id, with(with(identified(t, "cust-1", nil), "visitorId", b.visitor), "visitorSecret", b.secret))
	for range 2 { // proved again, nothing is said again
		known = visit(t, 0, id, with(with(identified(t, "cust-1", nil), "visitorId", b.visitor), "visitorSecret", b.secret))
	}
	if _, h := known.call("GET", "/messages", nil); known.lastSeq != 2 || !strings.Contains(h.text("raw"), "Who can help me?") || !strings.Contains(h.text("raw"), answered.MessageID) {
		t.Errorf("the talk before the proof is not in the person's mailbox: %d %v", known.lastSeq, h.text("raw"))
	}
	if known.visitor != b.visitor {
		t.Fatalf("%s became %s", b.visitor, known.visitor)
	}
	l, _ := known.connect(known.lastSeq)
	sent := w.send(t, id, b.visitor, nil)
	if f := l.want("message"); f.text("id") != sent.MessageID {
		t.Errorf("%v", f)
	}
}

func form(t *testing.T, part, name string, content []byte) (*bytes.Buffer, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	p, err := m.CreateFormFile(part, name)
	must(err)
	_, err = p.Write(content)
	must(err)
	must(m.Close())
	return &b, m.FormDataContentType()
}

func TestFiles(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b, stranger := visit(t, 0, id, frame{}), visit(t, 0, id, frame{})
	png := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), make([]byte, 100)...)
	for name, c := range map[string]struct {
		part    string
		content []byte
		want    int
	}{
		"html": {"file", []byte("<!DOCTYPE html><html><script>alert(1)</script></html>"), 422}, "svg": {"file", []byte(`<svg xmlns="http://www.w3.org/2000/svg"></svg>`), 422},
		"program": {"file", []byte("MZ\x90\x00"), 422}, "empty": {"file", nil, 422}, "another part": {"doc", png, 422},
		"large": {"file", append(bytes.Clone(png), make([]byte, 20<<20)...), 413},
	} {
		body, kind := form(t, c.part, "x.png", c.content)
		if status, f := b.call("POST", "/files", body, "Content-Type", kind); status != c.want {
			t.Errorf("%s: %d %v", name, status, f["raw"])
		}
	}
	body, kind := form(t, "file", `C:\my "pictures"\box.png`, png)
	status, f := b.call("POST", "/files", body, "Content-Type", kind)
	if status != 201 || f.text("mime") != "image/png" || f.text("type") != "image" || f.text("name") != "box.png" {
		t.Fatalf("%d %v", status, f)
	}
	file := f.text("fileId")
	if status, _ := stranger.call("POST", "/messages", frame{"clientId": "c", "fileIds": []string{file}}); status != 422 {
		t.Errorf("another's file was sent: %d", status)
	}
	if status, f := b.call("POST", "/messages", frame{"clientId": "c-1", "text": "Look", "fileIds": []string{file}}); status != 202 {
		t.Fatalf("%d %v", status, f)
	}
	eventually(t, "the message", func() bool { return len(w.said(id, event.MessageReceived)) == 1 })
	m := w.said(id, event.MessageReceived)[0]
	if a := m.Content.Attachments; len(a) != 1 || a[0].State != event.Ready || a[0].Blob == "" || a[0].MIME != "image/png" || a[0].Size != int64(len(png)) || a[0].Name != "box.png" {
		t.Fatalf("%+v", a)
	}
	status, f = b.at(1).call("GET", "/files/"+file, nil)
	h := f["header"].(http.Header)
	if status != 200 || f["raw"] != string(png) || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d %v", status, h)
	}
	if status, _ := stranger.call("GET", "/files/"+file, nil); status != 404 {
		t.Errorf("another's file was fetched: %d", status)
	}
	key, _, size, _, err := w.env.Blob.Put(context.Background(), tenant, strings.NewReader("<html>page</html>"), 1000)
	must(err)
	l, _ := b.connect(1)
	w.send(t, id, b.visitor, func(m *event.Outbound) {
		m.Content = event.Content{Type: event.Document, Attachments: []event.Attachment{{ID: "att_ours", Type: event.Document, MIME: "text/html", Name: "page.html", Size: size, Blob: key}}}
	})
	got := l.want("message")
	a := got["attachments"].([]any)[0].(map[string]any)
	if a["id"] != "att_ours" || a["name"] != "page.html" || strings.Contains(fmt.Sprint(got), key) {
		t.Fatalf("%v", got)
	}
	status, f = b.call("GET", "/files/att_ours", nil)
	if h := f["header"].(http.Header); status != 200 || h.Get("Content-Type") != "application/octet-stream" || f["raw"] != "<html>page</html>" {
		t.Errorf("%d %v", status, h)
	}
	if status, _ := stranger.call("GET", "/files/att_ours", nil); status != 404 {
		t.Errorf("a stranger fetched it: %d", status)
	}
}

func TestANewerPollEndsTheOlder(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	old := make(chan frame, 1)
	go func() {
		_, f := b.call("GET", "/poll?after=0&wait=30", nil)
		old <- f
	}()
	for {
		_, f := b.call("GET", "/poll?after=0&wait=1", nil)
		if f["nextSeq"] != 0.0 {
			t.Fatalf("%v", f)
		}
		select {
		case f := <-old:
			if f["nextSeq"] != 0.0 || len(f["events"].([]any)) != 0 {
				t.Errorf("%v", f)
			}
			return
		default:
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	id := w.channel(t, channel.Settings{"theme": map[string]any{"title": "Desk"}, "pre_chat_form": map[string]any{"fields": []any{}}})
	b := &browser{t: t, url: w.urls[0] + "/chat/" + id}
	status, f := b.call("POST", "/sessions", frame{}, "Origin", shop)
	if status != 403 {
		t.Errorf("no page is allowed, and yet: %d %v", status, f)
	}
	_, f = b.call("POST", "/sessions", frame{})
	if theme, _ := f["theme"].(map[string]any); theme["title"] != "Desk" || f["preChatForm"] == nil {
		t.Errorf("%v", f)
	}
}
