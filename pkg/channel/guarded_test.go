package channel

import (
	"cmp"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// panicking is an adapter of every interface whose every method but Info panics with a message's text.
type panicking struct{}

const spilled = "text of a customer"

func (panicking) Info() Info                                        { return Info{Type: event.Telegram} }
func (panicking) Verify(Keyed, Inbound) error                       { panic(spilled) }
func (panicking) Parse(Keyed, Inbound) (Parsed, error)              { panic(spilled) }
func (panicking) Render(Channel, event.Outbound) ([]Request, error) { panic(spilled) }
func (panicking) Sign(Keyed, Request, time.Time, string) (Request, error) {
	panic(spilled)
}
func (panicking) Settle(Channel, event.Outbound, Request, Response) (Outcome, error) { panic(spilled) }
func (panicking) Named(Inbound) []Lookup                                             { panic(spilled) }
func (panicking) MediaRequest(Channel, event.Attachment, *Response) (Request, bool, error) {
	panic(spilled)
}
func (panicking) TokenRequest(Keyed, time.Time, string) (Request, error) { panic(spilled) }
func (panicking) ParseToken(Response) (string, time.Duration, error)     { panic(spilled) }
func (panicking) SetupRequests(Keyed, string) ([]Request, error)         { panic(spilled) }
func (panicking) ParseSetup(Response) error                              { panic(spilled) }
func (panicking) ProfileRequest(Channel, Who) (Request, bool)            { panic(spilled) }
func (panicking) ExpiryRequest(Keyed) (Request, bool)                    { panic(spilled) }
func (panicking) ParseExpiry(Response, time.Time) (time.Time, error)     { panic(spilled) }
func (panicking) Renewable() string                                      { panic(spilled) }
func (panicking) ParseRenewal(Response) string                           { panic(spilled) }
func (panicking) ParseProfile(Channel, Who, Response) (event.Profile, error) {
	panic(spilled)
}

// TestNoPanicOfAnAdapterLeavesItsGuard calls every method of every interface that the host uses.
func TestNoPanicOfAnAdapterLeavesItsGuard(t *testing.T) {
	kinds := map[string]fault.Kind{"Verify": fault.Denied, "Parse": fault.Invalid, "Sign": fault.Invalid, "Settle": fault.Unknown, "ParseProfile": fault.Unknown, "ParseExpiry": fault.Unknown, "ParseSetup": fault.Unknown}
	guard := reflect.ValueOf(Guard(panicking{}))
	for n := range guard.NumField() {
		field := guard.Field(n)
		if field.IsNil() {
			t.Errorf("%s is nil though the adapter implements it", guard.Type().Field(n).Name)
			continue
		}
		for m := range field.Type().NumMethod() {
			method := field.Type().Method(m)
			if method.Name == "Info" {
				continue
			}
			t.Run(method.Name, func(t *testing.T) {
				call := field.Elem().MethodByName(method.Name)
				var args []reflect.Value
				for i := range call.Type().NumIn() {
					args = append(args, reflect.Zero(call.Type().In(i)))
				}
				out := call.Call(args)
				err, isErr := out[len(out)-1].Interface().(error)
				if !isErr {
					if !out[0].IsZero() {
						t.Errorf("returns %v after a panic", out[0])
					}
					return
				}
				if k, want := fault.KindOf(err), cmp.Or(kinds[method.Name], fault.Internal); k != want {
					t.Errorf("kind %v, want %v", k, want)
				}
				if method.Name == "Verify" && errors.Is(err, ErrForged) { // no other answer may differ from it
					return
				}
				if strings.Contains(err.Error(), spilled) || !strings.Contains(err.Error(), "panicking."+method.Name) {
					t.Errorf("%q, want the place of the panic without its value", err)
				}
			})
		}
	}
}

func TestAGuardHasOnlyWhatItsAdapterHas(t *testing.T) {
	g := Guard(struct{ Adapter }{panicking{}})
	if g.AppLevel != nil || g.MediaFetcher != nil || g.TokenSource != nil || g.Setup != nil || g.Profiler != nil || g.Expirer != nil || g.Renewer != nil {
		t.Errorf("%+v, want no optional interface", g)
	}
}
