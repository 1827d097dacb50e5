package httpapi

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// Entry describes a stable error code.
type Entry struct {
	Status int // zero: what the fault's kind says
	Title  string
}

// catalogue lists every code that the API answers with; docs/reference/errors.md is generated from it.
var catalogue = map[string]Entry{
	"internal":                   {500, "Something went wrong on our side"},
	"unavailable":                {503, "A part we depend on is away; try again"},
	"timeout":                    {503, "The answer took too long; try again"},
	"overloaded":                 {503, "There is more to do than we can hold; try again"},
	"unauthenticated":            {401, "The credentials are missing, wrong or expired"},
	"forged":                     {401, "The signature does not match"},
	"forbidden":                  {403, "The caller lacks a permission"},
	"not_found":                  {404, "There is no such thing, or the caller may not see it"},
	"method_not_allowed":         {405, "The path does not take this method"},
	"body_too_large":             {413, "The body is larger than allowed"},
	"body_too_slow":              {408, "The body did not come in time"},
	"bad_form":                   {422, "The multipart form could not be read"},
	"body_incomplete":            {400, "The body ended before its announced length"},
	"unsupported_media_type":     {415, "The body is not of a type the path takes"},
	"invalid":                    {422, "The request is not valid"},
	"bad_query":                  {422, "The query cannot be decoded"},
	"unknown_parameter":          {422, "The operation has no such parameter"},
	"bad_encoding":               {422, "The value is not text in UTF-8"},
	"upgrade_required":           {426, "The path is a WebSocket"},
	"bad_json":                   {422, "The body is not JSON of the documented shape"},
	"unparsable":                 {422, "The provider's payload cannot be understood"},
	"trimmed":                    {404, "The journal does not reach back that far"},
	"document_too_large":         {422, "What is to be stored is larger than the store takes (16 MiB on MongoDB): send less of it at once"},
	"channel_unreadable":         {503, "A secret of the channel does not open with the configured encryption keys: set the secrets that the channel shows as unreadable again (PATCH /v1/channels/{id})"},
	"bad_cursor":                 {422, "The cursor is not one of ours, or of another list"},
	"idempotency_key_missing":    {422, "Sends and creates of messages need the header Idempotency-Key"},
	"idempotency_key_reused":     {422, "The idempotency key was used with another body"},
	"required":                   {422, "The field is required"},
	"not_applicable":             {422, "The field does not apply here"},
	"unknown_field":              {422, "The field is not known"},
	"too_long":                   {422, "The value is longer than allowed"},
	"out_of_range":               {422, "The value is outside the allowed range"},
	"bad_format":                 {422, "The value does not have the documented form"},
	"bad_value":                  {422, "The value is none of the allowed ones"},
	"version_mismatch":           {412, "The thing was changed since it was read"},
	"conflict":                   {409, "The state does not allow this now"},
	"conversation_closed":        {409, "The conversation is closed; open_conversation_id names the open one, if there is one"},
	"conversation_elsewhere":     {409, "Another app of the channel's account has the conversation: no bot may have it here meanwhile"},
	"conversation_open":          {409, "The thread has an open conversation already"},
	"already_processed":          {409, "The offline entry was processed already"},
	"reassign_too_early":         {409, "The last assignment is too recent; retry_after_seconds tells when"},
	"account_claimed":            {409, "Another channel has this provider account"},
	"name_taken":                 {409, "The name is taken"},
	"held_by_another":            {409, "Somebody else holds the conversation"},
	"rate_limited":               {429, "Too many requests"},
	"window_closed":              {422, "The channel's messaging window is closed; allowed says what may be sent"},
	"offline_reply_disabled":     {422, "Offline messages of this channel may not be answered"},
	"offline_reply_limit_passed": {422, "The time limit for answering the offline message has passed"},
	"unsupported_by_channel":     {422, "The channel does not carry this"},
	"media_type":                 {422, "The channel does not take files of this type"},
	"media_too_large":            {422, "The file is larger than the channel takes"},
	"attachment_not_ready":       {409, "The attachment is still being fetched, or could not be"},
	"recipient_blocked":          {409, "The contact is blocked"},
	"recipient_opted_out":        {409, "The person wants no messages on this channel; their opt-in lifts this"},
	"recipient_unreachable":      {409, "The person has blocked the account, left it, or has no account any more; their next message lifts this"},
	"type_not_supported":         {422, "The channel does not carry messages of this type"},
	"reply_not_supported":        {422, "The channel cannot quote a message"},
	"subject_not_supported":      {422, "The channel has no subject"},
	"signal_not_supported":       {422, "The channel does not take this signal"},
	"empty_message":              {422, "There is nothing to send"},
	"text_too_long":              {422, "The text is longer than the channel takes"},
	"too_many_attachments":       {422, "The channel takes fewer attachments in one message"},
	"media_not_supported":        {422, "The channel takes no files of this kind"},
	"voice_not_supported":        {422, "The channel has no voice messages"},
	"media_type_not_supported":   {422, "The channel takes files of this kind only as other media types"},
	"interactive_not_supported":  {422, "The channel does not take this kind of interactive message"},
	"too_many_sections":          {422, "The channel takes fewer sections"},
	"too_many_choices":           {422, "The channel takes fewer choices"},
	"type_mismatch":              {422, "A message of this type has another part"},
	"part_not_supported":         {422, "The channel does not carry this part of a message"},
	"part_missing":               {422, "The channel needs this part"},
	"part_not_taken":             {422, "The channel does not show this part; it would be lost"},
	"not_together":               {422, "The channel does not take these parts in one message; the detail says what to do instead"},
	"not_in_groups":              {422, "The channel takes this for single people only"},
	"choice_not_supported":       {422, "The channel has no choices of this kind there"},
	"duplicate_id":               {422, "Two choices have the same id"},
	"bad_url":                    {422, "The value is not a whole URL of an allowed scheme"},
	"vcard_too_long":             {422, "The vCard is longer than the channel takes"},
	"template_name":              {422, "Templates of this channel have no such names"},
	"template_language":          {422, "The value is not the code of a template's language"},
	"template_component":         {422, "Templates of this channel have no such component, or not there"},
	"template_parameter":         {422, "The parameter is not of a kind that its component takes, or lacks its value"},
	"action_not_supported":       {422, "The channel cannot do this to messages; actions says what it can do"},
	"action_not_for_type":        {422, "The channel cannot do this to messages of this kind; actions says what it can do"},
	"action_too_late":            {422, "The channel does this only for a limited time after the message"},
	"edit_changes_parts":         {422, "With the new text the message would be another number of messages at the provider"},
	"action_not_for_message":     {422, "The action is for another kind of message: ours, or a customer's comment"},
	"message_not_sent":           {409, "The provider does not have the message yet, or never got it"},
	"message_deleted":            {409, "The message is taken back, or about to be"},
	"action_under_way":           {409, "The same is under way already"},
	"too_many_actions":           {409, "So much was done to the message that no more is kept of it"},
	"cannot_start":               {422, "The business may not write first on this channel, or only with a template"},
	"channel_disabled":           {409, "The channel is switched off"},
	"provider_failed":            {502, "The provider did not do what was asked"},
	"resync":                     {410, "The position is older than what is kept; read the state anew"},
}

// Known reports whether a code is catalogued.
func Known(code string) bool { _, ok := catalogue[code]; return ok }

// Catalogue is every code that the API answers with.
func Catalogue() map[string]Entry { return maps.Clone(catalogue) }

// Reference writes docs/reference/errors.md.
func Reference(w io.Writer) error {
	if _, err := fmt.Fprint(w, "# Errors\n\nGenerated from `pkg/httpapi`. Every error is `application/problem+json` (RFC 9457) with a stable `code`.\n\n| Code | Status | Meaning |\n|---|---|---|\n"); err != nil {
		return err
	}
	for _, code := range slices.Sorted(maps.Keys(catalogue)) {
		if _, err := fmt.Fprintf(w, "| `%s` | %d | %s |\n", code, catalogue[code].Status, catalogue[code].Title); err != nil {
			return err
		}
	}
	return nil
}
