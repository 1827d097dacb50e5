package history

import (
	"time"

	"pgregory.net/rapid"
)

// plan is one history: what people do and what goes wrong, all of it at once.
type plan struct {
	people []person
	agents []agent
	faults []fault
	steps  []step
	moods  []mood
	limit  int    // of every agent, at first
	reopen string // what an inbound message does to a closed conversation
}

// person writes on one channel: webhook after webhook, each acknowledged before the next.
type person struct {
	kind  string // of kinds
	posts []post
}

// post is a webhook.
type post struct {
	messages int           // in one webhook
	copies   int           // sent at once, to all replicas
	late     bool          // and once more, some time later
	pause    time.Duration // before it
}

// agent acts in conversations.
type agent struct{ acts []act }

type act struct {
	what    string
	person  int // whose conversation
	repeats int // of a request with an Idempotency-Key
	limit   int
	pause   time.Duration
}

// fault is something that goes wrong for a while.
type fault struct {
	what   string
	which  int
	before time.Duration
	lasts  time.Duration
}

// step sets the wall clock: NTP after a start with a wrong one, a virtual machine that resumes.
type step struct {
	by     time.Duration
	before time.Duration
	lasts  time.Duration
	back   bool // it is set right again then
}

var steps = rapid.Custom(func(t *rapid.T) step {
	return step{
		by:     rapid.SampledFrom([]time.Duration{-time.Hour, time.Hour, -48 * time.Hour, 48 * time.Hour}).Draw(t, "by"),
		before: pauses(700).Draw(t, "before"), lasts: pauses(600).Draw(t, "lasts"), back: rapid.Bool().Draw(t, "back"),
	}
})

func pauses(most int) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.IntRange(0, most), func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond })
}

var posts = rapid.Custom(func(t *rapid.T) post {
	return post{
		messages: rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "messages"), copies: rapid.SampledFrom([]int{1, 1, 2, 3, 16}).Draw(t, "copies"),
		late: rapid.IntRange(0, 3).Draw(t, "late") == 0, pause: pauses(400).Draw(t, "pause"),
	}
})

var acts = rapid.Custom(func(t *rapid.T) act {
	return act{
		what:   rapid.SampledFrom([]string{"answer", "answer", "answer", "close", "close", "reopen", "take", "assign", "transfer", "queue", "idle", "idle", "offline", "limit"}).Draw(t, "what"),
		person: rapid.IntRange(0, 7).Draw(t, "person"), repeats: rapid.IntRange(0, 3).Draw(t, "repeats"), limit: rapid.IntRange(1, 3).Draw(t, "limit"),
		pause: pauses(300).Draw(t, "pause"),
	}
})

var faults = rapid.Custom(func(t *rapid.T) fault {
	return fault{
		what: rapid.SampledFrom([]string{
			"kill", "kill", "kill", "stop", "cut", "produce", "commit", "group", "fetch", "storm", "slow", "freeze", "redis",
		}).Draw(t, "fault"),
		which: rapid.IntRange(0, replicas-1).Draw(t, "which"), before: pauses(700).Draw(t, "before"), lasts: pauses(600).Draw(t, "lasts"),
	}
})

var plans = rapid.Custom(func(t *rapid.T) plan {
	p := plan{limit: rapid.IntRange(1, 3).Draw(t, "limit"), reopen: rapid.SampledFrom([]string{"new", "reopen"}).Draw(t, "reopen")}
	for range rapid.IntRange(3, 6).Draw(t, "people") {
		p.people = append(p.people, person{rapid.SampledFrom([]string{"whatsapp", "whatsapp", "telegram", "line", "facebook", "instagram", "wechat", "x", "rcs"}).Draw(t, "kind"), rapid.SliceOfN(posts, 4, 10).Draw(t, "posts")})
	}
	for range rapid.IntRange(2, 4).Draw(t, "agents") {
		p.agents = append(p.agents, agent{rapid.SliceOfN(acts, 8, 16).Draw(t, "acts")})
	}
	p.faults = rapid.SliceOfN(faults, 3, 7).Draw(t, "faults")
	p.steps = rapid.SliceOfN(steps, 1, 4).Draw(t, "steps")
	for range 60 {
		m := takes
		if rapid.IntRange(0, 2).Draw(t, "moody") == 0 {
			m = mood(rapid.IntRange(1, moods-1).Draw(t, "mood"))
		}
		p.moods = append(p.moods, m)
	}
	return p
})
