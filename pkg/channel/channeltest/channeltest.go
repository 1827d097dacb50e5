// Package channeltest checks adapters: one golden file per case, and the rules that every adapter keeps, among them what bad input does
// ([BadBodies]) and what it may cost.
//
//	testdata/channel.json           the channel that cases use; a case with "@channel x" uses channel.x.json
//	testdata/inbound/NAME.txtar     request.http → want.json: events, reply, what was ignored, or the error
//	testdata/outbound/NAME.txtar    message.json, response.N.http → request.N.http, signed.N.http, outcome.json
//	testdata/media/NAME.txtar       attachment.json, response.N.http → the same; how an inbound file is fetched
//	testdata/setup/NAME.txtar       → request.N.http, signed.N.http; how the provider is told our webhook URL
//	testdata/address/NAME.txtar     inputs.txt → want.json; whom to reach, as people write it, one text a line
//	testdata/profile/NAME.txtar     who.json, response.1.http → request.1.http, signed.1.http, outcome.json; what the provider says of somebody
//	testdata/expiry/NAME.txtar      response.1.http → request.1.http, signed.1.http, outcome.json; until when the provider takes the credentials
//	testdata/token/NAME.txtar       response.1.http → request.1.http, outcome.json; how a short-lived token is got
//
// The first lines of a file say why the case exists. Lines that begin with @ are directives:
//
//	@channel 360dialog              use testdata/channel.360dialog.json
//	@at 2026-06-15T12:00:00Z        the time of the call (default [At])
//	@url https://…                  the public URL that was called, or is to be registered
//	@body hex | base64 | crlf | raw/FILE   the body is written in hex or base64, has CRLF line ends, or is testdata/raw/FILE
//	@pulled                         a source fetched it: nothing proves its origin
//	@unproved REASON                the provider signs nothing
//
// In the head of request.http, {secret.NAME} stands for the channel's secret and {sign} for the signature over the
// whole request, computed by the [Proof] of that header or parameter. So bodies stay readable, and every case is signed
// afresh. In expected sections a secret is written as its place, {NAME}.
//
// go test -update rewrites the expected sections and the capability table of README.md.
package channeltest

import (
	"flag"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
)

var update = flag.Bool("update", false, "rewrite the expected sections of golden files and README tables")

// At is the time of every call that does not say another.
var At = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// Nonce is what Sign gets.
const Nonce = "0123456789abcdef0123456789abcdef"

// Proof says where a call carries the proof of its origin: in a header, in a query parameter or in a field of a form.
type Proof struct {
	Header string
	Query  string
	Form   string
	// Sign computes what {sign} stands for, from a call that is complete but for it. Nil: the value is a fixed secret.
	Sign func(ch channel.Keyed, in channel.Inbound) string
	// Loose proofs do not cover every byte of the body.
	Loose bool
}

// Option changes what Run checks. A [Proof] is one.
type Option interface{ apply(*runner) }

func (p Proof) apply(r *runner) { r.proofs = append(r.proofs, p) }

type option func(*runner)

func (o option) apply(r *runner) { o(r) }

// PeerScopedIDs says that the provider's message ids repeat across chats, so that another peer must give another event
// id.
func PeerScopedIDs() Option { return option(func(r *runner) { r.peerScoped = true }) }

// EmptyAnswers says that the provider's answer to a send carries nothing that must be readable.
func EmptyAnswers() Option { return option(func(r *runner) { r.emptyAnswers = true }) }

// Wrapped says how a body is put into a call of the provider, where that is more than a signature: so that what is encrypted is read, too.
// wrap is false for channels that take it as it is.
func Wrapped(wrap func(ch channel.Keyed, in channel.Inbound) (channel.Inbound, bool)) Option {
	return option(func(r *runner) { r.wrap = wrap })
}

// Run checks a against the golden files in testdata and against the rules of package channel.
func Run(t *testing.T, a channel.Adapter, opts ...Option) {
	r := newRunner(t, a, opts)
	r.bounded(t)
	t.Parallel()
	for _, kind := range []struct {
		dir string
		run func(*testing.T, *golden)
	}{{"inbound", r.inbound}, {"outbound", r.outbound}, {"media", r.media}, {"setup", r.setup}, {"token", r.token}, {"address", r.address}, {"profile", r.profile}, {"expiry", r.expiry}} {
		for _, c := range r.load(t, kind.dir) {
			t.Run(kind.dir+"/"+c.name, func(t *testing.T) {
				kind.run(t, c)
				c.save(t)
			})
		}
	}
	t.Run("info", r.info)
	t.Run("claims", r.claims)
	t.Run("identity", r.identity)
	t.Run("readme", r.readme)
	t.Run("hostile", r.hostile)
}

type runner struct {
	adapter      channel.Adapter
	proofs       []Proof
	peerScoped   bool
	emptyAnswers bool
	wrap         func(channel.Keyed, channel.Inbound) (channel.Inbound, bool)

	channels map[string]channel.Keyed
	accepted []read // inbound cases whose calls were accepted
	calls    []call // what was sent, with the message it belongs to
	asked    []ask  // whose profiles were asked for
	seen     map[string]bool
}

func newRunner(t testing.TB, a channel.Adapter, opts []Option) *runner {
	r := &runner{adapter: a, seen: map[string]bool{}}
	for _, o := range opts {
		o.apply(r)
	}
	r.channels = loadChannels(t)
	return r
}
