package media

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Run fetches the files that waited and are due, until ctx ends and the fetches under way have. Every replica does it; who
// claims a file first has it.
func (w *Worker) Run(ctx context.Context) error {
	var busy sync.WaitGroup
	defer busy.Wait()
	tick := time.NewTicker(w.Timing.Poll)
	defer tick.Stop()
	for {
		if err := errors.Join(w.wake(ctx), w.poll(ctx, &busy)); err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "waiting media not read", "type", w.info.Type, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-w.mended.any:
		}
	}
}

// poll takes one page of due files.
func (w *Worker) poll(ctx context.Context, busy *sync.WaitGroup) error {
	files, err := w.files.Due(ctx, "next_at", event.At(w.Now()), due.Longest, 4*atOnce)
	if err != nil {
		return err
	}
	for _, f := range files {
		p := w.hosts.enter(f.Host)
		if p == nil {
			if err := w.skip(ctx, f); err != nil {
				return err
			}
			continue
		}
		busy.Go(func() {
			defer p.done()
			if err := w.again(ctx, f); err != nil && ctx.Err() == nil {
				w.Log.WarnContext(ctx, "waiting media not settled", "file", f.ID, "error", err)
			}
		})
	}
	return nil
}

var errTaken = errors.New("media: another replica has it")

// skip puts off a file whose host is busy, so that it does not hide the files behind it.
func (w *Worker) skip(ctx context.Context, f *File) error {
	return w.change(ctx, f, func(f *File) { f.NextAt = event.At(w.Now().Add(w.Timing.Backoff)) })
}

// again tries a file once more: claimed for the time of a fetch, so that a replica that dies gives it back.
func (w *Worker) again(ctx context.Context, f *File) error {
	claimed := *f
	err := w.change(ctx, &claimed, func(f *File) {
		f.Tries++
		f.Refused = "" // a change of the channel does not make it due while it is being fetched
		f.NextAt = event.At(w.Now().Add(w.Timing.Fetch + w.Timing.Backoff))
	})
	if errors.Is(err, errTaken) {
		return nil
	}
	if err != nil {
		return err
	}
	a, fe := w.fetch(ctx, &claimed)
	if ctx.Err() != nil { // the process stops; the claim runs out, and somebody tries again
		a, fe = f.Wanted.Attachment, fault.New(fault.Unavailable, "stopped", "the process stopped")
	}
	return w.settle(context.WithoutCancel(ctx), &claimed, a, fe)
}

// settle writes what became of a try. The end of a file and the word about it are one write.
func (w *Worker) settle(ctx context.Context, f *File, a event.Attachment, fe *fault.Error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	mismatches, next := f.Mismatches, time.Time{}
	if fe != nil {
		next = w.next(ctx, f, f.Tries, fe)
	}
	refused := f.Refused
	err := w.change(ctx, f, func(doc *File) {
		doc.Mismatches, doc.Refused = mismatches, refused
		if end, ok := w.last(doc, a, fe); ok {
			w.end(doc, end)
		} else {
			doc.NextAt, doc.Error = event.At(next), fe.Shown()
		}
	})
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

func (w *Worker) end(f *File, a event.Attachment) {
	f.Done, f.NextAt, f.Error, f.ExpiresAt = true, event.Time{}, a.Error, event.At(w.Now().Add(finalFor))
	rec := w.record(f, a)
	f.Emit(rec.Topic, rec.Key, rec.Event)
}

// change writes a file if it is still as it was read.
func (w *Worker) change(ctx context.Context, f *File, edit func(*File)) error {
	rev := f.Rev()
	doc, err := w.files.Update(ctx, f.ID, func(doc *File) error {
		if doc.Rev() != rev || doc.Done {
			return errTaken
		}
		edit(doc)
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return errTaken
	}
	if err == nil {
		*f = *doc
	}
	return err
}
