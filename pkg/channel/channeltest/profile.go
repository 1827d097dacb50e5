package channeltest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ask is a profile that was asked for.
type ask struct {
	ch  channel.Channel
	who channel.Who
}

// profile shows what the provider is asked about somebody, and what its answer says.
func (r *runner) profile(t *testing.T, c *golden) {
	p, ok := r.adapter.(channel.Profiler)
	if !ok {
		t.Fatal("the adapter is no Profiler")
	}
	r.seen["profiles"] = true
	var who channel.Who
	dec := json.NewDecoder(bytes.NewReader(c.section(t, "who.json")))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&who); err != nil {
		t.Fatalf("%s: who.json: %v", c.path, err)
	}
	var out struct {
		Asked   bool           `json:"asked"`
		Profile *event.Profile `json:"profile,omitempty"`
		Error   *shownError    `json:"error,omitempty"`
	}
	req, asked := p.ProfileRequest(c.ch.Channel, who)
	if out.Asked = asked; asked {
		r.shows(t, c, 1, req)
		if !req.Safe {
			t.Error("a profile's request must be safe to repeat")
		}
		r.asked = append(r.asked, ask{c.ch.Channel, who})
		got, err := p.ParseProfile(c.ch.Channel, who, c.response(t, 1, req.Tag))
		if err != nil {
			out.Error = showError("profile", err)
		} else {
			out.Profile = &got
		}
	}
	c.want(t, "outcome.json", pretty(t, out))
}

// profiles reads what a broken provider might say of somebody. Only a success has a profile, and a 5xx or an answer that cannot be read
// must not be remembered as the provider's word.
func (r *runner) profiles(t *testing.T, a ask) {
	p := r.adapter.(channel.Profiler)
	for _, status := range []int{200, 204, 301, 400, 401, 403, 404, 429, 500, 503} {
		for _, body := range append([][]byte{[]byte("<html>oops</html>")}, junk...) {
			resp := channel.Response{Status: status, Header: channel.Header{}, Body: body}
			got, err := p.ParseProfile(a.ch, a.who, resp)
			if again, _ := p.ParseProfile(a.ch, a.who, resp); !reflect.DeepEqual(got, again) {
				t.Errorf("a second look at status %d with %.20q gave another profile", status, body)
			}
			remembered := fault.Is(err, fault.Gone) || fault.Is(err, fault.Invalid)
			switch {
			case err == nil && status != 200:
				t.Errorf("status %d with %.20q is the profile %+v", status, body, got)
			case remembered && (status >= 500 || status < 300 && !json.Valid(body)):
				t.Errorf("status %d with %.20q is %v: that would be remembered", status, body, err)
			}
		}
	}
}
