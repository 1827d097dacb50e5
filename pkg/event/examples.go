package event

import (
	"encoding/json"
	"time"
)

// Example shows one type of event: on which topic, what its payload looks like. There is one for every type; tests hold them
// against the frozen schemas, and the reference is made of them.
type Example struct {
	Topic   string
	Type    Type
	Payload any
}

var exampleTime = At(time.Date(2026, 9, 15, 10, 30, 0, 0, time.UTC))

// Examples returns an example of every type.
func Examples() []Example {
	inbound := func(t Type, change func(*Inbound)) Example {
		in := Inbound{
			Type: t, ChannelID: "ch_1", ChannelType: WhatsApp, Ref: "wamid.A", Peer: "5511955500147", Aliases: []string{"BR.74019285563310472258"},
			ExternalID: "wamid.A", ProviderAt: exampleTime, ReceivedAt: exampleTime,
		}
		change(&in)
		return Example{TopicInbound, t, in}
	}
	on, text := true, &Content{Type: Text, Text: "Sim, pode entregar amanhã às 9h"}
	out := []Example{
		inbound(MessageReceived, func(i *Inbound) {
			i.Content, i.Sender = text, &Profile{Name: "Ana Ribeiro", Phone: "+5511955500147"}
			i.ReplyHandle = &ReplyHandle{Token: "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA", Until: exampleTime.Add(time.Minute), Uses: 1}
		}),
		inbound(MessageEchoed, func(i *Inbound) { i.Content = text }),
		inbound(MessageEdited, func(i *Inbound) { i.Target, i.Content = "wamid.A", text }),
		inbound(MessageDeleted, func(i *Inbound) { i.Target = "wamid.A" }),
		inbound(MessageReacted, func(i *Inbound) {
			i.Target, i.Reaction = "wamid.B", &Reaction{Target: "wamid.B", Emoji: "👍", Action: "add"}
		}),
		inbound(MessageHidden, func(i *Inbound) { i.Target, i.Hidden, i.Echo, i.Post = "wamid.A", &on, true, &Post{ID: "post_1"} }),
		inbound(ContactTyping, func(i *Inbound) { i.Typing = &on }),
		inbound(ContactReferred, func(i *Inbound) { i.Referral = &Referral{Code: "spring", Source: "ad", URL: "https://example.com/ad"} }),
		inbound(ContactMembership, func(i *Inbound) { i.Membership = &Membership{State: "blocked"} }),
		inbound(ContactIdentified, func(i *Inbound) {
			i.Identity = &Identity{Old: []string{"5511955500147"}, New: []string{"5511955500199"}, Reason: "user_changed_number"}
		}),
		inbound(ContactConsented, func(i *Inbound) { i.Consent = &Consent{Category: "marketing", Value: "out"} }),
		inbound(ContactPageViewed, func(i *Inbound) { i.Page = &Page{URL: "https://example.com/prices", Title: "Prices"} }),
		inbound(AccountChanged, func(i *Inbound) { i.Peer, i.Account = "", &Account{What: "template_status", Detail: "APPROVED"} }),
		inbound(ThreadControlMoved, func(i *Inbound) { i.Standby = true }),
		{TopicInbound, AttachmentReady, Attached{ChannelID: "ch_1", ChannelType: WhatsApp, Peer: "5511955500147", Ref: "wamid.A", Attachment: Attachment{
			ID: "att_1", Type: Image, MIME: "image/jpeg", Size: 48213, State: Ready, Blob: "default/ab12",
		}}},
		{TopicInbound, AttachmentFailed, Attached{ChannelID: "ch_1", ChannelType: WhatsApp, Peer: "5511955500147", Ref: "wamid.A", Attachment: Attachment{
			ID: "att_1", Type: Image, State: Lost, Error: &Error{Code: "expired", Title: "The provider has it no more"},
		}}},
	}
	receipt := inbound(ReceiptReceived, func(i *Inbound) { i.Receipt = &Receipt{Status: Delivered, ClientRef: "try_1:0"} })
	mark := inbound(ReceiptWatermark, func(i *Inbound) { i.ExternalID, i.Receipt = "", &Receipt{Status: Read, UpTo: exampleTime} })
	receipt.Topic, mark.Topic = TopicReceipts, TopicReceipts
	return append(append(out, receipt, mark), internalExamples(text)...)
}

