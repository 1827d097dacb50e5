package session

import (
	"context"
	"time"
)

const (
	pollAwake = 15 * time.Second // signals come; this only makes good for one that got lost
	pollDeaf  = time.Second      // no signals come
)

func topic(mailbox string) string { return "webchat:" + mailbox }

// wake tells all replicas to look into a mailbox; with a frame, to pass that on. It may get lost.
func (s *server) wake(ctx context.Context, mailbox string, frame []byte) {
	if s.Cache == nil {
		return
	}
	if frame == nil {
		frame = []byte("+")
	}
	if err := s.Cache.Notify(ctx, topic(mailbox), frame); err != nil {
		s.deaf.Store(true)
	}
}

// signals of a mailbox; nil never says anything.
func (s *server) signals(ctx context.Context, mailbox string) <-chan []byte {
	if s.Cache == nil {
		return nil
	}
	return s.Cache.Watch(ctx, topic(mailbox))
}

// probe notices when Redis is away and when it is back.
func (s *server) probe(ctx context.Context) error {
	t := time.NewTicker(pollDeaf)
	defer t.Stop()
	for {
		s.deaf.Store(s.Cache == nil || s.Cache.Ping(ctx) != nil)
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// follow hands out what comes into a mailbox behind a place, until ctx ends or the reader has enough. A passing frame (typing)
// has no place.
func (s *server) follow(ctx context.Context, mailbox string, seq int64, take func(reading) error, pass func(frame []byte) error) error {
	signals := s.signals(ctx, mailbox)
	beat := time.NewTicker(pollDeaf)
	defer beat.Stop()
	for {
		for {
			r, err := s.after(ctx, mailbox, seq)
			if err != nil && ctx.Err() != nil {
				return nil
			}
			if err != nil {
				s.Log.WarnContext(ctx, "a mailbox cannot be read, trying again", "error", err)
				break
			}
			if r.last == seq && !r.gap {
				break
			}
			if err := take(r); err != nil {
				return err
			}
			seq = r.last
		}
		if again, err := s.idle(ctx, signals, beat.C, s.Now(), pass); err != nil || !again {
			return err
		}
	}
}

// idle waits until there may be something in the mailbox; false: ctx has ended.
func (s *server) idle(ctx context.Context, signals <-chan []byte, beat <-chan time.Time, looked time.Time, pass func([]byte) error) (bool, error) {
	for {
		select {
		case <-ctx.Done():
			return false, nil
		case p, ok := <-signals:
			switch {
			case !ok:
				signals = nil
			case len(p) > 0 && p[0] == '{':
				if err := pass(p); err != nil {
					return false, err
				}
			default:
				return true, nil
			}
		case <-beat:
			if s.deaf.Load() || s.Now().Sub(looked) >= pollAwake {
				return true, nil
			}
		}
	}
}
