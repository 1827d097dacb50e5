package record

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Retry starts another attempt: only of a message that failed or whose fate is unknown, so that nothing of an earlier attempt is
// under way (docs/models/outbound.pml, WAITALL). The parts that have arrived are not sent again (RESUME).
func (m *Message) Retry(d Dispatch, at event.Time) error {
	if m.Direction != Out {
		return fault.New(fault.Invalid, "not_applicable", "only messages to the customer are sent")
	}
	if m.Status != event.Failed && m.Status != event.Unsure {
		return fault.New(fault.Conflict, "conflict", "the message is %s: only a failed one, or one whose fate is unknown, can be sent again", m.Status)
	}
	n, parts, skip := len(m.Attempts)+1, m.parts(), m.arrived()
	if parts > 0 && len(skip) == parts {
		return fault.New(fault.Conflict, "conflict", "every part of the message has arrived; there is nothing to send again")
	}
	next := Attempt{ID: AttemptID(m.Tenant, m.ID, n), N: n, Status: event.Queued, Skipped: skip, Places: d.Needs, CreatedAt: at}
	if len(skip) > 0 {
		next.Parts = parts
	}
	m.Attempts = append(m.Attempts, next)
	m.Status = m.shown()
	m.updated("resend", strconv.Itoa(n), d.By, at)
	m.Emit(event.TopicOutbound(m.ChannelType), event.Key(m.ChannelID, d.Peer), m.send(d))
	return nil
}

// resume is what the newest attempt's record says about the earlier ones; nil if none of them brought a part.
func (m *Message) resume() *event.Resume {
	a := m.Attempts[len(m.Attempts)-1]
	if len(a.Skipped) == 0 {
		return nil
	}
	return &event.Resume{Parts: a.Parts, Skip: a.Skipped}
}

// Settle takes over a step of delivery status. It reports whether there was anything new in it.
func (m *Message) Settle(s event.Status, at event.Time) bool {
	if s.Action != "" {
		return m.settleAction(s, at)
	}
	i := slices.IndexFunc(m.Attempts, func(a Attempt) bool { return a.ID == s.AttemptID })
	if i < 0 || s.Seq <= m.Attempts[i].Seq {
		return false
	}
	a := &m.Attempts[i]
	a.Seq, a.Parts = s.Seq, cmp.Or(s.Parts, a.Parts)
	a.Steps = append(a.Steps, s.Step)
	if s.Status.Rank() > a.Status.Rank() {
		a.Status = s.Status
	}
	for _, id := range s.ExternalIDs {
		if !slices.Contains(a.ExternalIDs, id) {
			a.ExternalIDs = append(a.ExternalIDs, id)
		}
		if !slices.Contains(m.ExternalIDs, id) {
			m.ExternalIDs = append(m.ExternalIDs, id)
		}
	}
	m.Status = m.shown()
	m.updated("status", s.AttemptID+":"+strconv.FormatInt(s.Seq, 10), event.Actor{Kind: "system"}, at)
	return true
}

// shown is the status people see: the newest attempt's, with what it left out, unless an older one was delivered.
func (m *Message) shown() event.DeliveryStatus {
	best := m.whole(m.Attempts[len(m.Attempts)-1])
	for _, a := range m.Attempts {
		if s := m.whole(a); s.Rank() >= event.Delivered.Rank() && s.Rank() > best.Rank() {
			best = s
		}
	}
	return best
}

// whole is the status of an attempt together with the parts that it left out: the least far of them.
func (m *Message) whole(a Attempt) event.DeliveryStatus {
	status := a.Status
	for _, part := range a.Skipped {
		status = nearer(status, m.reached(part))
	}
	return status
}

// arrived lists the parts that some attempt has surely brought to the provider, and that the provider has not given up since.
func (m *Message) arrived() (parts []int) {
	for _, a := range m.Attempts {
		for part := range a.reached() {
			if !slices.Contains(parts, part) && farness(m.reached(part)) >= farness(event.Accepted) {
				parts = append(parts, part)
			}
		}
	}
	slices.Sort(parts)
	return parts
}

// parts returns into how many parts the message was rendered when a part of it arrived; zero if that is not known.
func (m *Message) parts() (n int) {
	for _, a := range m.Attempts {
		for _, s := range a.reached() {
			if farness(s) >= farness(event.Accepted) {
				n = a.Parts
			}
		}
	}
	return n
}

// reached is how far a part has come, in the attempt that brought it furthest.
func (m *Message) reached(part int) event.DeliveryStatus {
	best := event.Queued
	for _, a := range m.Attempts {
		if s, ok := a.reached()[part]; ok && farness(s) > farness(best) {
			best = s
		}
	}
	return best
}

// reached is how far the parts of an attempt have come. A unit is one thing that the provider has an id for: it has come as far as its
// highest step, and its part as far as its least far unit. A step without an id is about all units of its part.
func (a Attempt) reached() map[int]event.DeliveryStatus {
	units := map[int]map[string]event.DeliveryStatus{}
	for _, s := range a.Steps {
		if units[s.Part] == nil {
			units[s.Part] = map[string]event.DeliveryStatus{}
		}
		units[s.Part][s.ExternalID] = higher(units[s.Part][s.ExternalID], s.Status)
	}
	out := make(map[int]event.DeliveryStatus, len(units))
	for part, tops := range units {
		all := tops[""]
		if len(tops) > 1 {
			delete(tops, "")
		}
		out[part] = event.Read
		for _, top := range tops {
			out[part] = nearer(out[part], higher(top, all))
		}
	}
	return out
}

// farness orders statuses by how far a message has come: one that failed has not arrived, whatever was accepted before.
func farness(s event.DeliveryStatus) int {
	return slices.Index([]event.DeliveryStatus{
		event.Queued, event.Unsure, event.Failed, event.Accepted, event.Sent, event.Delivered, event.Read,
	}, s)
}

func nearer(a, b event.DeliveryStatus) event.DeliveryStatus {
	if farness(b) < farness(a) {
		return b
	}
	return a
}

func higher(a, b event.DeliveryStatus) event.DeliveryStatus {
	if b.Rank() > a.Rank() {
		return b
	}
	return a
}
