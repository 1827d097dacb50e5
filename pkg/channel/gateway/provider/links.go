package provider

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/fileurl"
	"github.com/tributaryhq/tributary/pkg/mediainfo"
)

// links are the public URLs that stand in a request instead of the places that its adapter left.
type links struct {
	fill, empty *strings.Replacer // nil: the request has no places
}

// linksOf makes the URLs of those files of a message that a request has places for. Text of a message that looks like a place of
// another file stays text. An error means that nothing was sent.
func (c *Caller) linksOf(ch channel.Keyed, msg event.Outbound, req channel.Request) (links, error) {
	if !hasPlace(req) {
		return links{}, nil
	}
	var fill, empty []string
	for _, f := range filesOf(msg, ch.Tenant) {
		for _, place := range []string{channel.BlobURL(f.Key), url.QueryEscape(channel.BlobURL(f.Key))} {
			if f.Key == "" || !within(req, place) {
				continue
			}
			if c.Files == nil {
				return links{}, fault.New(fault.Invalid, "public_url_missing", "this service gives out no public URLs of files")
			}
			to, err := c.Files.URL(f, req.URL)
			if err != nil {
				return links{}, err
			}
			if place != channel.BlobURL(f.Key) {
				to = url.QueryEscape(to)
			}
			fill, empty = append(fill, place, to), append(empty, to, place)
		}
	}
	if fill == nil {
		return links{}, nil
	}
	return links{strings.NewReplacer(fill...), strings.NewReplacer(empty...)}, nil
}

// filesOf returns the files that a message names, and their previews.
func filesOf(msg event.Outbound, tenant string) (files []fileurl.File) {
	for _, a := range msg.Content.Files() {
		files = append(files,
			fileurl.File{Tenant: tenant, Key: a.Blob, MIME: a.MIME, Name: a.Name},
			fileurl.File{Tenant: tenant, Key: a.Preview, MIME: mediainfo.PreviewType, Name: "preview.jpg"})
	}
	return files
}

// request is req with URLs in its places.
func (p links) request(req channel.Request) channel.Request {
	if p.fill == nil {
		return req
	}
	req.URL = p.fill.Replace(req.URL)
	req.Body = []byte(p.fill.Replace(string(req.Body)))
	req.Header = req.Header.Clone()
	for _, values := range req.Header {
		for i := range values {
			values[i] = p.fill.Replace(values[i])
		}
	}
	req.Form = slices.Clone(req.Form)
	for i := range req.Form {
		req.Form[i].Value = p.fill.Replace(req.Form[i].Value)
	}
	return req
}

// answer is resp with places where it repeats the URLs: whoever reads the call log must not have the files.
func (p links) answer(resp channel.Response) channel.Response {
	if p.empty != nil {
		resp.Body = []byte(p.empty.Replace(string(resp.Body)))
	}
	return resp
}

// placeMarks begin a place, as it is and escaped.
var placeMarks = func() []string {
	mark := strings.TrimSuffix(channel.BlobURL(""), "}")
	return []string{mark, url.QueryEscape(mark)}
}()

func hasPlace(req channel.Request) bool {
	return slices.ContainsFunc(placeMarks, func(mark string) bool { return within(req, mark) })
}

func within(req channel.Request, text string) bool {
	if strings.Contains(req.URL, text) || bytes.Contains(req.Body, []byte(text)) {
		return true
	}
	for _, values := range req.Header {
		if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, text) }) {
			return true
		}
	}
	return slices.ContainsFunc(req.Form, func(p channel.Part) bool { return strings.Contains(p.Value, text) })
}
