package provider

import (
	"context"
	"encoding/hex"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// CallSpec declares the collection of provider calls; all services share it.
var CallSpec = store.Spec{Name: "provider_calls", Expires: true, Indexes: []store.Index{{Name: "by_attempt", Fields: []string{"tenant", "attempt_id", "at"}}}}

const (
	callsKept  = 7 * 24 * time.Hour
	callsQueue = 4096 // entries that wait to be written; more are dropped
	callsBatch = 200
	callsEvery = 500 * time.Millisecond
	callBody   = 8 << 10 // bytes of a body that are kept
)

// Call is one call to a provider as people may see it: the request without credentials, the answer without secrets.
type Call struct {
	ChannelID string              `json:"channel_id"`
	MessageID string              `json:"message_id"`
	AttemptID string              `json:"attempt_id"`
	Part      int                 `json:"part"`
	At        event.Time          `json:"at"`
	TookMs    int64               `json:"took_ms"`
	Method    string              `json:"method,omitempty"`
	URL       string              `json:"url"`
	Header    map[string][]string `json:"header,omitempty"`
	Body      string              `json:"body,omitempty"`
	Status    int                 `json:"status,omitempty"`
	Answer    string              `json:"answer,omitempty"`
	Error     string              `json:"error,omitempty"`
}

// logged is a call as it is stored.
type logged struct {
	store.Meta
	Call
}

// CallLog writes provider calls in batches, off the path of sends. What a crash or a slow store loses of it is lost.
type CallLog struct {
	docs  *store.Collection[logged]
	queue chan entry
	log   *slog.Logger
	now   func() time.Time
	once  sync.Once
}

type entry struct {
	ch    string
	hide  *redactor
	about About
	req   channel.Request
	resp  channel.Response
	err   error
	at    time.Time
	took  time.Duration
}

// NewCallLog returns a log that needs Run.
func NewCallLog(db store.DB, log *slog.Logger, now func() time.Time) *CallLog {
	return &CallLog{docs: store.NewCollection[logged](db, CallSpec), queue: make(chan entry, callsQueue), log: log, now: now}
}

func (l *CallLog) add(e entry) {
	if l == nil || e.about.Attempt == "" {
		return
	}
	select {
	case l.queue <- e:
	default:
		l.once.Do(func() { l.log.Warn("provider calls come faster than they can be logged: some are missing") })
	}
}

// Run writes until ctx ends, then what is left.
func (l *CallLog) Run(ctx context.Context) error {
	tick := time.NewTicker(callsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			l.Flush(last)
			return nil
		case <-tick.C:
			l.Flush(ctx)
		}
	}
}

// Flush writes what waits.
func (l *CallLog) Flush(ctx context.Context) {
	for l.flush(ctx) {
	}
}

// flush writes one batch and reports whether it was full.
func (l *CallLog) flush(ctx context.Context) bool {
	var docs []*logged
	for len(docs) < callsBatch {
		select {
		case e := <-l.queue:
			docs = append(docs, l.document(e))
			continue
		default:
		}
		break
	}
	if len(docs) == 0 {
		return false
	}
	for _, err := range l.docs.InsertMany(ctx, docs...) {
		if err != nil {
			l.log.WarnContext(ctx, "provider calls not logged", "error", err)
			return false
		}
	}
	return len(docs) == callsBatch
}

func (l *CallLog) document(e entry) *logged {
	hide := e.hide.text
	c := &logged{Call: Call{
		ChannelID: e.ch, MessageID: e.about.Message, AttemptID: e.about.Attempt, Part: e.about.Part, At: event.At(e.at), TookMs: e.took.Milliseconds(),
		Method: e.req.Method, URL: hide(e.req.URL), Body: hide(text(e.req.Body)), Status: e.resp.Status, Answer: hide(text(e.resp.Body)),
	}}
	c.ID, c.Tenant, c.ExpiresAt = "call_"+nonce(), e.about.Tenant, event.At(e.at.Add(callsKept))
	for k, vs := range e.req.Header {
		if c.Header == nil {
			c.Header = map[string][]string{}
		}
		for _, v := range vs {
			c.Header[k] = append(c.Header[k], hide(v))
		}
	}
	if e.err != nil {
		c.Error = hide(fault.Of(e.err).Error())
	}
	return c
}

// text shows the beginning of a body; what is no text in hex.
func text(b []byte) string {
	short := b[:min(len(b), callBody)]
	if utf8.Valid(b) || len(b) > callBody && utf8.ValidString(strings.ToValidUTF8(string(short), "")) && strings.Count(string(short), "\x00") == 0 {
		return strings.ToValidUTF8(string(short), "")
	}
	return "hex:" + hex.EncodeToString(b[:min(len(b), 256)])
}

// Calls returns the calls of an attempt, oldest first.
func Calls(ctx context.Context, db store.DB, tenant, attempt string) ([]Call, error) {
	docs, _, _, err := store.NewCollection[logged](db, CallSpec).Query(ctx, store.Query{
		Where: []store.Eq{{Field: "tenant", Value: tenant}, {Field: "attempt_id", Value: attempt}}, Order: "at", Limit: 200})
	out := make([]Call, len(docs))
	for i, d := range docs {
		out[i] = d.Call
	}
	return out, err
}
