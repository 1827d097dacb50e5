package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const planted = "EAAplanted+Token/0123456789=="

// spellings are how a provider may repeat a token.
func spellings() map[string][]byte {
	quoted, _ := json.Marshal(planted + `"`)
	return map[string][]byte{
		"raw": []byte(planted), "in a query": []byte(url.QueryEscape(planted)), "in a path": []byte(url.PathEscape(planted)),
		"base64": []byte(base64.StdEncoding.EncodeToString([]byte(planted))), "hex": []byte(hex.EncodeToString([]byte(planted))),
		"JSON": quoted[1 : len(quoted)-3],
	}
}

// indiscreet is a provider that refuses everything, and repeats the token in whatever it answers.
func indiscreet(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := fmt.Sprintf("Authorization %s was %s", r.Header.Get("Authorization"), r.URL)
		for _, spelling := range spellings() {
			said += " " + string(spelling)
		}
		w.Header().Set("X-Echo", planted)
		w.Header().Set("WWW-Authenticate", `Bearer error="`+planted+`"`)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
			"message": said, "type": "OAuthException", "code": 100, "error_data": map[string]string{"details": said}, "fbtrace_id": planted,
		}})
	}))
	t.Cleanup(s.Close)
	return s
}

// TestP11_WhatAProviderRepeatsIsNowhere looks for a channel's token, however it is spelt, in everything that the platform answers,
// logs, counts and keeps, after sends and downloads that the provider has refused with the token in its answer.
func TestP11_WhatAProviderRepeatsIsNowhere(t *testing.T) {
	t.Parallel()
	s := newScene(t, false)
	s.begin()
	provider := indiscreet(t)
	var ch struct {
		ID string `json:"id"`
	}
	settings := map[string]any{"provider": "cloud", "phone_number_id": phoneID, "waba_id": "1", "api_base_url": provider.URL}
	secrets := map[string]string{"app_secret": appSecret, "access_token": planted, "verify_token": "verify-of-the-test"}
	s.eventually("a channel can be made", func() bool {
		in := map[string]any{"type": "whatsapp", "name": "Test", "settings": settings, "secrets": secrets}
		return s.call(s.Context(), "POST", "/v1/channels", "channel", in, &ch) == nil
	})
	s.channel = ch.ID
	image := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":%q},"messages":[{"from":"4915100000009",`+
		`"id":"wamid.image","timestamp":"%d","type":"image","image":{"id":"media-1","mime_type":"image/png","sha256":"x"}}]}}]}]}`,
		phoneID, time.Now().Unix())
	if status := s.webhook(image, appSecret); status != http.StatusOK {
		t.Fatalf("the webhook was answered %d", status)
	}
	var c *conversation
	s.eventually("the conversation is there", func() bool { c = s.find("4915100000009"); return c != nil })
	var m message
	s.do("POST", "/v1/conversations/"+c.ID+"/messages", "answer", map[string]string{"text": "hello"}, &m)
	s.eventually("the send has failed", func() bool {
		return s.call(s.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &m) == nil && m.Status == "failed"
	})
	seen := map[string][]byte{}
	for _, path := range []string{
		"/v1/messages/" + m.ID, "/v1/messages/" + m.ID + "/deliveries", "/v1/conversations/" + c.ID + "/messages", "/v1/conversations/" + c.ID + "/timeline",
		"/v1/channels/" + ch.ID, "/v1/channels/" + ch.ID + "/webhook-log", "/v1/dead-letters", "/v1/audit-log", "/v1/delivery-stats",
	} {
		seen["GET "+path] = s.fetch(s.url+path, http.MethodGet)
	}
	seen["the test of the channel"] = s.fetch(s.url+"/webhooks/whatsapp/"+ch.ID+"/~test", http.MethodPost)
	seen["metrics"] = s.fetch(fmt.Sprintf("http://127.0.0.1:%d/metrics", s.ports["tributary.admin"]), http.MethodGet)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	s.log.mu.Lock()
	seen["the log"] = bytes.Clone(s.log.w.Bytes())
	s.log.mu.Unlock()
	s.files(seen)
	for where, what := range seen {
		for spelt, secret := range spellings() {
			if bytes.Contains(what, secret) {
				t.Errorf("the token is in %s: %s", where, spelt)
			}
		}
	}
}

// fetch returns what is answered, head and body, whatever the status.
func (s *scene) fetch(address, method string) []byte {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, address, nil)
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	resp, err := client.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return append([]byte(fmt.Sprint(resp.Status, resp.Header)), b...)
}

// files adds everything in the data directory: the store, the broker's segments, files.
func (s *scene) files(seen map[string][]byte) {
	s.Helper()
	root := filepath.Join(s.dir, "data")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		seen[path] = b
		return err
	})
	if err != nil || len(seen) < 20 {
		s.Fatalf("%d things to look at: %v", len(seen), err)
	}
}
