package store

import lru "github.com/hashicorp/golang-lru/v2"

// recalled documents of a collection are at most so many: ten to twenty megabytes.
const recalled = 8192

// Recall lets Update and Upsert begin with the document as this process last read or wrote it, if that is not long ago, instead of
// reading it. The write finds out whether it was the newest, and whatever is not written is decided on what is read. So it saves a
// read where mostly one process changes a document, again and again; where many do, it costs a write that loses.
func Recall() Option {
	return func(o *options) {
		docs, err := lru.New[string, Raw](recalled)
		if err != nil {
			panic(err) // only for a size below 1
		}
		o.recent = &recent{docs}
	}
}

// recent are documents as they were last seen. A nil one knows none.
type recent struct{ docs *lru.Cache[string, Raw] }

func (r *recent) get(id string) (Raw, bool) {
	if r == nil {
		return Raw{}, false
	}
	return r.docs.Get(id)
}

// note keeps a version, unless a newer one is known.
func (r *recent) note(raw Raw) {
	if r == nil {
		return
	}
	if known, ok := r.docs.Peek(raw.ID); !ok || known.Rev < raw.Rev {
		r.docs.Add(raw.ID, raw)
	}
}
