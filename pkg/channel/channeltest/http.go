package channeltest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// request reads request.http: "POST", or "GET /suffix?query", then headers, an empty line and the body.
func (c *golden) request(t testing.TB, proofs []Proof) channel.Inbound {
	t.Helper()
	head, body := cut(c.section(t, "request.http"))
	lines := strings.Split(c.reveal(t, head), "\n")
	method, target, _ := strings.Cut(strings.TrimSpace(lines[0]), " ")
	u, err := url.Parse(target)
	if err != nil {
		t.Fatalf("%s: %v", c.path, err)
	}
	in := channel.Inbound{Method: method, Path: u.Path, Query: u.Query(), Header: headers(lines[1:]), Body: c.decode(t, body),
		URL: c.url, At: c.at, Pulled: c.pulled}
	if in.URL == "" {
		in.URL = webhookURL(c.ch) + target
	}
	for _, p := range proofs {
		if v := p.value(in); strings.Contains(v, "{sign}") && p.Sign != nil {
			p.set(&in, strings.ReplaceAll(v, "{sign}", p.Sign(c.ch, in)))
		}
	}
	return in
}

func webhookURL(ch channel.Keyed) string {
	return channel.WebhookURL("https://gateway.example", ch.Type, ch.ID)
}

// reveal puts the channel's secrets where their places stand.
func (c *golden) reveal(t testing.TB, head string) string {
	t.Helper()
	for key := range c.ch.Secrets {
		head = strings.ReplaceAll(head, "{secret."+key+"}", c.ch.Secrets.Current(key))
	}
	if strings.Contains(head, "{secret.") {
		t.Fatalf("%s: the channel has no such secret: %s", c.path, head)
	}
	return head
}

func (c *golden) decode(t testing.TB, body []byte) []byte {
	t.Helper()
	var out []byte
	var err error
	switch kind, file := c.body, strings.TrimPrefix(c.body, "raw/"); {
	case kind == "":
		return body
	case kind == "hex":
		out, err = hex.DecodeString(strings.Join(strings.Fields(string(body)), ""))
	case kind == "base64":
		out, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(body)), ""))
	case kind == "crlf":
		return bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))
	case file != kind:
		out, err = os.ReadFile(filepath.Join("testdata", "raw", file))
	default:
		err = fmt.Errorf("unknown @body %s", kind)
	}
	if err != nil {
		t.Fatalf("%s: %v", c.path, err)
	}
	return out
}

// response reads response.N.http: the status, headers, an empty line and the body.
func (c *golden) response(t testing.TB, n int, tag string) channel.Response {
	t.Helper()
	name := fmt.Sprintf("response.%d.http", n)
	head, body := cut(c.section(t, name))
	lines := strings.Split(head, "\n")
	first := strings.TrimPrefix(strings.TrimSpace(lines[0]), "HTTP/1.1 ")
	code, _, _ := strings.Cut(first, " ")
	status, err := strconv.Atoi(code)
	if err != nil {
		t.Fatalf("%s: %s: the first line must be a status: %v", c.path, name, err)
	}
	return channel.Response{Status: status, Header: headers(lines[1:]), Body: body, Tag: tag}
}

func cut(section []byte) (head string, body []byte) {
	h, b, _ := bytes.Cut(section, []byte("\n\n"))
	return strings.TrimRight(string(h), "\n"), bytes.TrimSuffix(b, []byte("\n"))
}

func headers(lines []string) channel.Header {
	h := channel.Header{}
	for _, l := range lines {
		if k, v, ok := strings.Cut(l, ":"); ok {
			h.Add(strings.TrimSpace(k), strings.TrimSpace(v))
		}
	}
	return h
}

// format writes a request for people: head, notes of the adapter, body.
func format(r channel.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	writeHeaders(&b, r.Header)
	for _, note := range []struct{ name, value string }{{"tag", r.Tag}, {"state", string(r.State)}, {"key", r.Key}} {
		if note.value != "" {
			fmt.Fprintf(&b, "# %s: %s\n", note.name, note.value)
		}
	}
	if r.Safe {
		b.WriteString("# safe to repeat\n")
	}
	b.WriteString("\n")
	writeBody(&b, r)
	return b.Bytes()
}

func writeHeaders(b *bytes.Buffer, h channel.Header) {
	var lines bytes.Buffer
	_ = h.Write(&lines) // in order of the keys; a buffer takes everything
	b.WriteString(strings.ReplaceAll(lines.String(), "\r\n", "\n"))
}

func pieceOf(p channel.Part) string {
	if p.Offset == 0 && p.Len == 0 {
		return ""
	}
	return fmt.Sprintf(" %d bytes at %d", p.Len, p.Offset)
}

func writeBody(b *bytes.Buffer, r channel.Request) {
	if r.File != nil {
		fmt.Fprintf(b, "@%s (%s)%s\n", r.File.Blob, r.File.MIME, pieceOf(*r.File))
	}
	for _, p := range r.Form {
		switch {
		case p.Blob != "":
			fmt.Fprintf(b, "%s: @%s %s (%s)%s\n", p.Name, p.Blob, p.File, p.MIME, pieceOf(p))
		default:
			fmt.Fprintf(b, "%s: %s\n", p.Name, p.Value)
		}
	}
	var j bytes.Buffer
	if json.Indent(&j, r.Body, "", "  ") == nil {
		b.Write(j.Bytes())
		return
	}
	b.WriteString(strings.ReplaceAll(string(r.Body), "\r\n", "\n"))
}
