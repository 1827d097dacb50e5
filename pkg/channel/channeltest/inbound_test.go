package channeltest

import (
	"encoding/json"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// A file inside a call stands in want.json by its size and digest: its bytes are in no JSON.
func TestFilesInsideACallAreShown(t *testing.T) {
	t.Parallel()
	e := event.Inbound{Content: &event.Content{Attachments: []event.Attachment{{Bytes: []byte("abc")}, {URL: "https://example.com"}, {Bytes: []byte{}}}}}
	b, err := json.Marshal(show(read{p: channel.Parsed{Events: []event.Inbound{e}}}).Events[0].Files)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"size":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},` +
		`{"size":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]`
	if string(b) != want {
		t.Errorf("%s", b)
	}
}
