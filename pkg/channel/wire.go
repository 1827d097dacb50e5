package channel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Header is http.Header, named here so that adapters need not import net/http.
type Header = http.Header

// Inbound is something a provider sent: usually a webhook, or a payload that a source fetched.
type Inbound struct {
	Method string
	Path   string // behind the channel's webhook URL: "" or a provider's fixed suffix, "/deliveryNotification"
	Query  url.Values
	Header Header
	Body   []byte
	URL    string    // the public URL that was called; some signatures cover it
	At     time.Time // when it arrived: the only clock an adapter sees
	Pulled bool      // fetched by a source over a session that we authenticated ourselves
}

// Request is one call to a provider, without credentials: places like {bot_token} stand where Sign puts them. Where [BlobURL] stands
// for a file of the message, the host puts the file's public URL just before the call, before Sign. The scheme of URL selects the
// transport: http, https, or what the channel's own Transport serves (smtp, smpp, ws).
type Request struct {
	Method string
	URL    string
	Header Header
	Body   []byte
	Form   []Part // a multipart/form-data body instead of Body; the host streams attachments from the blob store
	File   *Part  // the body is this file as it is, instead of Body and Form; the host streams it
	Tag    string // what this request is for, one of the adapter's fixed words; it comes back to Settle
	// State is what the adapter needs to go on once this request is answered, as [State] writes it; it comes back to Settle. At most
	// [MaxState] bytes.
	State json.RawMessage
	// After is how long the host waits before the call: a provider that is not ready yet is asked again.
	After time.Duration
	Safe  bool   // nothing a person would see: may be repeated after an unknown outcome (an upload, a typing signal)
	Key   string // the idempotency key the provider takes, if it takes one
}

// PostJSON returns a call with a JSON body.
func PostJSON(to string, body any, tag string) Request {
	return Request{Method: "POST", URL: to, Header: Header{"Content-Type": {"application/json"}}, Body: JSON(body), Tag: tag}
}

// JSON writes one of an adapter's own types, with characters as they are: some providers show escaped ones as they are written.
func JSON(body any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		panic(fmt.Sprintf("body of a request: %v", err)) // the adapters' own types: cannot fail
	}
	return bytes.TrimSpace(b.Bytes())
}

// MaxState is how many bytes a request's State may have: what a provider answers may stand in it.
const MaxState = 16 << 10

// State writes what an adapter keeps with a request: v as JSON.
func State(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("state of a request: %v", err)) // the adapters' own types: cannot fail
	}
	return b
}

// ReadState reads into v what [State] wrote; false for a request without a State, or with one of another shape.
func (r Request) ReadState(v any) bool { return len(r.State) > 0 && json.Unmarshal(r.State, v) == nil }

// Part is one field of a multipart form: a value, or the bytes of an attachment.
type Part struct {
	Name  string
	Value string
	Blob  string // key in the blob store
	File  string // file name
	MIME  string
	// Offset and Len name a piece of the file, for providers that take large files in pieces; Len zero: all that is left.
	Offset, Len int64
}

// BlobURL is the place of a public URL of a file, by its key in the blob store: in a request's URL, headers, body or form values, as it
// is or escaped as in a query. The file must be one of the message's own.
func BlobURL(key string) string { return "{blob_url:" + key + "}" }

// Response is the provider's answer. A failed call has no Response: the host knows by itself whether a byte left.
type Response struct {
	Status int
	Header Header
	Body   []byte // at most 1 MiB
	Tag    string // of the request that this answers, copied by the host: content cannot pretend to be another step's answer
}

// Reply is our answer to a call.
type Reply struct {
	Status      int // zero means 200
	ContentType string
	Header      Header
	Body        []byte
}
