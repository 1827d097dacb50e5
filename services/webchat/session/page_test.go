package session_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
)

func TestPagesRunNothingInline(t *testing.T) {
	t.Parallel()
	id := w.channel(t, channel.Settings{"allowed_origins": []any{shop, "https://x; script-src *"}})
	b := &browser{t: t, url: w.urls[0] + "/chat/" + id}
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\sstyle=|\son\w+=|javascript:`)
	for _, page := range []string{"/frame", "/demo"} {
		status, f := b.call("GET", page, nil)
		policy := f["header"].(http.Header).Get("Content-Security-Policy")
		if status != 200 || !strings.Contains(policy, "default-src 'none'; script-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %d %s", page, status, policy)
		}
		if _, ancestors, _ := strings.Cut(policy, "frame-ancestors "); ancestors != "'self' "+shop {
			t.Errorf("%s may be embedded by %s", page, ancestors)
		}
		if m := inline.FindString(f["raw"].(string)); m != "" {
			t.Errorf("%s has %q inline", page, m)
		}
		for _, ref := range regexp.MustCompile(`(?:src|href)="([a-z]+\.[a-z]+)"`).FindAllStringSubmatch(f["raw"].(string), -1) {
			if status, _ := b.call("GET", "/"+ref[1], nil); status != 200 {
				t.Errorf("%s needs %s: %d", page, ref[1], status)
			}
		}
	}
	for name, kind := range map[string]string{"widget.js": "text/javascript", "line.js": "text/javascript", "frame.css": "text/css", "icon.svg": "image/svg+xml"} {
		status, f := b.call("GET", "/"+name, nil)
		h := f["header"].(http.Header)
		if status != 200 || !strings.HasPrefix(h.Get("Content-Type"), kind) || h.Get("ETag") == "" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", name, status, h)
		}
		if strings.Contains(f["raw"].(string), "innerHTML") {
			t.Errorf("%s makes HTML of texts", name)
		}
		if status, _ := b.call("GET", "/"+name, nil, "If-None-Match", h.Get("ETag")); status != http.StatusNotModified {
			t.Errorf("%s again: %d", name, status)
		}
	}
}

func TestModulesAreServedAsOneFile(t *testing.T) {
	t.Parallel()
	b := &browser{t: t, url: w.urls[0] + "/chat/" + w.channel(t, channel.Settings{})}
	status, f := b.call("GET", "/line.js", nil)
	text := f["raw"].(string)
	if m := regexp.MustCompile(`(?m)^import .*|\bimport\(.*`).FindString(text); status != 200 || m != "" {
		t.Errorf("%d, imports %q", status, m)
	}
	at := -1
	for _, name := range []string{"export class Store", "export class Outbox", "export class Session", "export class Line"} {
		i := strings.Index(text, name)
		if i <= at || strings.Count(text, name) != 1 {
			t.Errorf("%q stands %d times, at %d, not behind what it needs", name, strings.Count(text, name), i)
		}
		at = i
	}
	if status, _ := b.call("GET", "/line/line.js", nil); status != http.StatusNotFound {
		t.Errorf("a module is served alone: %d", status)
	}
}
