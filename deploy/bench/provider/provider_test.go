package provider_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/provider"
)

func TestItTakesMessages(t *testing.T) {
	t.Parallel()
	p, err := provider.Start()
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Transport: &http.Transport{}}
	seen := map[string]bool{}
	for i, path := range []string{
		"/v26.0/1/messages", "/v26.0/1/messages", "/bot1:x/sendMessage", "/facebook/v26.0/1/messages", "/x/2/dm_conversations/with/1/messages",
		"/wechat/cgi-bin/message/custom/send?access_token=t",
	} {
		if i == 2 {
			p.Delay(50 * time.Millisecond)
		}
		began := time.Now()
		resp, err := c.Post(p.URL+path, "application/json", strings.NewReader(`{"text":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || !json.Valid(b) || seen[string(b)] || p.Calls() != int64(i+1) {
			t.Errorf("%s: %d %s, %d calls", path, resp.StatusCode, b, p.Calls())
		}
		seen[string(b)] = true
		if i == 2 && (time.Since(began) < 50*time.Millisecond || !strings.Contains(string(b), `"ok":true`)) {
			t.Errorf("after %s: %s", time.Since(began), b)
		}
	}
	for path, want := range map[string]string{"/facebook/v26.0/1?fields=first_name": `{}`, "/wechat/cgi-bin/user/info?openid=o": `{}`} {
		resp, err := c.Get(p.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(b) != want || p.Calls() != 6 {
			t.Errorf("%s: %s, %d calls", path, b, p.Calls())
		}
	}
	resp, err := c.Post(p.URL+"/wechat/cgi-bin/stable_token", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if !strings.Contains(string(b), `"expires_in":7200`) || p.Calls() != 6 {
		t.Errorf("a token: %s, %d calls", b, p.Calls())
	}
	c.CloseIdleConnections()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
