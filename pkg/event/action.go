package event

// ActionKind names what is done to a message that is there. Some kinds are for our own messages, others for what customers wrote.
type ActionKind string

// The kinds.
const (
	ActionEdit         ActionKind = "edit"          // our message gets another content
	ActionUnsend       ActionKind = "unsend"        // our message is taken back
	ActionHide         ActionKind = "hide"          // a customer's comment is hidden from the public
	ActionUnhide       ActionKind = "unhide"        // and shown again
	ActionPrivateReply ActionKind = "private_reply" // a customer's comment is answered by a private message
)

// Action makes an [Outbound] something that is done to a message which is there, in place of a message: the payload of [ActionSend].
// Outbound.MessageID is the message that it is done to, Outbound.AttemptID the action's own id. Outbound.Content is what the message says
// from then on (edit), what is answered (private_reply), and otherwise only the message's type.
type Action struct {
	Kind   ActionKind `json:"kind"`
	Target Target     `json:"target"`
}

// Target is the message that an action is done to, as the provider has it.
type Target struct {
	Type        MessageType  `json:"type"`
	Interactive string       `json:"interactive,omitempty"` // its kind, of an interactive message
	Of          int          `json:"of,omitempty"`          // into how many parts our message was rendered; zero: not known
	Parts       []TargetPart `json:"parts"`                 // those that the provider has ids for, in order
	At          Time         `json:"at"`                    // the provider took it, or the customer wrote it
}

// TargetPart is one part of a message at the provider: an album has several ids.
type TargetPart struct {
	Part        int      `json:"part"`
	ExternalIDs []string `json:"external_ids"`
}

// ExternalIDs returns all ids of the target, in order.
func (t Target) ExternalIDs() (ids []string) {
	for _, p := range t.Parts {
		ids = append(ids, p.ExternalIDs...)
	}
	return ids
}

// Part returns the provider's first id of a part; empty if the provider has none.
func (t Target) Part(n int) string {
	for _, p := range t.Parts {
		if p.Part == n && len(p.ExternalIDs) > 0 {
			return p.ExternalIDs[0]
		}
	}
	return ""
}
