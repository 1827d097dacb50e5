package whatsapp

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// MediaRequest leads from a media id to a URL that lives 5 minutes, and from there to the file. Both calls need our key.
func (Adapter) MediaRequest(ch channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	switch {
	case prev == nil && a.MediaRef == "":
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "the message named no media id")
	case prev == nil:
		return lookup(ch, a.MediaRef), false, nil
	case prev.Status == 429:
		e := fault.New(fault.Throttled, channel.CodeRateLimited, "too many media calls")
		e.After = wait("", prev.Header)
		return channel.Request{}, false, e
	case prev.Status == 401 || prev.Status == 403:
		return channel.Request{}, false, fault.New(fault.Denied, channel.CodeCredentials, "WhatsApp refused the key for a media file with status %d", prev.Status)
	case prev.Tag == tagLookup:
		req, err := download(ch, prev)
		return req, false, err
	case prev.Tag == tagFile && prev.Status == 200:
		return channel.Request{}, true, nil
	}
	// The URL has expired, or the download failed: the next try looks it up again.
	return channel.Request{}, false, fault.New(fault.Unavailable, channel.CodeUnavailable, "the media file came with status %d", prev.Status)
}

func lookup(ch channel.Channel, id string) channel.Request {
	to := base(ch) + "/" + url.PathEscape(id)
	if !dialog(ch) {
		to += "?phone_number_id=" + url.QueryEscape(ch.Settings.Text("phone_number_id"))
	}
	return channel.Request{Method: "GET", URL: to, Tag: tagLookup, Safe: true}
}

// download reads the URL. Our key goes with it, so it must lie at Meta; 360dialog serves the same path from its own host.
func download(ch channel.Channel, prev *channel.Response) (channel.Request, error) {
	var found struct {
		URL   string `json:"url"`
		Error *problem
	}
	err := json.Unmarshal(prev.Body, &found)
	switch {
	case prev.Status >= 500:
		return channel.Request{}, fault.New(fault.Unavailable, channel.CodeUnavailable, "the media look-up came with status %d", prev.Status)
	case prev.Status == 400 || prev.Status == 404 || prev.Status == 410:
		e := fault.New(fault.Gone, channel.CodeMediaGone, "WhatsApp has the file no more")
		e.Provider = strconv.Itoa(prev.Status)
		return channel.Request{}, e
	case prev.Status != 200 || err != nil:
		return channel.Request{}, fault.New(fault.Unavailable, channel.CodeUnavailable, "the media look-up came with status %d and no URL", prev.Status)
	}
	from, err := url.Parse(found.URL)
	if err != nil || from.Host == "" || from.User != nil {
		return channel.Request{}, fault.New(fault.Unavailable, channel.CodeUnavailable, "the media look-up gave no URL")
	}
	api, err := url.Parse(base(ch))
	if err != nil {
		return channel.Request{}, fault.At("/settings/api_base_url", "url_invalid", "api_base_url is no URL")
	}
	switch {
	case dialog(ch):
		from.Scheme, from.Host = api.Scheme, api.Host
	case from.Host != api.Host && (from.Scheme != "https" || !metaHost(from.Host)):
		return channel.Request{}, fault.New(fault.Denied, "media_host", "the media URL is not at Meta, so it does not get our key")
	}
	return channel.Request{Method: "GET", URL: from.String(), Tag: tagFile, Safe: true}, nil
}

func metaHost(host string) bool {
	for _, domain := range []string{".fbsbx.com", ".facebook.com", ".whatsapp.net", ".fbcdn.net"} {
		if strings.HasSuffix(host, domain) {
			return true
		}
	}
	return false
}
