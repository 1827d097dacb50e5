package whatsapp

import (
	"encoding/json"
	"net/url"
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
	case prev.Tag == tagLookup:
		req, err := download(ch, prev)
		return req, false, err
	case prev.Tag == tagFile && prev.Status == 200:
		return channel.Request{}, true, nil
	}
	return channel.Request{}, false, mediaRefusal(prev)
}

// mediaRefusal judges a failed call for a file by its error code, as for sends. What would refuse the content of a send means here
// that Meta does not have the file; but a download that failed is looked up again by the next try, because its URL may have expired.
func mediaRefusal(prev *channel.Response) error {
	var a answer
	_ = json.Unmarshal(prev.Body, &a) // what stands between answers in other ways
	e := *fault.Of(a.refusal(*prev))
	switch e.Kind {
	case fault.Denied, fault.Throttled:
	case fault.Unknown, fault.Unavailable:
		e.Kind, e.Code = fault.Unavailable, channel.CodeUnavailable
	default:
		e.Kind, e.Code = fault.Gone, channel.CodeMediaGone
		if prev.Tag == tagFile {
			e.Kind, e.Code = fault.Unavailable, channel.CodeUnavailable
		}
	}
	return &e
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
		URL   string          `json:"url"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(prev.Body, &found); err != nil || prev.Status != 200 || len(found.Error) > 0 {
		return channel.Request{}, mediaRefusal(prev)
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
		return channel.Request{}, fault.New(fault.Invalid, "media_host", "the media URL is not at Meta, so it does not get our key")
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
