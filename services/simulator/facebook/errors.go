package facebook

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
	32:      {Status: 429, Code: 32, Message: "Page request limit reached"},
	100:     {Status: 400, Code: 100, Message: "Invalid parameter"},
	190:     {Status: 401, Code: 190, Message: "Invalid OAuth access token."},
	200:     {Status: 403, Code: 200, Message: "Permissions error"},
	368:     {Status: 400, Code: 368, Message: "The action attempted has been deemed abusive or is otherwise disallowed"},
	551:     {Status: 400, Code: 551, Subcode: 1545041, Message: "This person isn't available right now."},
	613:     {Status: 400, Code: 613, Subcode: 2018338, Message: "Calls to this API have exceeded the rate limit."},
	1200:    {Status: 400, Code: 1200, Message: "Temporary send message failure. Please try again later."},
	10900:   {Status: 400, Code: 10900, Message: "Activity already replied to"},
	10903:   {Status: 400, Code: 10903, Message: "This user cant reply to this activity"},
	36000:   {Status: 200, Code: 36000, Message: "The image size is too large."},
	1893063: {Status: 400, Code: 10, Subcode: 1893063, Message: "The Page is restricted from sending messages."},
	2018001: {Status: 400, Code: 100, Subcode: 2018001, Message: "No matching user found"},
	2018028: {Status: 403, Code: 200, Subcode: 2018028, Message: "Cannot message users who are not admins, developers or testers of the app until the app is reviewed."},
	2018047: {Status: 400, Code: 100, Subcode: 2018047, Message: "Upload attachment failure."},
	2018074: {Status: 400, Code: 100, Subcode: 2018074, Message: "Invalid attachment id"},
	2018109: {Status: 400, Code: 100, Subcode: 2018109, Message: "Attachment size exceeds allowable limit"},
	2018218: {Status: 400, Code: 100, Subcode: 2018218, Message: "There is no profile available for this user."},
	2018278: {Status: 400, Code: 10, Subcode: 2018278, Message: "This message is sent outside of allowed window."},
	2018300: {Status: 400, Code: 100, Subcode: 2018300, Message: "Message failed to send because another app is controlling this thread now."},
	9000001: {Status: 400, Code: 9000001, Message: "The message was deleted."},
}

func refusal(code int, text string) stage.Answer { return words.Refusal(code, text) }
