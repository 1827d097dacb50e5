package sms

import "github.com/tributaryhq/tributary/pkg/channel/gateway"

// Service is the channel's service: the adapter in its host.
var Service = gateway.Service(Adapter{})