func internalExamples(text *Content) []Example {
	by := Actor{Kind: "user", ID: "usr_1", Name: "Ana"}
	holder := Holder{ConversationID: "cnv_1", ThreadID: "thr_1", ChannelID: "ch_1", ChannelType: WhatsApp, ContactID: "cnt_1", Epoch: 2, State: "held", AgentID: "agt_1", QueueID: "q_1"}
	conversation := func(t Type, change func(*Conversation)) Example {
		c := Conversation{
			ConversationID: "cnv_1", ThreadID: "thr_1", N: 1, ContactID: "cnt_1", ChannelID: "ch_1", ChannelType: WhatsApp, Peer: "5511955500147",
			Kind: "messages", Seq: 7, At: exampleTime, By: by, Holder: holder,
		}
		change(&c)
		return Example{TopicConversations, t, c}
	}
	row := func(category, typ string) func(*Conversation) {
		return func(c *Conversation) { c.Happened = &Happened{ID: "evt_1", Category: category, Type: typ} }
	}
	message := func(c *Conversation) { c.Message = json.RawMessage(`{"_id":"msg_1","direction":"inbound"}`) }
	send := Outbound{
		MessageID: "msg_1", ConversationID: "cnv_1", ThreadID: "thr_1", AttemptID: "try_1", Attempt: 1, ChannelID: "ch_1", ChannelType: WhatsApp,
		Peer: "5511955500147", Content: *text, By: by, SendBy: exampleTime.Add(72 * time.Hour), CreatedAt: exampleTime,
	}
	signal := send
	signal.Signal, signal.MessageID, signal.AttemptID, signal.Attempt, signal.Content = "typing_on", "", "", 0, Content{}
	action := send
	action.AttemptID, action.Action = "act_1", &Action{Kind: ActionEdit, Target: Target{
		Type: Text, Of: 1, Parts: []TargetPart{{Part: 0, ExternalIDs: []string{"wamid.B"}}}, At: exampleTime,
	}}
	step := Step{Status: Delivered, At: exampleTime, Source: "receipt", ExternalID: "wamid.B"}
	return []Example{
		{TopicWebhooks, WebhookReceived, Webhook{ChannelID: "ch_1", Type: WhatsApp, Method: "POST", Path: "/webhooks/whatsapp/ch_1", Body: []byte("{}"), Verdict: "accepted", Events: []string{"evt_1"}, At: exampleTime}},
		{TopicMedia(WhatsApp), MediaWanted, WantedMedia{ChannelID: "ch_1", Peer: "5511955500147", Ref: "wamid.A", Attachment: Attachment{ID: "att_1", Type: Image, MediaRef: "123", State: Pending}}},
		{TopicReceipts, SendSettled, SendResult{AttemptID: "try_1", MessageID: "msg_1", ConversationID: "cnv_1", ThreadID: "thr_1", Attempt: 1, ChannelID: "ch_1", ChannelType: WhatsApp, Peer: "5511955500147", Parts: 1, ExternalIDs: []string{"wamid.B"}, Status: Accepted, At: exampleTime}},
		{TopicOutbound(WhatsApp), MessageSend, send},
		{TopicOutbound(WhatsApp), ActionSend, action},
		{TopicOutbound(WhatsApp), SignalSend, signal},
		{TopicMessageStatus, StatusChanged, Status{MessageID: "msg_1", ConversationID: "cnv_1", ThreadID: "thr_1", AttemptID: "try_1", Attempt: 1, Status: Delivered, Step: step, ExternalIDs: []string{"wamid.B"}, Seq: 3}},
		conversation(ConversationOpened, row("conversation", "conversation_opened")),
		conversation(ConversationReopen, row("conversation", "conversation_reopened")),
		conversation(ConversationClosed, row("conversation", "conversation_closed")),
		conversation(ConversationFollow, func(c *Conversation) { c.Carry = json.RawMessage(`{"_id":"cnv_2"}`) }),
		conversation(ConversationHolder, row("assignment", "assigned")),
		conversation(ConversationChanged, row("conversation", "tags_changed")),
		conversation(ConversationNoted, row("page", "page_changed")),
		conversation(MessageCreated, message),
		conversation(MessageUpdated, message),
		{TopicRouting, RoutingHolder, holder},
		{TopicRouting, AgentChanged, Agent{AgentID: "agt_1", Change: "presence"}},
		{TopicRouting, RoutingDue, Due{QueueID: "q_1", Version: 2}},
		{TopicRouting, AssignmentRefused, Refusal{DecisionID: "dec_1", ConversationID: "cnv_1", ThreadID: "thr_1", Epoch: 1, AgentID: "agt_1", Reason: "the epoch is 2"}},
		{TopicAssignments, RoutingDecided, Decision{ID: "dec_1", ConversationID: "cnv_1", ThreadID: "thr_1", Epoch: 1, Action: "assign", AgentID: "agt_1", Reasons: []Reason{{Code: "least_loaded", AgentID: "agt_1"}}, At: exampleTime}},
		{TopicStream, StreamEvent, Stream{Type: string(MessageCreated), ConversationID: "cnv_1", ContactID: "cnt_1", Assignee: "agt_1", Data: json.RawMessage(`{"message_id":"msg_1"}`)}},
		{TopicConfig, ConfigChanged, Config{Entity: "channel", ID: "ch_1", Version: 2}},
	}
}
