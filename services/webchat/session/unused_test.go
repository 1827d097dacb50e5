package session_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/event"
)

func TestAFileThatIsNotSentIsKeptForADay(t *testing.T) {
	t.Parallel()
	id := w.channel(t, nil)
	b := visit(t, 0, id, frame{})
	content := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), id...)
	sum := sha256.Sum256(content)
	kept := func() time.Duration {
		docs, err := w.env.DB.Get(t.Context(), "blobs", event.DeriveID("blb", tenant, hex.EncodeToString(sum[:])))
		must(err)
		var entry struct {
			Until event.Time `json:"until"`
		}
		must(json.Unmarshal(docs[0].JSON, &entry))
		return time.Until(entry.Until.Time)
	}
	body, kind := form(t, "file", "x.png", content)
	status, f := b.call("POST", "/files", body, "Content-Type", kind)
	if d := kept(); status != 201 || d <= 0 || d > blob.Unused {
		t.Errorf("%d, an upload is kept for %s", status, d)
	}
	if status, f := b.call("POST", "/messages", frame{"clientId": "c", "fileIds": []string{f.text("fileId")}}); status/100 != 2 {
		t.Fatalf("%d %v", status, f)
	}
	if d := kept(); d < blob.InTransit {
		t.Errorf("a file on its way to the record is kept for %s", d)
	}
}
