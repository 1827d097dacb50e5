package record_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// Whatever comes and goes: no use of a reply handle is taken twice, none shortly before its end, and few are kept.
func TestReplyHandlesAreTakenWithinTheirUsesAndTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		th := &record.Thread{ChannelID: "ch_1", ChannelType: event.Line, Kind: record.Messages, Peer: "p"}
		th.ID, th.Tenant = "thr_1", "t1"
		now := event.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		c := th.Open(1, record.Window{}, record.Rules{}, event.Actor{Kind: "contact"}, "contact", nil, now)
		given, left := map[string]event.ReplyHandle{}, map[string]int{}
		free := func() (n int) { // uses that must be there: of the newest 16 handles, if none was dropped for room
			for token, h := range given {
				if now.Add(5 * time.Second).Before(h.Until) {
					n += left[token]
				}
			}
			return n
		}
		for n := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "seconds")) * time.Second)
			m := &record.Message{Direction: record.In, CreatedAt: now}
			m.ID = fmt.Sprint("msg", n)
			if rapid.Bool().Draw(rt, "inbound") {
				h := event.ReplyHandle{
					Token: rapid.SampledFrom([]string{"", m.ID, "again"}).Draw(rt, "token"), Uses: rapid.IntRange(0, 2).Draw(rt, "uses"),
					Until: now.Add(time.Duration(rapid.IntRange(-5, 120).Draw(rt, "until")) * time.Second),
				}
				known := false
				for _, k := range c.Window.Handles {
					known = known || k.Token == h.Token
				}
				m.Handle = &h
				c.Receive(m)
				if h.Token != "" && h.Uses > 0 && now.Before(h.Until) && !known {
					given[h.Token], left[h.Token] = h, h.Uses
				}
			} else {
				before := c.Window.Handles
				m.Direction = record.Out
				c.Send(m, record.Dispatch{})
				took := ""
				for _, h := range before {
					still := 0
					for _, k := range c.Window.Handles {
						if k.Token == h.Token {
							still = k.Left
						}
					}
					if still < h.Left && now.Add(5*time.Second).Before(h.Until) {
						took = h.Token
						left[h.Token]--
						if h.Left-still != 1 || left[h.Token] < 0 {
							rt.Fatalf("%d uses of %s are taken at once", h.Left-still, h.Token)
						}
					}
				}
				if took == "" && len(given) <= 16 && free() > 0 {
					rt.Fatalf("%d uses are free and none is taken: %+v", free(), before)
				}
			}
			if len(c.Window.Handles) > 16 {
				rt.Fatalf("%d handles are kept", len(c.Window.Handles))
			}
		}
	})
}
