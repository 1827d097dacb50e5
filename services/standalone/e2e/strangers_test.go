package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/telemetry/label/labeltest"
)

const maxFloods = 8 // a closed set is full after a few of them

// TestStrangersAddNoSeries floods a whole platform with what strangers and providers may choose, and asks every page of metrics
// whether the labels are from closed sets. Then it floods again with other values until a flood adds no series: with one label from
// outside every flood would.
func TestStrangersAddNoSeries(t *testing.T) {
	each(t, func(t *test) {
		f := &flood{test: t, widget: t.newWidget(), conversation: t.writeTo("4915100000011")}
		seen, added := map[string]bool{}, []string{}
		for f.n = range maxFloods {
			f.run()
			added = nil
			for _, s := range t.series() {
				if wrong := s.Unknown(); wrong != nil {
					t.Errorf("%v from no closed set: %s", wrong, s)
				}
				if !seen[s.String()] {
					seen[s.String()] = true
					added = append(added, s.String())
				}
			}
			if f.n > 0 && len(added) == 0 {
				break
			}
		}
		if len(added) > 0 {
			t.Errorf("flood %d added %d series: %.2000s", maxFloods, len(added), strings.Join(added, "\n"))
		}
		all := strings.Join(slices.Collect(maps.Keys(seen)), "\n")
		for what, series := range map[string]string{
			"methods": `http_request_method="_OTHER"`, "paths": `http_route=""`, "forged calls": `result="forged"`,
			"unknown channels": `result="unknown_channel"`, "refusals of providers": `status="failed"`,
		} {
			if !strings.Contains(all, series) {
				t.Errorf("the flood of %s was not counted (%s)", what, series)
			}
		}
		t.Logf("%d series after %d floods", len(seen), f.n+1)
	})
}

// flood is what strangers send. Whatever they choose contains n, the number of the flood, so that no two floods have a value in common.
type flood struct {
	*test
	n            int
	widget       string // id of a web chat's channel
	conversation string
}

func (f *flood) run() {
	f.Helper()
	word := fmt.Sprintf("zz%d", f.n)
	for i, path := range f.paths(word) {
		for _, method := range []string{"GET", "POST", "QUERY", strings.ToUpper(word)} {
			if status := f.ask(method, path, word, i); status == 0 {
				f.Fatalf("%s %s is not answered", method, path)
			}
		}
	}
	f.refuse(460+f.n, 900_000+f.n)
	f.webhook(fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":%q,"value":{}}]}]}`, word), appSecret)
	f.webhook(fmt.Sprintf(`{"object":%q}`, word), word)
	f.webhook(fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":%q},"statuses":[`+
		`{"id":"wamid.%[2]s","status":"failed","timestamp":"%[3]d","recipient_id":"4915100000011","errors":[{"code":%[4]d,"title":%[2]q}]},`+
		`{"id":"wamid.%[2]s","status":%[2]q,"timestamp":"%[3]d","recipient_id":"4915100000011"}],"messages":[`+
		`{"from":"4915100000012","id":"wamid.in.%[2]s","timestamp":"%[3]d","type":%[2]q,%[2]q:{}}]}}]}]}`,
		phoneID, word, time.Now().Unix(), 800_000+f.n), appSecret)
}

// paths are of all kinds of route, the last element made up.
func (f *flood) paths(word string) []string {
	return []string{
		"/" + word, "/v1/" + word, "/v1/conversations/" + word, "/v1/messages/" + word + "/deliveries", "/v1/auth/login", "/v1/auth/" + word,
		"/webhooks/whatsapp/ch_" + word, "/webhooks/telegram/ch_" + word, "/webhooks/" + word + "/ch_" + word,
		"/webhooks/whatsapp/" + f.channel, "/webhooks/whatsapp/" + f.channel + "/" + word,
		"/chat/ch_" + word + "/sessions", "/chat/" + f.widget + "/sessions", "/chat/" + f.widget + "/ws", "/chat/" + f.widget + "/ws?v=" + word,
		"/chat/" + f.widget + "/" + word, "/chat/" + f.widget + "/files/" + word, "/simulator/" + word, "/simulator/whatsapp/" + word + "/messages",
		"/simulator/telegram/bot" + word + "/sendMessage", "/%7e" + word, "/v1/channels/" + word + "?" + word + "=1",
	}
}

