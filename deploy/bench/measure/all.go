package measure

// Measurements lists them, in the order in which they are run.
func (b *Bench) Measurements() []Measurement {
	if b.Cluster != nil {
		return b.onCluster()
	}
	return []Measurement{
		{"baseline", "what HTTP, Kafka and store give alone", b.Baseline},
		{"accept", "webhooks accepted a second", b.Accept},
		{"sync", "webhooks accepted a second with and without waiting for the disk", b.Sync},
		{"pipeline", "the highest rate at which everything goes through", b.Pipeline},
		{"endtoend", "webhook to event stream at fixed rates", b.EndToEnd},
		{"hot", "one customer who floods a channel, and the others", b.Hot},
		{"sends", "messages on Kafka to results on Kafka", b.Sends},
		{"types", "every channel type beside WhatsApp", b.Types},
		{"answers", "API calls until the provider has accepted", b.Answers},
		{"footprint", "start time and memory", b.Footprint},
		{"growth", "cost as the number of conversations grows a hundredfold", b.Growth},
	}
}
