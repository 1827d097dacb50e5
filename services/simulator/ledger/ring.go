package ledger

// ring keeps the latest entries: at most so many, and at most so many bytes.
type ring[T any] struct {
	maxLen, maxBytes int
	size             func(T) int
	gone             func(T)

	items []T
	head  int
	bytes int
}

func (r *ring[T]) push(v T) {
	r.items = append(r.items, v)
	r.bytes += r.size(v)
	for r.len() > 1 && (r.len() > r.maxLen || r.bytes > r.maxBytes) {
		r.drop()
	}
}

func (r *ring[T]) drop() {
	var zero T
	old := r.items[r.head]
	r.items[r.head] = zero
	r.head++
	r.bytes -= r.size(old)
	if r.gone != nil {
		r.gone(old)
	}
	if r.head > len(r.items)/2 && r.head > 64 {
		n := copy(r.items, r.items[r.head:])
		clear(r.items[n:])
		r.items, r.head = r.items[:n], 0
	}
}

func (r *ring[T]) len() int { return len(r.items) - r.head }

// all are the entries, oldest first; they must not be kept.
func (r *ring[T]) all() []T { return r.items[r.head:] }

// keep drops all entries that f refuses.
func (r *ring[T]) keep(f func(T) bool) {
	var kept []T
	bytes := 0
	for _, v := range r.all() {
		if f(v) {
			kept = append(kept, v)
			bytes += r.size(v)
		} else if r.gone != nil {
			r.gone(v)
		}
	}
	r.items, r.head, r.bytes = kept, 0, bytes
}