// ask makes one call on a connection of its own, with headers that Go's client would not send, and returns its status.
func (f *flood) ask(method, path, word string, i int) (status int) {
	f.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		f.Fatal(err)
	}
	defer conn.Close()
	body := fmt.Sprintf(`{"email":"%s.%d@example.com","password":%q}`, word, i, word)
	head := []string{
		method + " " + path + " HTTP/1.1", "Host: " + word + ".example", "User-Agent: " + word, "Origin: https://" + word + ".example",
		"Content-Type: application/" + word, "X-Request-Id: " + word, "X-Forwarded-For: 192.0.2." + fmt.Sprint(f.n),
		"X-Hub-Signature-256: sha256=" + word, "X-Telegram-Bot-Api-Secret-Token: " + word, "Authorization: " + word + " " + word,
		"traceparent: 00-" + word, "Content-Length: " + fmt.Sprint(len(body)),
	}
	if strings.HasSuffix(path, "login") {
		head[4] = "Content-Type: application/json"
	}
	if strings.Contains(path, "/ws") {
		head = append(head, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: "+word)
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write([]byte(strings.Join(head, "\r\n") + "\r\n\r\n" + body)); err != nil {
		return 0
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// refuse has the provider refuse a message with a status and a code that it has made up.
func (f *flood) refuse(status, code int) {
	f.Helper()
	script := func(fail map[string]any) {
		f.do("PUT", "/simulator/script", "", map[string]any{"type": "whatsapp", "fail": fail}, nil)
	}
	script(map[string]any{"status": status, "code": code, "message": fmt.Sprint("made up ", code)})
	var m message
	f.do("POST", "/v1/conversations/"+f.conversation+"/messages", fmt.Sprint("send-", code), map[string]string{"text": "hello"}, &m)
	f.eventually("the send has failed", func() bool {
		return f.call(f.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &m) == nil && m.Status == "failed"
	})
	script(nil)
}

// writeTo makes a conversation of a message from a person.
func (t *test) writeTo(peer string) (conversation string) {
	t.Helper()
	if s := t.post(peer, "wamid."+peer, "hello"); s != http.StatusOK {
		t.Fatalf("the webhook was answered %d", s)
	}
	t.eventually("the conversation is listed", func() bool {
		c := t.find(peer)
		if c != nil {
			conversation = c.ID
		}
		return c != nil
	})
	return conversation
}

// newWidget makes a channel of the type web chat. Separate processes have none here.
func (t *test) newWidget() string {
	t.Helper()
	if t.separate {
		return "ch_none"
	}
	var ch struct {
		ID string `json:"id"`
	}
	in := map[string]any{"type": "webchat", "name": "Widget", "settings": map[string]any{"allowed_origins": []string{"https://shop.example"}}}
	t.eventually("a web chat can be made", func() bool { return t.call(t.Context(), "POST", "/v1/channels", "widget", in, &ch) == nil })
	return ch.ID
}

// series reads the metrics of all processes.
func (t *test) series() (all []labeltest.Series) {
	t.Helper()
	t.mu.Lock()
	names := slices.Collect(maps.Keys(t.processes))
	t.mu.Unlock()
	for _, name := range names {
		port, ok := t.ports[name+".admin"]
		if !ok {
			continue // the shared servers
		}
		resp, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		_, err = page.ReadFrom(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		one, err := labeltest.Read(&page)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, s := range one {
			s.Name = name + " " + s.Name
			all = append(all, s)
		}
	}
	return all
}
