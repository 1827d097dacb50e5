package instagram

import (
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// words are how Meta says no.
var words = graph.Product(graph.Problems{
	230:     {Status: 403, Code: 230, Message: "User consent is required to access user profile"},
	613:     {Status: 400, Code: 613, Subcode: 2534040, Message: "Calls to this API have exceeded the rate limit."},
	36103:   {Status: 400, Code: 36103, Message: "The media could not be used."},
	2534014: {Status: 400, Code: 100, Subcode: 2534014, Message: "The requested user cannot be found"},
	2534015: {Status: 400, Code: 100, Subcode: 2534015, Message: "Invalid message data"},
	2534022: {Status: 400, Code: 10, Subcode: 2534022, Message: "This message is sent outside of allowed window."},
	2534037: {Status: 400, Code: 100, Subcode: 2534037, Message: "Message failed to send because another app is controlling this thread now."},
	2534041: {Status: 403, Code: 200, Subcode: 2534041, Message: "The account holder has switched off access to messages."},
})

func refusal(code int, text string) stage.Answer { return words.Refusal(code, text) }
