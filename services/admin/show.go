package admin

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

// nameChannel is what those see of a channel who work with it.
func nameChannel(d *directory.Channel) map[string]any {
	return map[string]any{"id": d.ID, "type": d.Type, "name": d.Name, "enabled": d.Enabled}
}

// shown finds a channel and shows of it what p may see: what it can do to everybody who may see its name, because whoever writes on it
// has to know. That is left out if no service of its type has run here.
func (s *server) shown(ctx context.Context, p *auth.Principal, id string) (*directory.Channel, map[string]any, error) {
	show, err := shownTo(p, auth.ChannelsRead, s.show, nameChannel)
	if err != nil {
		return nil, nil, err
	}
	doc, err := s.channel(ctx, p.Tenant, id)
	if err != nil {
		return nil, nil, err
	}
	out := show(doc)
	if p.May(auth.ChannelsRead) {
		if err := s.connect(ctx, out, doc); err != nil {
			return nil, nil, err
		}
	}
	info, err := s.directory.Type(ctx, doc.Type)
	if fault.Is(err, fault.Gone) {
		return doc, out, nil
	}
	return doc, withRules(out, info.For(doc.Settings)), err
}

// connect shows the state of the channel's own connection to its provider, if it has one now. One that was not renewed, of an earlier
// version of the channel, is that of settings which the channel does not have any more.
func (s *server) connect(ctx context.Context, out map[string]any, d *directory.Channel) error {
	if !d.Enabled {
		return nil
	}
	c, err := s.directory.Connection(ctx, d.Tenant, d.ID)
	if err != nil || c == nil || c.State == directory.Unheard && c.Version < d.Version {
		return httpapi.StoreError(err)
	}
	shown := map[string]any{"state": c.State, "since": c.Since, "seen_at": c.SeenAt, "channel_version": c.Version}
	if c.State == directory.Failing {
		shown["tries"], shown["next_try_at"], shown["error"] = c.Tries, c.NextAt, c.Error
	}
	out["connection"] = shown
	return nil
}

// answer shows a channel that was written, with what it can do.
func (s *server) answer(c *gin.Context, status int, d *directory.Channel, info channel.Info) {
	c.Header("ETag", httpapi.ETag(d.Version))
	c.JSON(status, withRules(s.show(d), info.For(d.Settings)))
}

func withRules(shown map[string]any, rules channel.Rules) map[string]any {
	shown["rules"] = rules
	return shown
}

// show is a channel as lists have it: every policy field at the top, secrets only named.
func (s *server) show(d *directory.Channel) map[string]any {
	out := map[string]any{}
	if len(d.Policy) > 0 {
		_ = json.Unmarshal(d.Policy, &out) // we wrote it
	}
	if idle := channel.ReadPolicy(d.Policy).NotInEffect(); len(idle) > 0 {
		out["not_in_effect"] = idle
	}
	secrets := map[string]string{}
	for k, v := range d.Sealed {
		if len(v) > 0 {
			secrets[k] = "set"
		}
	}
	for _, k := range directory.Unreadable(s.sealer, d) {
		secrets[k] = "unreadable"
	}
	if previous := previousSecrets(d, s.at()); len(previous) > 0 {
		out["previous_secrets"] = previous
	}
	out["secret_overlap_minutes"] = int(overlap(d).Minutes())
	settings := d.Settings
	if settings == nil {
		settings = channel.Settings{}
	}
	maps.Copy(out, map[string]any{
		"id": d.ID, "type": d.Type, "name": d.Name, "enabled": d.Enabled, "settings": settings, "secrets": secrets, "version": d.Version,
		"webhook_url": channel.WebhookURL(s.publicURL, d.Type, d.ID), "app_webhook_url": s.publicURL + "/webhooks/" + string(d.Type),
		"created_at": d.CreatedAt, "updated_at": d.UpdatedAt,
	})
	if d.OUID != "" {
		out["ou_id"] = d.OUID
	}
	return out
}
