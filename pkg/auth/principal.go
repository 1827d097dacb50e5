// Package auth says who is calling and what they may do: API keys, sessions (JWT), OIDC tokens, roles and permissions;
// and seals secrets at rest.
package auth

import (
	"context"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Principal is whoever makes a call.
type Principal struct {
	Tenant      string
	Kind        string // user or api_key
	ID          string // usr_… or key_…
	Name        string
	Role        string // owner, admin, supervisor, agent, a custom role, or "key"
	AgentID     string // agt_… if the user is an agent
	OUID        string
	Queues      []string // of the agent: its team
	Permissions []Permission
	Until       time.Time // when the key or the session ends by itself; zero: never, or not known
	Session     string    // id of the session of ours that the caller signed in with, if any
}

// Actor is the principal as events name it.
func (p *Principal) Actor() event.Actor {
	kind := "user"
	if p.Kind == "api_key" {
		kind = "api"
	}
	return event.Actor{Kind: kind, ID: p.ID, Name: p.Name}
}

// May reports whether the principal has a permission, or one that includes it.
func (p *Principal) May(x Permission) bool {
	return slices.Contains(p.Permissions, x) || includedIn[x] != "" && slices.Contains(p.Permissions, includedIn[x])
}

// includedIn says which permission to change something includes which one to read it: keys and roles of earlier
// versions have the former alone.
var includedIn = map[Permission]Permission{UsersRead: UsersWrite, ChannelsRead: ChannelsWrite, WebhookLogRead: ChannelsWrite}

// Require returns a Denied error with code forbidden if the principal lacks the permission.
func (p *Principal) Require(x Permission) error {
	if p.May(x) {
		return nil
	}
	return fault.New(fault.Denied, "forbidden", "this needs the permission %s", x)
}

type contextKey struct{}

// With puts the principal into a context.
func With(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns the caller of a request, or nil where none was authenticated.
func From(ctx context.Context) *Principal {
	p, _ := ctx.Value(contextKey{}).(*Principal)
	return p
}

// Permission is one thing that may be allowed. Scopes of API keys are permissions too.
type Permission string

// The permissions.
const (
	ChannelsWrite     Permission = "channels.write"
	UsersWrite        Permission = "users.write"
	SettingsWrite     Permission = "settings.write"
	APIKeysWrite      Permission = "api_keys.write"
	ReadAll           Permission = "conversations.read_all"
	Read              Permission = "conversations.read" // own and team
	Send              Permission = "conversations.send"
	Assign            Permission = "conversations.assign"
	CloseConversation Permission = "conversations.close"
	ContactsWrite     Permission = "contacts.write"
	ResolveExpired    Permission = "conversations.resolve_expired"
	BroadcastsSend    Permission = "broadcasts.send"
	ReportsRead       Permission = "reports.read"
	OfflineManage     Permission = "offline_messages.manage"
	OfflineReassign   Permission = "offline_messages.reassign"
	AuditRead         Permission = "audit.read"
	RoutingWrite      Permission = "routing.write"
	DeadLetters       Permission = "dead_letters.manage"
	UsersRead         Permission = "users.read"
	ChannelsRead      Permission = "channels.read"
	WebhookLogRead    Permission = "webhook_log.read"
)

// All lists every permission, in the order of the reference page.
var All = []Permission{ChannelsWrite, UsersWrite, SettingsWrite, APIKeysWrite, ReadAll, Read, Send, Assign, CloseConversation, ContactsWrite,
	ResolveExpired, BroadcastsSend, ReportsRead, OfflineManage, OfflineReassign, AuditRead, RoutingWrite, DeadLetters, UsersRead, ChannelsRead, WebhookLogRead}

// Roles are the built-in roles with their permissions; custom roles may change them.
var Roles = map[string][]Permission{
	"owner":      All,
	"admin":      All,
	"supervisor": {ReadAll, Read, Send, Assign, CloseConversation, ContactsWrite, ResolveExpired, BroadcastsSend, ReportsRead, OfflineManage, UsersRead, ChannelsRead},
	"agent":      {Read, Send, Assign, CloseConversation, ContactsWrite},
}
