package meta

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Version is the version of the Graph API that requests are written for.
const Version = "v26.0"

// Base is where the Graph API of a channel is, with its version and without a slash at the end.
func Base(ch channel.Channel) string {
	host := cmp.Or(strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"), "https://graph.facebook.com")
	return host + "/" + url.PathEscape(cmp.Or(ch.Settings.Text("graph_version"), Version))
}

// Node is the base of calls that concern an object.
func Node(ch channel.Channel, id string) string { return Base(ch) + "/" + url.PathEscape(id) }

// Authorize adds a token in the header, where no log of addresses shows it. Only a call that asks about the token names it in its address.
func Authorize(req channel.Request, token string) channel.Request {
	req.Header = req.Header.Clone()
	if req.Header == nil {
		req.Header = channel.Header{}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return named(req, token)
}
