package provider

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/pkg/mediainfo"
)

// links are the public URLs of files in a request: those that stand instead of the places that its adapter left, and those that people
// get in a text. A request without any has none.
type links struct {
	files *fileurl.URLs     // nil: there are none
	fill  *strings.Replacer // puts them into the places
}

// linksOf makes the URLs of those files of a message that a request has places for. Text of a message that looks like a place of
// another file stays text. An error means that nothing was sent.
func (c *Caller) linksOf(ch channel.Keyed, msg event.Outbound, req channel.Request) (links, error) {
	var fill []string
	for _, f := range filesOf(msg, ch.Tenant) {
		for _, escape := range []func(string) string{plain, url.QueryEscape} {
			place := escape(channel.BlobURL(f.Key))
			if f.Key == "" || !within(req, place) {
				continue
			}
			if c.Files == nil {
				return links{}, fault.New(fault.Invalid, "public_url_missing", "this service gives out no public URLs of files")
			}
			fill = append(fill, place, escape(c.Files.Link(f)))
		}
	}
	linked := msg.Content.AsLink && c.Files != nil && anywhere(req, c.Files.Leads)
	if fill == nil && !linked {
		return links{}, nil
	}
	return links{c.Files, strings.NewReplacer(fill...)}, c.Files.Reaches(req.URL)
}

func plain(s string) string { return s }

// filesOf returns the files that a message names, and their previews.
func filesOf(msg event.Outbound, tenant string) (files []fileurl.File) {
	for _, a := range msg.Content.Files() {
		files = append(files,
			fileurl.Of(tenant, a),
			fileurl.File{Tenant: tenant, Key: a.Preview, MIME: mediainfo.PreviewType, Name: "preview.jpg"})
	}
	return files
}

// request is req with URLs in its places.
func (p links) request(req channel.Request) channel.Request {
	if p.files == nil {
		return req
	}
	return rewritten(req, p.fill.Replace)
}

// logged is req as the call log shows it: whoever reads that must not have the files.
func (p links) logged(req channel.Request) channel.Request {
	if p.files == nil {
		return req
	}
	return rewritten(req, p.files.Hide)
}

// answer is resp without the URLs that it repeats.
func (p links) answer(resp channel.Response) channel.Response {
	if p.files != nil {
		resp.Body = []byte(p.files.Hide(string(resp.Body)))
	}
	return resp
}

// rewritten is req with other texts.
func rewritten(req channel.Request, text func(string) string) channel.Request {
	req.URL = text(req.URL)
	req.Body = []byte(text(string(req.Body)))
	req.Header = req.Header.Clone()
	for _, values := range req.Header {
		for i := range values {
			values[i] = text(values[i])
		}
	}
	req.Form = slices.Clone(req.Form)
	for i := range req.Form {
		req.Form[i].Value = text(req.Form[i].Value)
	}
	return req
}

func within(req channel.Request, text string) bool {
	return anywhere(req, func(s string) bool { return strings.Contains(s, text) })
}

// anywhere reports whether a text of the request is like that.
func anywhere(req channel.Request, like func(string) bool) bool {
	if like(req.URL) || like(string(req.Body)) {
		return true
	}
	for _, values := range req.Header {
		if slices.ContainsFunc(values, like) {
			return true
		}
	}
	return slices.ContainsFunc(req.Form, func(p channel.Part) bool { return like(p.Value) })
}
