package event

import "strings"

// Topics of the gateway; docs/ARCHITECTURE.md shows who writes and who reads them.
const (
	TopicWebhooks      = "tributary.webhooks"       // key channel; the journal of raw provider calls
	TopicInbound       = "tributary.inbound"        // key channel|peer; what customers did
	TopicReceipts      = "tributary.receipts"       // key channel|peer; send results and provider receipts
	TopicConversations = "tributary.conversations"  // key thread; everything that happened, messages included
	TopicRouting       = "tributary.routing"        // key tenant; the decider's input
	TopicAssignments   = "tributary.assignments"    // key thread; the decider's output
	TopicMessageStatus = "tributary.message-status" // key thread; what became of a message
	TopicStream        = "tributary.stream"         // key tenant; thin events for browsers
	TopicConfig        = "tributary.config"         // key entity; id and version of changed configuration, compacted
	TopicDead          = "tributary.dead"           // key as origin; dead letters

	topicMedia    = "tributary.media."
	topicOutbound = "tributary.outbound."
)

// ChannelOf is the channel that a record of a topic with such a key is about; empty where keys name none.
func ChannelOf(topic, key string) string {
	switch {
	case topic == TopicWebhooks, topic == TopicInbound, topic == TopicReceipts, strings.HasPrefix(topic, topicOutbound):
		id, _, _ := strings.Cut(key, "|")
		return id
	}
	return ""
}

// TopicMedia is the topic of media wanted by channels of a type; key attachment.
func TopicMedia(t ChannelType) string { return topicMedia + string(t) }

// TopicOutbound is the topic of messages to be sent by channels of a type; key channel|peer. Records of types with sessions have the
// key channel and the lane channel|peer. Only inbox writes it, and a service of the type that hands a record on to the partition of its
// channel.
func TopicOutbound(t ChannelType) string { return topicOutbound + string(t) }

// Topic is one topic's fixed properties.
type Topic struct {
	Name       string
	Partitions Size
	Compacted  bool
}

// Size says how many partitions a topic gets; the counts are fixed for the life of a cluster.
type Size uint8

// The sizes: on a cluster 48, 12 and 1 partitions, in the single binary 4, 4 and 1.
const (
	Keyed Size = iota // every keyed topic
	Small             // media and stream
	One               // config, dead; in the single binary also webhooks
)

// Topics lists every topic, in a stable order.
func Topics() []Topic {
	ts := []Topic{
		{Name: TopicWebhooks, Partitions: Keyed},
		{Name: TopicInbound, Partitions: Keyed},
		{Name: TopicReceipts, Partitions: Keyed},
		{Name: TopicConversations, Partitions: Keyed},
		{Name: TopicRouting, Partitions: Keyed},
		{Name: TopicAssignments, Partitions: Keyed},
		{Name: TopicMessageStatus, Partitions: Keyed},
		{Name: TopicStream, Partitions: Small},
		{Name: TopicConfig, Partitions: One, Compacted: true},
		{Name: TopicDead, Partitions: One},
	}
	for _, t := range ChannelTypes {
		ts = append(ts, Topic{Name: TopicMedia(t), Partitions: Small}, Topic{Name: TopicOutbound(t), Partitions: Keyed})
	}
	return ts
}
