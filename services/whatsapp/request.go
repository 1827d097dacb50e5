package whatsapp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Tags say what a request is for. An upload's has the number of its part and the media ids that the part has already.
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
	host := strings.TrimSuffix(ch.Settings.Text("api_base_url"), "/")
	if dialog(ch) {
		return cmp.Or(host, "https://waba-v2.360dialog.io")
	}
	return cmp.Or(host, "https://graph.facebook.com") + "/" + url.PathEscape(cmp.Or(ch.Settings.Text("graph_version"), graphVersion))
}

// number is the base of calls that concern the number; on 360dialog the key says which it is.
func number(ch channel.Channel) string {
	if dialog(ch) {
		return base(ch)
	}
	return base(ch) + "/" + url.PathEscape(ch.Settings.Text("phone_number_id"))
}

func post(to string, body any, tag string) channel.Request {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		panic(fmt.Sprintf("whatsapp: %v", err)) // our own types: cannot fail
	}
	return channel.Request{Method: "POST", URL: to, Header: channel.Header{"Content-Type": {"application/json"}},
		Body: bytes.TrimSpace(b.Bytes()), Tag: tag}
}

func uploadTag(part int, ids []string) string {
	return strings.Join(append([]string{tagUpload, strconv.Itoa(part)}, ids...), " ")
}

// uploading reads what uploadTag wrote.
func uploading(tag string) (part int, ids []string, ok bool) {
	f := strings.Fields(tag)
	if len(f) < 2 || f[0] != tagUpload {
		return 0, nil, false
	}
	part, err := strconv.Atoi(f[1])
	return part, f[2:], err == nil
}

// upload puts a file at Meta. Nobody sees it, so it may be repeated.
func upload(ch channel.Channel, a event.Attachment, tag string) channel.Request {
	return channel.Request{Method: "POST", URL: number(ch) + "/media", Tag: tag, Safe: true, Form: []channel.Part{
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
