package session

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/store"
)

// reading is what follows a place in a mailbox.
type reading struct {
	letters []*letter
	last    int64 // where the reader is then
	gap     bool  // not everything behind the place is there: the history has to be read
}

// after reads what follows a place, at most a batch.
func (m mailboxes) after(ctx context.Context, mailbox string, seq int64) (reading, error) {
	h, err := m.head(ctx, mailbox)
	switch {
	case err != nil:
		return reading{}, fmt.Errorf("mailbox: %w", err)
	case seq == h.Seq:
		return reading{last: seq}, nil
	case seq > h.Seq, seq < 0, h.Seq-seq > maxReplay:
		return reading{last: h.Seq, gap: true}, nil
	}
	ls, err := m.between(ctx, h, mailbox, seq, h.Seq)
	if err != nil {
		return reading{}, err
	}
	if len(ls) == 0 || ls[0].Seq != seq+1 { // too old to be kept
		return reading{last: h.Seq, gap: true}, nil
	}
	return reading{letters: ls, last: ls[len(ls)-1].Seq}, nil
}

// between reads the frames behind one place and up to another, the oldest first, at most a batch. h is the head: what it
// counts is filed, but for the newest, which it holds.
func (m mailboxes) between(ctx context.Context, h *head, mailbox string, from, to int64) (ls []*letter, err error) {
	if from < min(to, h.filed()) {
		q := store.Query{
			Where: []store.Eq{{Field: "mailbox", Value: mailbox}}, Limit: batch,
			Range: &store.Range{Field: "seq", From: from, FromExcl: true, To: min(to, h.filed()), ToIncl: true},
		}
		if ls, _, _, err = m.letters.Query(ctx, q); err != nil {
			return nil, fmt.Errorf("mailbox: %w", err)
		}
	}
	for i := range h.Newest {
		if l := &h.Newest[i]; l.Seq > from && l.Seq <= to && len(ls) < batch {
			ls = append(ls, l)
		}
	}
	return ls, nil
}

// before reads the history: the frames before a place, the oldest first.
func (m mailboxes) before(ctx context.Context, mailbox string, seq int64, limit int) (ls []*letter, more bool, err error) {
	h, err := m.head(ctx, mailbox)
	if err != nil {
		return nil, false, fmt.Errorf("mailbox: %w", err)
	}
	for i := range slices.Backward(h.Newest) {
		if l := &h.Newest[i]; l.Seq < seq {
			ls = append(ls, l)
		}
	}
	q := store.Query{
		Where: []store.Eq{{Field: "mailbox", Value: mailbox}}, Limit: limit, Desc: true,
		Range: &store.Range{Field: "seq", To: min(seq, h.filed()+1)},
	}
	older, next, _, err := m.letters.Query(ctx, q)
	if err != nil {
		return nil, false, fmt.Errorf("mailbox: %w", err)
	}
	ls = append(ls, older...)
	more = next != "" || len(ls) > limit
	ls = ls[:min(len(ls), limit)]
	slices.Reverse(ls)
	return ls, more, nil
}

// undelivered returns our messages up to a place of which nobody has said yet that a browser has them.
func (m mailboxes) undelivered(ctx context.Context, mailbox string, upTo int64) (ls []*letter, err error) {
	h, err := m.head(ctx, mailbox)
	if err != nil {
		return nil, fmt.Errorf("mailbox: %w", err)
	}
	upTo = min(upTo, h.Seq)
	if h.Delivered >= upTo {
		return nil, nil
	}
	return m.between(ctx, h, mailbox, max(h.Delivered, upTo-batch), upTo)
}

// reported notes that everything up to a place was reported as delivered.
func (m mailboxes) reported(ctx context.Context, mailbox string, upTo int64) error {
	_, err := m.heads.Update(ctx, mailbox, func(h *head) error {
		if h.Delivered >= upTo {
			return store.Unchanged
		}
		h.Delivered = upTo
		return nil
	})
	return err
}

// frame is the letter as browsers get it.
func (l *letter) frame() []byte {
	if len(l.Body) < 3 {
		return nil
	}
	return []byte(`{"seq":` + strconv.FormatInt(l.Seq, 10) + "," + l.Body[1:])
}
