package directory

import (
	"encoding/json"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// The collections of service admin. It alone writes them; this package alone reads them besides.
var (
	Channels = store.Spec{Name: "channels", Facts: true, Indexes: []store.Index{
		{Name: "by_tenant", Fields: []string{"tenant", "created_at"}},
		{Name: "by_type", Fields: []string{"type", "enabled", "created_at"}},
		{Name: "by_tenant_type", Fields: []string{"tenant", "type", "created_at"}},
		{Name: "by_verify_token", Fields: []string{"type", "verify_hash"}, Sparse: true},
	}}
	Claims  = store.Spec{Name: "channel_claims"}
	APIKeys = store.Spec{Name: "api_keys", Facts: true, Indexes: []store.Index{{Name: "by_tenant", Fields: []string{"tenant", "created_at"}}}}
	Users   = store.Spec{Name: "users", Facts: true, Indexes: []store.Index{
		{Name: "by_tenant", Fields: []string{"tenant", "created_at"}},
		{Name: "by_role", Fields: []string{"tenant", "role", "created_at"}},
	}}
	Emails  = store.Spec{Name: "user_emails"}
	Tenants = store.Spec{Name: "tenants", Facts: true}
	Units   = store.Spec{Name: "organization_units", Facts: true, Indexes: []store.Index{
		{Name: "by_tenant", Fields: []string{"tenant", "name"}},
		{Name: "by_parent", Fields: []string{"tenant", "parent_id", "name"}},
	}}
)

// The collections of service routing that others read as well, a [Named] of each document. Routing alone writes them; the others go
// through this package.
var (
	Agents = store.Spec{Name: "agents", Facts: true, Indexes: []store.Index{
		{Name: "by_tenant", Fields: []string{"tenant", "created_at"}},
		{Name: "by_queue", Fields: []string{"tenant", "queue_ids[]"}},
		{Name: "by_hold", Fields: []string{"tenant", "holding[]"}},
		{Name: "unanswered", Fields: []string{"offered_since"}, Sparse: true},
	}}
	Queues    = store.Spec{Name: "queues", Facts: true, Indexes: []store.Index{{Name: "by_tenant", Fields: []string{"tenant", "name"}}}}
	Calendars = store.Spec{Name: "calendars", Facts: true}
	Bots      = store.Spec{Name: "bots", Facts: true, Indexes: []store.Index{
		{Name: "by_access_code", Fields: []string{"tenant", "access_code"}, Sparse: true},
	}}
)

// Others lists them, and what channel services write: every process ensures them, as the directory reads them also where those services
// do not run.
var Others = []store.Spec{Agents, Queues, Calendars, Bots, Connections}

// Specs lists the collections of service admin, and the types that channels announce.
var Specs = []store.Spec{Channels, Claims, APIKeys, Users, Emails, Tenants, Units, Types, Keys}

// The names that entities have on the topic of configuration changes.
const (
	EntityChannel  = "channel"
	EntityAPIKey   = "api_key"
	EntityUser     = "user"
	EntityTenant   = "tenant"
	EntityUnit     = "organization_unit"
	EntityAgent    = "agent"
	EntityQueue    = "queue"
	EntityCalendar = "calendar"
	EntityBot      = "bot"
)

// Channel is a channel's document. Secrets are sealed in the context (tenant, id, key).
type Channel struct {
	store.Meta
	Type     event.ChannelType   `json:"type"`
	Name     string              `json:"name"`
	Enabled  bool                `json:"enabled"`
	Settings channel.Settings    `json:"settings"`
	Sealed   map[string][]string `json:"sealed"` // current value first; a second one lives while it is rotated
	// Previous says until when the second value of a secret is accepted.
	Previous  map[string]event.Time `json:"previous_until,omitempty"`
	Overlap   *int                  `json:"secret_overlap_minutes,omitempty"` // how long that is from a replacement on; nil: a day
	Policy    json.RawMessage       `json:"policy,omitempty"`                 // a channel.Policy, perhaps with fields of a newer version
	OUID      string                `json:"ou_id,omitempty"`
	Verify    string                `json:"verify_hash,omitempty"` // of the secret by which app-level calls name it
	Claims    []string              `json:"claims"`                // ids of the claim documents it holds
	Version   int64                 `json:"version"`
	Deleted   bool                  `json:"deleted,omitempty"`
	Digest    string                `json:"digest,omitempty"` // of the body that created it
	CreatedAt event.Time            `json:"created_at"`
	UpdatedAt event.Time            `json:"updated_at"`
}

// SecretOverlap is how long a replaced secret is accepted, if its channel says nothing else.
const SecretOverlap = 24 * time.Hour

// ValidUntil says until when the second value of a secret is accepted. Documents of the first versions do not say it:
// there it is a day from the last change of the channel on, which was the replacement or came after it.
func (c *Channel) ValidUntil(key string) event.Time {
	if until, ok := c.Previous[key]; ok {
		return until
	}
	changed := c.UpdatedAt
	if changed.IsZero() {
		changed = c.CreatedAt
	}
	return changed.Add(SecretOverlap)
}

// dropExpired takes away the predecessors that are not accepted any more, and says when the next one expires; zero:
// none does.
func (c *Channel) dropExpired(now time.Time) (next time.Time) {
	for key, values := range c.Sealed {
		if len(values) < 2 {
			continue
		}
		until := c.ValidUntil(key).Time
		if !now.Before(until) {
			c.Sealed[key] = values[:1]
		} else if next.IsZero() || until.Before(next) {
			next = until
		}
	}
	return next
}

// Claim says which channel has a provider's account. Its id is derived from type and account, not from the
// tenant: an account is claimed once across tenants.
type Claim struct {
	store.Meta
	ChannelID string     `json:"channel_id"`
	Since     event.Time `json:"since,omitzero"` // when the channel asked for it
}

// AccountClaim is the id of the claim of a provider's account.
func AccountClaim(t event.ChannelType, setting, account string) string {
	return event.DeriveID("clm", "account", string(t), setting, account)
}

// VerifyHash is what a channel's document keeps of the secret by which app-level calls name it ([channel.Info.NamingSecret]).
func VerifyHash(token string) string { return event.Hash("verify token", token) }

// APIKey is an API key's document; its id is "key_" and the id inside the key's text.
type APIKey struct {
	store.Meta
	Name      string            `json:"name"`
	Hash      string            `json:"hash"`
	Scopes    []auth.Permission `json:"scopes"`
	OUID      string            `json:"ou_id,omitempty"`
	Digest    string            `json:"digest,omitempty"`
	Version   int64             `json:"version"`
	Revoked   bool              `json:"revoked,omitempty"`
	KeyEnds   event.Time        `json:"key_ends,omitzero"`
	CreatedAt event.Time        `json:"created_at"`
	CreatedBy string            `json:"created_by,omitempty"`
	Bootstrap bool              `json:"bootstrap,omitempty"` // made by the configuration, which may replace it
}

// User is a user's document. A user who talks to customers is an agent: the agent's id has the same tail.
type User struct {
	store.Meta
	Name      string     `json:"name"`
	Email     string     `json:"email"` // lower case
	Password  string     `json:"password,omitempty"`
	Role      string     `json:"role"`
	AvatarURL string     `json:"avatar_url,omitempty"`
	OUID      string     `json:"ou_id,omitempty"`
	Sessions  int64      `json:"sessions"`
	Ended     []Ended    `json:"ended,omitempty"` // sessions that ended before their time
	Disabled  bool       `json:"disabled,omitempty"`
	Digest    string     `json:"digest,omitempty"`
	Version   int64      `json:"version"`
	CreatedAt event.Time `json:"created_at"`

	Bootstrap *Configured `json:"bootstrap,omitempty"` // of the owner that the configuration names
}

// Configured are keyed digests of what the configuration last gave the owner; another one means that it was replaced
// there.
type Configured struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// Ended is a session that its user ended. It is kept until the session would have ended by itself.
type Ended struct {
	ID    string     `json:"id"`
	Until event.Time `json:"until"`
}

// AgentOf is the agent that a user is.
func AgentOf(userID string) string { return "agt_" + tail(userID) }

// UserOf is the user behind an agent.
func UserOf(agentID string) string { return "usr_" + tail(agentID) }

func tail(id string) string {
	for i := range len(id) {
		if id[i] == '_' {
			return id[i+1:]
		}
	}
	return id
}

// Email claims an address for a user, across tenants; its id is derived from the lower-case address.
type Email struct {
	store.Meta
	UserID string     `json:"user_id"`
	Since  event.Time `json:"since,omitzero"` // when the user asked for it
}

// ClaimRests is for how long a claim holds although the document it was made for does not name it yet. Whoever claims
// has less time than that to write the document; a claim of somebody who died in between is free afterwards.
const ClaimRests = time.Minute

// EmailClaim is the id of an address's claim.
func EmailClaim(email string) string { return event.DeriveID("clm", "email", email) }

// Tenant is a tenant's document.
type Tenant struct {
	store.Meta
	Name      string                       `json:"name"`
	Settings  Settings                     `json:"settings"`
	Roles     map[string][]auth.Permission `json:"roles,omitempty"` // custom roles, and built-in ones that were changed
	Version   int64                        `json:"version"`
	Digest    string                       `json:"digest,omitempty"`
	CreatedAt event.Time                   `json:"created_at"`
}

// Settings are a tenant's settings (/v1/tenant-settings).
type Settings struct {
	OfflineReassignMinutes int      `json:"offline_reassign_interval_minutes"` // 5–600
	EnforceOUIsolation     bool     `json:"enforce_ou_isolation"`
	CloseUnassigns         bool     `json:"close_unassigns"`
	CloseNoteRequired      bool     `json:"close_note_required"`
	AnswerAssignsRoles     []string `json:"answer_assigns_roles"`
	SnoozeWakesOnMessage   bool     `json:"snooze_wakes_on_message"`
	SpaceName              string   `json:"space_name"`
}

// DefaultSettings are a new tenant's settings.
func DefaultSettings(name string) Settings {
	return Settings{
		OfflineReassignMinutes: 10, CloseUnassigns: true, SpaceName: name,
		AnswerAssignsRoles: []string{"owner", "admin", "supervisor", "agent"},
	}
}

// Unit is a node of a tenant's tree of organization units.
type Unit struct {
	store.Meta
	Name     string   `json:"name"`
	ParentID string   `json:"parent_id,omitempty"`
	Path     []string `json:"path"` // ids from the root to this one
	Version  int64    `json:"version"`
	Digest   string   `json:"digest,omitempty"`
}

// Named is what other services read of the documents of service routing: an agent's, a queue's, a calendar's, a bot's.
type Named struct {
	ID         string   `json:"_id"`
	Tenant     string   `json:"tenant"`
	Name       string   `json:"name"`
	OUID       string   `json:"ou_id,omitempty"`
	Queues     []string `json:"queue_ids,omitempty"`   // of an agent
	AccessCode string   `json:"access_code,omitempty"` // of a bot
	Deleted    bool     `json:"deleted,omitempty"`
}
