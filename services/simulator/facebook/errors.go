package facebook

import (
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// words are how Meta says no.
var words = graph.Product(graph.Problems{
	32:      {Status: 429, Code: 32, Message: "Page request limit reached"},
	613:     {Status: 400, Code: 613, Subcode: 2018338, Message: "Calls to this API have exceeded the rate limit."},
	1893063: {Status: 400, Code: 10, Subcode: 1893063, Message: "The Page is restricted from sending messages."},
	2018001: {Status: 400, Code: 100, Subcode: 2018001, Message: "No matching user found"},
	2018028: {Status: 403, Code: 200, Subcode: 2018028, Message: "Cannot message users who are not admins, developers or testers of the app until the app is reviewed."},
	2018047: {Status: 400, Code: 100, Subcode: 2018047, Message: "Upload attachment failure."},
	2018074: {Status: 400, Code: 100, Subcode: 2018074, Message: "Invalid attachment id"},
	2018109: {Status: 400, Code: 100, Subcode: 2018109, Message: "Attachment size exceeds allowable limit"},
	2018218: {Status: 400, Code: 100, Subcode: 2018218, Message: "There is no profile available for this user."},
	2018278: {Status: 400, Code: 10, Subcode: 2018278, Message: "This message is sent outside of allowed window."},
	2018300: {Status: 400, Code: 100, Subcode: 2018300, Message: "Message failed to send because another app is controlling this thread now."},
})

func refusal(code int, text string) stage.Answer { return words.Refusal(code, text) }
