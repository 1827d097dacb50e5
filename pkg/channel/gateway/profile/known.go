package profile

import (
	"context"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/pkg/event"
)

const (
	sharedFor = time.Hour       // how long a process believes what it has read in the shared cache
	leaseTime = 5 * time.Second // what a lease outlives the call by
	sayTime   = 5 * time.Second // for Kafka to acknowledge

	maxName = 256  // characters of a name
	maxURL  = 2048 // bytes of a picture's URL
)

// claim makes this process the one that asks for somebody. mine is false if another replica has asked, or is asking. While Redis is
// away every replica asks for itself.
func (w *Worker) claim(ctx context.Context, p person) (release func(), mine bool) {
	if w.Cache == nil {
		return func() {}, true
	}
	key := "profile:" + p.key()
	if w.shared(ctx, p, key) {
		return nil, false
	}
	lease, err := w.Cache.Lease(ctx, key, w.Timing.Call+leaseTime)
	if err != nil {
		return func() {}, true
	}
	if lease == nil {
		w.asked.Add(p.key(), w.Now().Add(w.Timing.Elsewhere))
		return nil, false
	}
	release = func() { _ = lease.Release(context.WithoutCancel(ctx)) } // else it expires
	if w.shared(ctx, p, key) {                                         // the holder before us has just ended
		release()
		return nil, false
	}
	return release, true
}

// shared reports whether a replica has the answer.
func (w *Worker) shared(ctx context.Context, p person, key string) bool {
	_, ok, err := w.Cache.Lookup(ctx, key)
	if err != nil || !ok {
		return false
	}
	w.asked.Add(p.key(), w.Now().Add(sharedFor))
	return true
}

// remember keeps all replicas from asking for somebody again for that time.
func (w *Worker) remember(ctx context.Context, p person, result string, d time.Duration) {
	w.metrics.count(result)
	w.asked.Add(p.key(), w.Now().Add(d))
	if w.Cache != nil {
		_ = w.Cache.Put(ctx, "profile:"+p.key(), []byte(result), d) // without Redis another replica asks once more
	}
}

// forget lets the person's next event ask again.
func (w *Worker) forget(p person) { w.asked.Remove(p.key()) }

// say publishes what was learned. It follows the event that showed the person, on the same key.
func (w *Worker) say(ctx context.Context, p person, profile event.Profile) error {
	profile = bounded(profile)
	if profile == (event.Profile{Group: profile.Group}) {
		return nil
	}
	now := event.At(w.Now())
	in := event.Inbound{
		Type: event.ContactIdentified, ChannelID: p.channelID, ChannelType: w.info.Type, Ref: "profile:" + p.key() + ":" + now.String(), Peer: p.who.Peer,
		ReceivedAt: now, Post: p.post, Identity: &event.Identity{Old: []string{}, New: []string{}, Reason: "profile"},
	}
	if profile.Author = p.who.Author; profile.Author != "" {
		in.Sender = &profile
	} else {
		in.Profile = &profile
	}
	id := event.DeriveID("evt", p.tenant, p.channelID, string(in.Type), in.Ref)
	ctx, cancel := context.WithTimeout(ctx, sayTime)
	defer cancel()
	return w.Bus.Publish(ctx, event.Record{
		Topic: event.TopicInbound, Key: event.Key(p.channelID, p.who.Peer), Event: event.New(id, in.Type, w.Source, p.tenant, p.channelID, now, in),
	})
}

// bounded is what is passed on of a profile: whatever a provider answers, it fits into a contact. A picture is a URL of https.
func bounded(p event.Profile) event.Profile {
	p.Author = ""
	for _, text := range []*string{&p.Name, &p.Username, &p.Phone, &p.Email, &p.Locale} {
		*text = clip(*text)
	}
	if u, err := url.Parse(p.AvatarRef); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(p.AvatarRef) > maxURL {
		p.AvatarRef = ""
	}
	return p
}

func clip(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD"))
	if utf8.RuneCountInString(s) <= maxName {
		return s
	}
	return string([]rune(s)[:maxName])
}
