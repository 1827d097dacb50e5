package whatsapp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Tags say what a request is for.
const (
	tagSend   = "send"
	tagUpload = "upload"
	tagSignal = "signal"
	tagSetup  = "setup"
	tagLookup = "media url"
	tagFile   = "media file"
)

// base is where the API is, without a slash at the end.
func base(ch channel.Channel) string {
	if dialog(ch) {
		return cmp.Or(strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/"), "https://waba-v2.360dialog.io")
	}
	return meta.Base(ch)
}

// number is the base of calls that concern the number; on 360dialog the key says which it is.
func number(ch channel.Channel) string {
	if dialog(ch) {
		return base(ch)
	}
	return base(ch) + "/" + url.PathEscape(ch.Settings.Text("phone_number_id"))
}

// uploading is the state of an upload: which part it is for, and the media ids that the part has already.
type uploading struct {
	Part int      `json:"part"`
	IDs  []string `json:"ids,omitempty"`
}

// upload puts a file at Meta. Nobody sees it, so it may be repeated.
func upload(ch channel.Channel, a event.Attachment, at uploading) channel.Request {
	return channel.Request{Method: "POST", URL: number(ch) + "/media", Tag: tagUpload, State: channel.State(at), Safe: true, Form: []channel.Part{
		{Name: "messaging_product", Value: "whatsapp"},
		{Name: "type", Value: a.MIME},
		{Name: "file", Blob: a.Blob, File: cmp.Or(a.Name, string(a.Type)), MIME: a.MIME},
	}}
}

// fill puts secrets where their places stand in a body.
func fill(body []byte, secrets channel.Secrets) []byte {
	for _, key := range []string{"verify_token", "webhook_secret"} {
		v, _ := json.Marshal(secrets.Current(key))
		body = bytes.ReplaceAll(body, []byte("{"+key+"}"), v[1:len(v)-1])
	}
	return body
}
