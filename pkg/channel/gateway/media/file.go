package media

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// File is a file that waits to be fetched. Its id is the attachment's.
type File struct {
	store.Meta
	Wanted event.WantedMedia `json:"wanted"`
	Host   string            `json:"host"` // whom the fetch depends on: the URL's host, or the channel
	NextAt event.Time        `json:"next_at,omitzero"`
	Tries  int               `json:"tries,omitempty"`
	Error  *event.Error      `json:"error,omitempty"`
	Done   bool              `json:"done,omitempty"`

	Refused    string `json:"refused,omitempty"`    // the channel whose change may mend why the provider gave no file
	Mismatches int    `json:"mismatches,omitempty"` // tries that brought bytes of another digest than was announced

	version int64 // of the channel that the last try was made for
}

// Spec declares the collection of waiting files of a type.
func Spec(t event.ChannelType) store.Spec {
	return store.Spec{Name: "media_" + string(t), Facts: true, Expires: true, Indexes: []store.Index{
		{Name: "due", Fields: []string{"next_at"}, Sparse: true},
		{Name: "refused", Fields: []string{"refused", "next_at"}, Has: "refused"},
	}}
}

func (w *Worker) file(tenant string, want event.WantedMedia) *File {
	if want.ExpiresAt.IsZero() {
		want.ExpiresAt = event.At(w.Now().Add(waitingOn))
	}
	f := &File{Wanted: want, Host: want.ChannelID}
	if u, err := url.Parse(want.Attachment.URL); err == nil && u.Host != "" {
		f.Host = u.Host
	}
	f.ID, f.Tenant, f.ExpiresAt = want.Attachment.ID, tenant, want.ExpiresAt.Add(finalFor)
	return f
}

// wait puts a file into the store. It is there already if the record came twice.
func (w *Worker) wait(ctx context.Context, f *File, why *fault.Error, next time.Time) error {
	f.NextAt = event.At(next)
	if why != nil {
		f.Tries, f.Error = 1, why.Shown()
	}
	if err := w.files.Insert(ctx, f); err != nil && !errors.Is(err, store.ErrExists) {
		return &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
	}
	return nil
}

// record is the word about an attachment, as inbox hears it.
func (w *Worker) record(f *File, a event.Attachment) event.Record {
	kind := event.AttachmentReady
	if a.State != event.Ready {
		kind = event.AttachmentFailed
	}
	want := f.Wanted
	now := event.At(w.Now())
	return event.Record{Topic: event.TopicInbound, Key: event.Key(want.ChannelID, want.Peer), Event: event.New(
		event.DeriveID("evt", f.Tenant, want.ChannelID, string(kind), a.ID), kind, w.Source, f.Tenant, want.ChannelID, now,
		event.Attached{ChannelID: want.ChannelID, ChannelType: w.info.Type, Peer: want.Peer, Ref: want.Ref, Attachment: a})}
}

// lost is the attachment that will never come.
func lost(f *File, fe *fault.Error) event.Attachment {
	a := f.Wanted.Attachment
	a.State, a.Error = event.Lost, fe.Shown()
	return a
}
