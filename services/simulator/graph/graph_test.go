package graph

import (
	"net/http"
	"testing"
)

func TestFormsAreReadAsJSON(t *testing.T) {
	t.Parallel()
	r := &http.Request{Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	body := `recipient=%7B%22id%22%3A%221%22%7D&messaging_type=RESPONSE&is_hidden=true&n=12&broken=%7B`
	if got := string(JSON(r, []byte(body))); got != `{"broken":"{","is_hidden":true,"messaging_type":"RESPONSE","n":"12","recipient":{"id":"1"}}` {
		t.Error(got)
	}
	if got := JSON(r, []byte("%zz")); got != nil {
		t.Errorf("a broken form is %s", got)
	}
	r.Header.Set("Content-Type", "application/json")
	if got := string(JSON(r, []byte(body))); got != body {
		t.Error(got)
	}
}

func TestEncodeWritesAsMetaDoes(t *testing.T) {
	t.Parallel()
	if got := string(Encode(map[string]string{"a": "é🙂 <https://x>"})); got != `{"a":"\u00e9\ud83d\ude42 <https:\/\/x>"}` {
		t.Error(got)
	}
}
