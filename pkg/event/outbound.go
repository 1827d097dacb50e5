package event

import "slices"

// Outbound is a message on its way to a channel, or what is done to one: the payload of [MessageSend], [ActionSend] and [SignalSend].
type Outbound struct {
	MessageID      string      `json:"message_id"`
	ConversationID string      `json:"conversation_id"`
	ThreadID       string      `json:"thread_id"`
	AttemptID      string      `json:"attempt_id"` // derived from message and attempt number
	Attempt        int         `json:"attempt"`    // 1, 2 …
	ChannelID      string      `json:"channel_id"`
	ChannelType    ChannelType `json:"channel_type"`
	Peer           string      `json:"peer"`
	Aliases        []string    `json:"aliases,omitempty"` // other ids of the peer, newest proof first
	Post           *Post       `json:"post,omitempty"`
	Content        Content     `json:"content"`
	Signal         string      `json:"signal,omitempty"`       // typing_on, typing_off, read, ack (SignalSend only)
	InReplyTo      string      `json:"in_reply_to,omitempty"`  // the newest inbound message's provider id (typing, read, mail threading)
	ReadToken      string      `json:"read_token,omitempty"`   // of that message, where the provider wants it back (read)
	ReplyHandle    string      `json:"reply_handle,omitempty"` // the token of a [ReplyHandle] that this message, and no other, has taken
	ReplyUntil     Time        `json:"reply_until,omitzero"`   // the provider takes ReplyHandle no longer; zero: that is not known
	By             Actor       `json:"by"`
	SendBy         Time        `json:"send_by,omitzero"`      // a row that still waits then expires
	WindowUntil    Time        `json:"window_until,omitzero"` // the channel's window closes then; zero: no limit is known
	Resume         *Resume     `json:"resume,omitempty"`      // set if earlier attempts have brought a part of the message
	Action         *Action     `json:"action,omitempty"`      // ActionSend only; without one it is a message
	CreatedAt      Time        `json:"created_at"`
}

// Resume makes an attempt go on where earlier attempts ended.
type Resume struct {
	Parts int   `json:"parts,omitempty"` // into how many parts the message was rendered before; zero: not known
	Skip  []int `json:"skip"`            // the parts that have arrived, in order: they are not sent again
}

// Skips reports whether part n is left out of the attempt, as an earlier one brought it.
func (o Outbound) Skips(n int) bool { return o.Resume != nil && slices.Contains(o.Resume.Skip, n) }

// SendResult is what became of the call of one part of an attempt: the payload of [SendSettled].
type SendResult struct {
	AttemptID      string         `json:"attempt_id"`
	MessageID      string         `json:"message_id"`
	ConversationID string         `json:"conversation_id"`
	ThreadID       string         `json:"thread_id"`
	Attempt        int            `json:"attempt"`
	ChannelID      string         `json:"channel_id"`
	ChannelType    ChannelType    `json:"channel_type"`
	Peer           string         `json:"peer"`
	Part           int            `json:"part"`              // 0, 1 …
	Parts          int            `json:"parts"`             // how many the message was rendered into
	Skipped        []int          `json:"skipped,omitempty"` // those that this attempt leaves out, as an earlier one brought them
	ExternalIDs    []string       `json:"external_ids,omitempty"`
	Status         DeliveryStatus `json:"status"` // accepted, sent, failed or unknown
	Error          *Error         `json:"error,omitempty"`
	Action         ActionKind     `json:"action,omitempty"` // the attempt is this action on the message; empty: it sends the message
	At             Time           `json:"at"`
}

// Status is the state of a message after a step: the payload of [StatusChanged].
type Status struct {
	MessageID      string         `json:"message_id"`
	ConversationID string         `json:"conversation_id"`
	ThreadID       string         `json:"thread_id"`
	AttemptID      string         `json:"attempt_id"`
	Attempt        int            `json:"attempt"`
	Status         DeliveryStatus `json:"status"` // of the attempt after this step
	Step           Step           `json:"step"`
	Parts          int            `json:"parts,omitempty"`        // how many the message was rendered into; zero: not known
	ExternalIDs    []string       `json:"external_ids,omitempty"` // of the attempt, as far as known
	Action         ActionKind     `json:"action,omitempty"`       // the attempt is this action on the message; empty: it sends the message
	Seq            int64          `json:"seq"`                    // per attempt, gapless; skip what is not above the last seen
}

// Step is one step that was reported, also one that did not raise the status.
type Step struct {
	Status     DeliveryStatus `json:"status"`
	At         Time           `json:"at"`
	Source     string         `json:"source"` // send, receipt, watermark, echo, expiry
	ExternalID string         `json:"external_id,omitempty"`
	Part       int            `json:"part"`
	Error      *Error         `json:"error,omitempty"`
	Via        string         `json:"via,omitempty"` // it went another way than the channel's: sms, video_sms
}

// Actor is who did something.
type Actor struct {
	Kind string `json:"kind"` // user, automation, bot, contact, api, system, broadcast
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}
