package meta

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
)

// Version is the version of the Graph API that requests are written for.
const Version = "v26.0"

// Host is where the Graph API of a channel is, without a slash at the end; usual is where it is unless the channel says another place.
func Host(ch channel.Channel, usual string) string {
	return cmp.Or(strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"), usual)
}

// Base is where the Graph API of a channel is, with its version and without a slash at the end.
func Base(ch channel.Channel) string { return BaseAt(ch, "https://graph.facebook.com") }

// BaseAt is [Base] for products that have a host of their own.
func BaseAt(ch channel.Channel, usual string) string {
	return Host(ch, usual) + "/" + url.PathEscape(cmp.Or(ch.Settings.Text("graph_version"), Version))
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
