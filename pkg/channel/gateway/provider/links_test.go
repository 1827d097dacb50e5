package provider

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

const previewKey, ownKey, templateKey, foreignKey = "acme/ff/preview", "acme/ab/own", "acme/cd/template", "acme/ef/of-another-message"

// linking returns a caller that fills places, and a message that names two files.
func linking(t *testing.T, base string) (*Caller, event.Outbound) {
	t.Helper()
	s, err := auth.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	c := caller(t)
	c.Files = fileurl.New(s, base, c.Now)
	msg := outbound("x")
	msg.Content.Attachments = []event.Attachment{{Type: event.Image, MIME: "image/png", Name: "a.png", Blob: ownKey, Shape: event.Shape{Preview: previewKey}}, {Type: event.Image, URL: "https://x.example"}}
	msg.Content.Template = &event.Template{Components: []event.Component{{Parameters: []event.Parameter{
		{Type: "text"}, {Type: "image", Attachment: &event.Attachment{MIME: "image/jpeg", Blob: templateKey}}}}}}
	return c, msg
}

func TestPlacesOfFilesAreFilledJustBeforeTheCall(t *testing.T) {
	t.Parallel()
	seen := make(chan *http.Request, 4)
	bodies := make(chan string, 4)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		seen <- r
		bodies <- string(b)
		_, _ = io.WriteString(w, `cannot fetch `+string(b))
	}))
	defer server.Close()
	c, msg := linking(t, "https://chat.example")
	db := storetest.New(t, CallSpec)
	c.Log = NewCallLog(db, slog.New(slog.DiscardHandler), time.Now)
	req := channel.Request{
		Method: "POST", URL: server.URL + "/send?media=" + url.QueryEscape(channel.BlobURL(ownKey)), Header: channel.Header{"X-Media": {channel.BlobURL(templateKey)}},
		Body: []byte(`{"image":"` + channel.BlobURL(ownKey) + `","preview":"` + channel.BlobURL(previewKey) + `","text":"` + channel.BlobURL(foreignKey) + ` {blob_url:x}"}`),
	}
	c.Send(t.Context(), gatewaytest.Channel(event.Telegram, "ch_a", "acme", server.URL), msg, req, About{Tenant: "acme", Message: "msg_1", Attempt: "a1"})
	r := <-seen
	leads := func(raw string) string {
		token, ok := strings.CutPrefix(raw, "https://chat.example/files/")
		f, err := c.Files.Open(token)
		if !ok || err != nil || f.Tenant != "acme" {
			t.Errorf("%q leads to %+v, %v", raw, f, err)
		}
		return f.Key
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(<-bodies), &body); err != nil {
		t.Fatal(err)
	}
	if leads(r.URL.Query().Get("media")) != ownKey || leads(r.Header.Get("X-Media")) != templateKey || leads(body["image"]) != ownKey ||
		leads(body["preview"]) != previewKey {
		t.Errorf("%v %v %v", r.URL, r.Header, body)
	}
	if body["text"] != channel.BlobURL(foreignKey)+" {blob_url:x}" {
		t.Errorf("a file that the message does not name: %s", body["text"])
	}
	if !strings.Contains(string(req.Body), channel.BlobURL(ownKey)) || req.Header.Get("X-Media") != channel.BlobURL(templateKey) {
		t.Error("the adapter's request was changed")
	}
	c.Log.Flush(t.Context())
	calls, err := Calls(t.Context(), db, "acme", "a1")
	if err != nil || len(calls) != 1 {
		t.Fatal(calls, err)
	}
	if logged, _ := json.Marshal(calls); c.Files.Leads(string(logged)) || !strings.Contains(string(logged), "/files/[hidden]") {
		t.Errorf("the call log holds a URL: %s", logged)
	}
}

// What people get as a link is in the call, and not in what is kept of it, however the provider repeats it.
func TestLinksForPeopleAreNotLogged(t *testing.T) {
	t.Parallel()
	texts := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := r.FormValue("text")
		texts <- text
		_, _ = io.WriteString(w, `{"plain":"`+text+`","php":"`+strings.ReplaceAll(text, "/", `\/`)+`","form":"`+url.QueryEscape(text)+`"}`)
	}))
	defer server.Close()
	c, msg := linking(t, "https://chat.example")
	db := storetest.New(t, CallSpec)
	c.Log = NewCallLog(db, slog.New(slog.DiscardHandler), time.Now)
	link := c.Files.Link(fileurl.Of("acme", msg.Content.Attachments[0]))
	msg.Content.AsLink, msg.Content.Attachments = true, nil
	req := channel.Request{Method: "POST", URL: server.URL, Header: channel.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte("text=" + url.QueryEscape("see "+link))}
	c.Send(t.Context(), gatewaytest.Channel(event.Telegram, "ch_a", "acme", server.URL), msg, req, About{Tenant: "acme", Message: "msg_1", Attempt: "a1"})
	if got := <-texts; got != "see "+link {
		t.Errorf("the provider got %q", got)
	}
	c.Log.Flush(t.Context())
	calls, err := Calls(t.Context(), db, "acme", "a1")
	if err != nil || len(calls) != 1 {
		t.Fatal(calls, err)
	}
	if _, token, _ := strings.Cut(link, "/files/"); strings.Contains(calls[0].Body+calls[0].Answer, token) || strings.Count(calls[0].Answer, "[hidden]") != 3 {
		t.Errorf("the call log: %s %s", calls[0].Body, calls[0].Answer)
	}
}

func TestPlacesInAFormAreFilled(t *testing.T) {
	t.Parallel()
	media := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { media <- r.FormValue("media") }))
	defer server.Close()
	c, msg := linking(t, "https://chat.example")
	req := channel.Request{Method: "POST", URL: server.URL, Form: []channel.Part{{Name: "media", Value: channel.BlobURL(templateKey)}}}
	c.Send(t.Context(), gatewaytest.Channel(event.Telegram, "ch_a", "acme", server.URL), msg, req, About{})
	if got := <-media; !strings.HasPrefix(got, "https://chat.example/files/") {
		t.Error(got)
	}
}

func TestWithoutAPublicURLNothingIsSent(t *testing.T) {
	t.Parallel()
	c, msg := linking(t, "http://localhost:8080")
	req := channel.Request{Method: "POST", URL: "https://api.provider.example/send", Body: []byte(channel.BlobURL(ownKey))}
	linked := msg
	linked.Content.AsLink = true
	text := channel.Request{Method: "POST", URL: req.URL, Body: []byte(c.Files.Link(fileurl.Of("acme", msg.Content.Attachments[0])))}
	for name, try := range map[string]func() Verdict{
		"place": func() Verdict {
			return c.Send(t.Context(), gatewaytest.Channel(event.Telegram, "ch_a", "acme", "https://api.provider.example"), msg, req, About{})
		},
		"link": func() Verdict {
			return c.Send(t.Context(), gatewaytest.Channel(event.Telegram, "ch_a", "acme", "https://api.provider.example"), linked, text, About{})
		},
	} {
		if v := try(); v.Finding != dispatch.Rejected || v.Err.Code != "public_url_missing" {
			t.Errorf("%s: %+v %v", name, v, v.Err)
		}
	}
}
