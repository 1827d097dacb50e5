package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/sqlite"
)

// talk is a document that people look for by many of its fields, like a conversation.
type talk struct {
	store.Meta
	Status      string     `json:"status"`
	Holder      string     `json:"holder,omitempty"`
	Queue       string     `json:"queue"`
	Channel     string     `json:"channel"`
	Type        string     `json:"type"`
	Contact     string     `json:"contact"`
	Agents      []string   `json:"agents,omitempty"`
	Tags        []string   `json:"tags,omitempty"`
	Unresponded bool       `json:"unresponded,omitempty"`
	At          event.Time `json:"at"`
	Text        string     `json:"text"`
	N           int64      `json:"n"`
}

// Tokens implements store.Listed.
func (d *talk) Tokens() []string {
	state := map[string]string{"open": "un", "closed": "cl"}[d.Status]
	scopes := []string{"*", "q:" + d.Queue}
	if d.Holder != "" {
		state, scopes = "as", append(scopes, "a:"+d.Holder)
	}
	out := []string{"ch:" + d.Channel, "ty:" + d.Type, "ct:" + d.Contact}
	for _, s := range scopes {
		if out = append(out, s+"/"+state); d.Unresponded {
			out = append(out, s+"/ur")
		}
	}
	for _, t := range d.Tags {
		out = append(out, "tag:"+t)
	}
	return out
}

// How the same documents are found: by an index over each field, or by lists.
var (
	talksByField = store.Spec{Name: "talks", Indexes: []store.Index{
		{Name: "by_status", Fields: []string{"tenant", "status", "at"}},
		{Name: "by_holder", Fields: []string{"tenant", "status", "holder", "at"}},
		{Name: "by_queue", Fields: []string{"tenant", "status", "queue", "at"}},
		{Name: "by_agent", Fields: []string{"tenant", "agents[]", "at"}},
		{Name: "by_channel", Fields: []string{"tenant", "channel", "at"}},
		{Name: "by_type", Fields: []string{"tenant", "type", "at"}},
		{Name: "by_contact", Fields: []string{"tenant", "contact", "at"}},
		{Name: "by_tag", Fields: []string{"tenant", "tags[]", "at"}},
		{Name: "by_unresponded", Fields: []string{"tenant", "status", "unresponded", "at"}},
	}}
	talksByList = store.Spec{Name: "talks", Lists: &store.Lists{Orders: []string{"at"}, Version: 1}}
)

func newTalk(i int64) *talk {
	d := &talk{
		Meta: store.Meta{ID: fmt.Sprintf("cnv_%026d", i), Tenant: "acme"}, Status: "closed", Queue: fmt.Sprintf("que_%026d", i*7%100),
		Channel: fmt.Sprintf("chn_%026d", i%10), Type: []string{"whatsapp", "line", "sms"}[i%3], Contact: fmt.Sprintf("con_%026d", i),
		At: event.At(time.UnixMilli(1700000000000 + i)), Text: fmt.Sprintf("%01500d", i),
	}
	if i%20 == 0 {
		d.Status, d.Unresponded = "open", i%40 == 0
	}
	if i%60 == 0 {
		d.Holder, d.Agents = fmt.Sprintf("agt_%026d", i%50), []string{fmt.Sprintf("agt_%026d", i%50)}
	}
	if i%5 == 0 {
		d.Tags = []string{fmt.Sprintf("tag%d", i%200)}
	}
	return d
}

func openTalks(b *testing.B, spec store.Spec, n int64) *store.Collection[talk] {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := db.Ensure(b.Context(), spec); err != nil {
		b.Fatal(err)
	}
	c := store.NewCollection[talk](db, spec)
	for from := int64(0); from < n; from += 500 {
		var docs []*talk
		for i := from; i < min(from+500, n); i++ {
			docs = append(docs, newTalk(i))
		}
		for _, err := range c.InsertMany(b.Context(), docs...) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	return c
}

// BenchmarkTalk is one message in an open conversation of 20,000: what it is listed by moves to the front.
func BenchmarkTalk(b *testing.B) {
	for name, spec := range map[string]store.Spec{"indexes": talksByField, "lists": talksByList} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) {
				c := openTalks(b, spec, 20_000)
				now := atomic.Int64{}
				now.Store(1700000100000)
				spread(b, callers, func(i int64) error {
					_, err := c.Update(b.Context(), newTalk(i%1000*20).ID, func(d *talk) error {
						d.N, d.At = d.N+1, event.At(time.UnixMilli(now.Add(1)))
						return nil
					})
					return err
				})
			})
		}
	}
}

// BenchmarkLists reads pages of 25 and counts, of 50,000 documents.
func BenchmarkLists(b *testing.B) {
	if testing.Short() {
		b.Skip("it makes 50,000 documents")
	}
	c := openTalks(b, talksByList, 50_000)
	agent := func(states ...string) (lists []string) {
		for _, st := range states {
			lists = append(lists, fmt.Sprintf("a:agt_%026d/%s", 10, st))
			for q := range 20 {
				lists = append(lists, fmt.Sprintf("q:que_%026d/%s", q*5, st))
			}
		}
		return lists
	}
	for name, groups := range map[string][][]string{
		"admin, all": {{"*/un", "*/as", "*/cl"}}, "admin, unresponded": {{"*/ur"}}, "agent, 84 lists": {agent("un", "as", "sn", "cl")},
		"two groups": {agent("un", "as"), {fmt.Sprintf("ch:chn_%026d", 0)}}, "a rare tag of an agent": {agent("cl"), {"tag:tag5"}},
	} {
		b.Run("page/"+name, func(b *testing.B) {
			for b.Loop() {
				p, err := c.List(b.Context(), store.ListQuery{Tenant: "acme", Groups: groups}, nil)
				if err != nil || len(p.Docs) == 0 {
					b.Fatal(len(p.Docs), err)
				}
			}
		})
	}
	for name, lists := range map[string][]string{"one list": {"*/cl"}, "a union of 21": agent("cl")} {
		n := 0
		b.Run("count/"+name, func(b *testing.B) {
			for b.Loop() { // a list more, that has nothing, so that no count is kept
				n++
				if got, err := c.CountLists(b.Context(), "acme", append(lists[:len(lists):len(lists)], fmt.Sprint("x", n)), store.CountTo); err != nil || got == 0 {
					b.Fatal(got, err)
				}
			}
		})
	}
}
