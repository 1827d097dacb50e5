package instagram

import (
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// words are how Meta says no.
var words = graph.Problems{
	1:       {Status: 400, Code: 1, Message: "An unknown error occurred"},
	2:       {Status: 503, Code: 2, Message: "Service temporarily unavailable"},
	4:       {Status: 429, Code: 4, Message: "Application request limit reached"},
	10:      {Status: 403, Code: 10, Message: "Application does not have permission for this action"},
	100:     {Status: 400, Code: 100, Message: "Invalid parameter"},
	190:     {Status: 401, Code: 190, Message: "Invalid OAuth access token."},
	200:     {Status: 403, Code: 200, Message: "Permissions error"},
	230:     {Status: 403, Code: 230, Message: "User consent is required to access user profile"},
	368:     {Status: 400, Code: 368, Message: "The action attempted has been deemed abusive or is otherwise disallowed"},
	551:     {Status: 400, Code: 551, Subcode: 1545041, Message: "This person isn't available right now."},
	613:     {Status: 400, Code: 613, Subcode: 2534040, Message: "Calls to this API have exceeded the rate limit."},
	1200:    {Status: 400, Code: 1200, Message: "Temporary send message failure. Please try again later."},
	10900:   {Status: 400, Code: 10900, Message: "Activity already replied to"},
	10903:   {Status: 400, Code: 10903, Message: "This user cant reply to this activity"},
	36000:   {Status: 200, Code: 36000, Message: "The image size is too large."},
	36103:   {Status: 400, Code: 36103, Message: "The media could not be used."},
	2534014: {Status: 400, Code: 100, Subcode: 2534014, Message: "The requested user cannot be found"},
	2534015: {Status: 400, Code: 100, Subcode: 2534015, Message: "Invalid message data"},
	2534022: {Status: 400, Code: 10, Subcode: 2534022, Message: "This message is sent outside of allowed window."},
	2534037: {Status: 400, Code: 100, Subcode: 2534037, Message: "Message failed to send because another app is controlling this thread now."},
	2534041: {Status: 403, Code: 200, Subcode: 2534041, Message: "The account holder has switched off access to messages."},
	9000001: {Status: 400, Code: 9000001, Message: "The message was deleted."},
}

func refusal(code int, text string) stage.Answer { return words.Refusal(code, text) }
