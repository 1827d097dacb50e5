package record

import (
	"strconv"

	"github.com/tributaryhq/tributary/pkg/event"
)

// AliasID is where an alias's document lies.
func AliasID(tenant, channelID, kind, post, alias string) string {
	return event.DeriveID("als", tenant, channelID, kind, post, alias)
}

// ThreadID is the id of the thread that begins with an alias.
func ThreadID(tenant, channelID, kind, post, alias string) string {
	return event.DeriveID("thr", tenant, channelID, kind, post, alias)
}

// ConversationID is the id of the n-th conversation of a thread; n counts from 1.
func ConversationID(tenant, channelID, threadID string, n int) string {
	return event.DeriveID("cnv", tenant, channelID, threadID, strconv.Itoa(n))
}

// ContactID is the id of the contact that begins with a thread.
func ContactID(tenant, threadID string) string { return event.DeriveID("cnt", tenant, threadID) }

// MessageID is the id of the message that an occurrence on a channel is.
func MessageID(tenant, channelID, ref string) string {
	return event.DeriveID("msg", tenant, channelID, ref)
}

// MemberID is where the name of somebody of a channel's groups lies.
func MemberID(tenant, channelID, author string) string {
	return event.DeriveID("mbr", tenant, channelID, author)
}

// AttemptID is the id of the n-th attempt to send a message; n counts from 1.
func AttemptID(tenant, messageID string, n int) string {
	return event.DeriveID("try", tenant, messageID, strconv.Itoa(n))
}

// RowID is the id of the timeline row that a conversation's seq is.
func RowID(tenant, conversationID string, seq int64) string {
	return event.DeriveID("evt", tenant, conversationID, strconv.FormatInt(seq, 10))
}

// ReadID is where a user's reading position in a conversation lies.
func ReadID(tenant, userID, conversationID string) string {
	return event.DeriveID("rd", tenant, userID, conversationID)
}
