// Package fileurl makes the public URLs of single files, for providers that fetch what they deliver: {public URL}/files/{token}. A token
// names one file of one tenant, ends by itself and is authenticated with the installation's keys, so whoever serves it keeps no state and
// looks up no channel. Whoever has the URL has the file.
package fileurl

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Life is how long a URL works at least. It works until the end of a day (UTC): a file has the same URL all day, because providers
// cache what they fetched by its URL.
const Life = 7 * 24 * time.Hour

// Path is where the files are below the public URL.
const Path = "/files/"

const (
	purpose  = "file-url"
	maxToken = 1500 // bytes of a token; providers take URLs of 2,000 characters
	maxName  = 120  // bytes of a file's name in a token
	day      = 24 * time.Hour
)

// File is what a URL leads to.
type File struct {
	Tenant string `json:"t"`
	Key    string `json:"k"` // in the blob store
	MIME   string `json:"m"`
	Name   string `json:"n,omitempty"`
}

// Of is the file of an attachment.
func Of(tenant string, a event.Attachment) File {
	return File{Tenant: tenant, Key: a.Blob, MIME: a.MIME, Name: a.Name}
}

// URLs makes URLs of files and reads their tokens; safe for concurrent use.
type URLs struct {
	sealer *auth.Sealer
	base   string
	links  *regexp.Regexp
	now    func() time.Time
}

// New returns the URLs below a public URL, which has no slash at its end.
func New(sealer *auth.Sealer, base string, now func() time.Time) *URLs {
	return &URLs{sealer: sealer, base: base, links: linksBelow(base), now: now}
}

type claims struct {
	File
	Ends int64 `json:"e"` // unix seconds
}

// Reaches reports whether what is called at target can fetch files. An installation that has no public URL serves them to this machine
// alone.
func (u *URLs) Reaches(target string) error {
	if local(u.base) && !local(target) {
		return fault.New(fault.Invalid, "public_url_missing",
			"files are fetched from this installation, which has no public URL; set TRIBUTARY_PUBLIC_URL")
	}
	return nil
}

// Link returns the URL of a file. All of a file's links are of one length.
func (u *URLs) Link(f File) string {
	f.Name = clip(f.Name)
	body, _ := json.Marshal(claims{File: f, Ends: u.now().UTC().Truncate(day).Add(Life + day).Unix()}) // strings and a number: no error
	text := base64.RawURLEncoding.EncodeToString(body)
	return u.base + Path + text + "." + u.sealer.MAC(text, purpose)
}

// Hide replaces the tokens of links in a text, however it escapes them: whoever reads it must not have the files.
func (u *URLs) Hide(text string) string { return u.links.ReplaceAllString(text, "${1}[hidden]") }

// Leads reports whether there are links in a text.
func (u *URLs) Leads(text string) bool { return u.links.MatchString(text) }

// linksBelow finds links below a base, in plain text, JSON and forms.
func linksBelow(base string) *regexp.Regexp {
	escaped := strings.NewReplacer("/", `(?:/|\\/|%2[Ff])`, ":", "(?::|%3[Aa])")
	return regexp.MustCompile("(" + escaped.Replace(regexp.QuoteMeta(base+Path)) + ")[A-Za-z0-9_.-]+")
}

// Open returns the file that a token names. A token that is forged, altered or over is an error of kind Gone, the same for all.
func (u *URLs) Open(token string) (File, error) {
	text, mac, _ := strings.Cut(token, ".")
	var c claims
	if len(token) > maxToken || !u.sealer.Proves(mac, text, purpose) {
		return File{}, gone()
	}
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(body, &c) != nil || u.now().Unix() >= c.Ends {
		return File{}, gone()
	}
	return c.File, nil
}

func gone() error { return fault.New(fault.Gone, "not_found", "there is no such file") }

// clip keeps the end of a long name, where its extension is.
func clip(name string) string {
	if len(name) <= maxName {
		return name
	}
	name = name[len(name)-maxName:]
	for len(name) > 0 && !utf8.RuneStart(name[0]) {
		name = name[1:]
	}
	return name
}

// local reports whether a URL leads to this machine.
func local(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if at, err := netip.ParseAddr(host); err == nil {
		return at.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
