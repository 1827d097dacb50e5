package target_test

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // WeChat's own scheme
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/deploy/bench/target"
)

func parse(t *testing.T, b []byte) (*http.Request, []byte) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatalf("%v: %q", err, b)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, body
}

// Every built-in target makes whole, signed requests that no two calls share.
func TestBuiltinTargets(t *testing.T) {
	t.Parallel()
	row := map[string]string{"channel": "ch_1", "account": "4711", "secret": "s3cret", "token": "tok", "visitor": "vis_1", "address": "192.0.2.1"}
	vars := map[string]string{"base": "http://127.0.0.1:8080", "secret": "s3cret", "app": "wx0123456789abcdef", "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}
	for _, name := range []string{"whatsapp", "telegram", "webchat", "facebook", "instagram", "wechat", "wechat-safe", "x"} {
		to, err := target.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := to.With(vars, row).Plan("run", 1000)
		if err != nil {
			t.Fatal(err)
		}
		b, bodies, refs := p.Builder(), map[string]bool{}, map[string]bool{}
		for k := range int64(5) {
			r, body := parse(t, b.Request(k))
			if r.Method != "POST" || !strings.Contains(r.URL.Path, "/ch_1") || r.Host != "127.0.0.1:8080" || !json.Valid(body) && !strings.HasPrefix(name, "wechat") || bytes.Contains(body, []byte("{{")) {
				t.Errorf("%s: %s %s %s", name, r.Method, r.URL, body)
			}
			mac := hmac.New(sha256.New, []byte("s3cret"))
			mac.Write(body)
			sum, q := mac.Sum(nil), r.URL.Query()
			proof := map[string][2]string{
				"whatsapp":  {r.Header.Get("X-Hub-Signature-256"), "sha256=" + hex.EncodeToString(sum)},
				"instagram": {r.Header.Get("X-Hub-Signature-256"), "sha256=" + hex.EncodeToString(sum)},
				"facebook":  {r.Header.Get("X-Hub-Signature-256"), "sha256=" + hex.EncodeToString(sum)},
				"x":         {r.Header.Get("X-Twitter-Webhooks-Signature"), "sha256=" + base64.StdEncoding.EncodeToString(sum)},
				"wechat":    {q.Get("signature"), sha1Of("s3cret", q.Get("timestamp"), q.Get("nonce"))},
			}
			if p := proof[name]; p[0] != p[1] {
				t.Errorf("%s: signed %s, want %s", name, p[0], p[1])
			}
			if name == "wechat-safe" {
				opened(t, q, body)
			}
			ref, of := p.Ref(k)
			bodies[string(body)], refs[ref] = true, true
			if of["channel"] != "ch_1" {
				t.Errorf("row %v", of)
			}
		}
		if len(bodies) != 5 || len(refs) != 5 {
			t.Errorf("%s: %d bodies and %d references of 5 calls", name, len(bodies), len(refs))
		}
	}
}

func sha1Of(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // WeChat's own scheme
	return hex.EncodeToString(sum[:])
}

// opened decrypts a push as the gateway does: 16 bytes, the length, the message, the app.
func opened(t *testing.T, q url.Values, body []byte) {
	t.Helper()
	text := string(body)
	text = text[strings.Index(text, "[CDATA[")+7 : strings.Index(text, "]]")]
	if q.Get("msg_signature") != sha1Of("s3cret", q.Get("timestamp"), q.Get("nonce"), text) {
		t.Errorf("signed %s", q)
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	key, err2 := base64.StdEncoding.DecodeString("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG=")
	if err != nil || err2 != nil || len(sealed)%32 != 0 {
		t.Fatalf("%v %v, %d bytes", err, err2, len(sealed))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(sealed, sealed)
	n := binary.BigEndian.Uint32(sealed[16:])
	rest := sealed[20:]
	if !bytes.HasPrefix(rest, []byte("<xml><ToUserName>")) || !bytes.HasPrefix(rest[n:], []byte("wx0123456789abcdef")) || q.Get("encrypt_type") != "aes" {
		t.Errorf("decrypted %q, query %s", rest, q)
	}
}

func TestAnotherGateway(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "other.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"name":"other","url":"http://h:1/hook?x={{person}}","headers":{"X-Key":"k"},"body":"{{id}} {{text}}","people":2,"text":"hi","sign":{"scheme":"hmac-sha256","header":"X-Sig","secret":"s"}}`)
	to, err := target.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := to.Plan("r", 0)
	if err != nil {
		t.Fatal(err)
	}
	r, body := parse(t, p.Builder().Request(3))
	if r.URL.RawQuery != "x=491500000001" || r.Header.Get("X-Key") != "k" || len(r.Header.Get("X-Sig")) != 64 || string(body) != "r.3 hi" {
		t.Errorf("%s %v %s", r.URL, r.Header, body)
	}
	for text, want := range map[string]string{
		`{"name":"x"}`: "url", `{"name":"x","url":"http://h","sign":{"scheme":"rsa"}}`: "rsa", `{"name":"x","url":"http://h","sign":{"scheme":"hmac-sha256"}}`: "sign.header", `{`: "JSON",
	} {
		write(text)
		if _, err := target.Load(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	write(`{"name":"x","url":"http://h","body":"{{nobody}}"}`)
	if to, err = target.Load(file); err == nil {
		_, err = to.Plan("r", 0)
	}
	if err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("a place that nobody fills: %v", err)
	}
}
