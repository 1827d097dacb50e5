package channel

// Words for what providers refuse, the same on every channel; the provider's own code travels beside them in
// fault.Error.Provider. Channels add words of their own where these do not fit.
const (
	CodeRateLimited         = "rate_limited"          // the account sends too fast
	CodePeerRateLimited     = "peer_rate_limited"     // too fast to this one person
	CodeSpamLimited         = "spam_limited"          // held back because of quality or complaints
	CodeUnavailable         = "provider_unavailable"  // the provider says that it did not do it
	CodeUnclear             = "outcome_unclear"       // a 5xx or an unreadable answer
	CodeWindowClosed        = "window_closed"         // outside the messaging window
	CodeRecipientUnknown    = "recipient_unknown"     // no such person or chat
	CodeRecipientBlocked    = "recipient_blocked"     // the person blocked us or left
	CodeRecipientGone       = "recipient_gone"        // the account was deleted
	CodeRecipientOptedOut   = "recipient_opted_out"   // asked for no such messages
	CodeRecipientNotAllowed = "recipient_not_allowed" // the provider does not let us write to this person
	CodeContentRejected     = "content_rejected"      // the message is not acceptable as it is
	CodeTextTooLong         = "text_too_long"
	CodeMediaRejected       = "media_rejected"       // wrong kind, broken, or not to be fetched
	CodeMediaTooLarge       = "media_too_large"      // over the provider's limit
	CodeMediaGone           = "media_gone"           // the provider has the file no more
	CodeTemplateInvalid     = "template_invalid"     // no such template, wrong parameters, paused or disabled
	CodeAccountRestricted   = "account_restricted"   // the provider stopped the account: payment, policy, registration
	CodeCredentials         = "credentials_rejected" // token revoked or wrong
	CodePermission          = "permission_missing"   // the account may not do this
)
