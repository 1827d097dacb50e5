package address_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/address"
	"github.com/tributaryhq/tributary/pkg/fault"
)

var phone = channel.AddressForm{Kind: channel.AddressPhone, Country: "default_country", Example: "+49 151 10000001"}

func TestAPhoneNumberIsReadInEverySpelling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ country, text, want string }{
		{"", "+4915110000001", "4915110000001"},
		{"", "+49 151 1000-0001", "4915110000001"},
		{"", "+49 (151) 10000001", "4915110000001"},
		{"", "+49 (0) 151 10000001", "4915110000001"},
		{"", "+49.151/1000 0001", "4915110000001"},
		{"", "0049 151 10000001", "4915110000001"},
		{"", "4915110000001", "4915110000001"}, // as providers write it
		{"", "+\u0664\u0669 \u0661\u0665\u0661 \u0661\u0660\u0660\u0660\u0660\u0660\u0660\u0661", "4915110000001"},
		{"", "＋49\u00a0151\u202f10000001", "4915110000001"},
		{"DE", "0151 10000001", "4915110000001"},
		{"de", "15110000001", "4915110000001"},
		{"DE", "4915110000001", "4915110000001"},
		{"US", "(650) 253-0000", "16502530000"},
		{"US", "1 650 253 0000", "16502530000"},
		{"US", "4915110000001", "4915110000001"},
		{"US", "+4915110000001", "4915110000001"},
		{"AR", "011 15-2345-6789", "5491123456789 541123456789"},
		{"", "+39 02 1234 5678", "390212345678"}, // the zero is a part of Italian numbers
		{"", "+1 555 000 1111", "15550001111"},   // no such area, but the length is right
		{"", "5511987650011", "5511987650011 551187650011"},
		{"", "551187650011", "551187650011 5511987650011"},
		{"", "525512340012", "525512340012 5215512340012"},
		{"", "+52 1 55 1234 0012", "525512340012 5215512340012"},
		{"", "+54 9 11 2345 6789", "5491123456789 541123456789"},

		{"", "0151 10000001", ""}, // of which country?
		{"", "+49151", ""},
		{"", "+491511000000100000", ""},
		{"", "\u0664\u0669\u0661\u0665\u0661", ""},
		{"", "+999 123456789", ""},
		{"", "hello", ""},
		{"", "+", ""},
		{"", "1-800-FLOWERS", ""},
		{"", "4915110000004@s.whatsapp.net", ""},
		{"", "+49 151 10000001 ext 5", ""},
		{"DE", "110", ""},
	} {
		info := channel.Info{Title: "Toy", Addresses: []channel.AddressForm{phone}}
		p, err := address.Read(info, channel.Settings{"default_country": c.country}, "/peer", c.text)
		got := strings.Join(append([]string{p.Peer}, p.Aliases...), " ")
		if err != nil {
			got = ""
		}
		if got != c.want {
			t.Errorf("%q in %q: got %q (%v), want %q", c.text, c.country, got, err, c.want)
		}
		if fe := fault.Of(err); err != nil && (fe.Kind != fault.Invalid || fe.Pointer != "/peer" || !strings.Contains(err.Error(), phone.Example)) {
			t.Errorf("%q: the refusal %v does not point at /peer, or does not show the form", c.text, err)
		}
	}
}

func TestTheFirstFormThatFitsIsTaken(t *testing.T) {
	t.Parallel()
	info := channel.Info{Addresses: []channel.AddressForm{
		{Kind: channel.AddressPhone, Plus: true}, {Kind: channel.AddressEmail}, {Kind: channel.AddressUsername, Known: true},
		{Kind: channel.AddressID, Pattern: `[A-Z]{2}\.[0-9]+`}, {Kind: channel.AddressID, Pattern: `GRP[0-9]+|[0-9]{18}`, Known: true},
	}}
	for _, c := range []struct {
		text string
		want channel.Person
	}{
		{" +4915110000001 ", channel.Person{Peer: "+4915110000001"}},
		{"5511987650011", channel.Person{Peer: "+5511987650011", Aliases: []string{"+551187650011"}}},
		{"Ann.B@Shop.Example", channel.Person{Peer: "Ann.B@shop.example"}},
		{"@zed.z", channel.Person{Username: "zed.z", Known: true}},
		{"EG.123", channel.Person{Peer: "EG.123"}},
		{"GRP77", channel.Person{Peer: "GRP77", Known: true}},
		{"120363041234567890", channel.Person{Peer: "120363041234567890", Known: true}}, // too long for a number
		{"eg.123", channel.Person{}},
		{"xEG.123", channel.Person{}},
		{"GRP77x", channel.Person{}},
		{"Ann <ann@shop.example>", channel.Person{}},
		{"a@", channel.Person{}},
		{"@", channel.Person{}},
		{"@a b", channel.Person{}},
		{"", channel.Person{}},
		{"EG.1\x002", channel.Person{}},
		{"EG." + strings.Repeat("1", 400), channel.Person{}},
	} {
		p, err := address.Read(info, nil, "/peer", c.text)
		if p.Peer != c.want.Peer || p.Username != c.want.Username || p.Known != c.want.Known || !slices.Equal(p.Aliases, c.want.Aliases) {
			t.Errorf("%q: got %+v (%v), want %+v", c.text, p, err, c.want)
		}
		if refused := c.want.Peer+c.want.Username == ""; refused != (err != nil) || (refused && fault.Of(err).Pointer != "/peer") {
			t.Errorf("%q: got the error %v", c.text, err)
		}
	}
}

// A type that was announced before there were forms takes what it took then.
func TestATypeOfAnEarlierVersionTakesAnyID(t *testing.T) {
	t.Parallel()
	if p, err := address.Read(channel.Info{}, nil, "/peer", " abc "); err != nil || p.Peer != "abc" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func FuzzRead(f *testing.F) {
	info := channel.Info{Addresses: []channel.AddressForm{phone, {Kind: channel.AddressEmail}, {Kind: channel.AddressUsername}}}
	for _, text := range []string{"+49 151 10000001", "(650) 253-0000", "a@b.example", "@ann", "٤٩١٥١", "0044", "\xff"} {
		f.Add("US", text)
	}
	f.Fuzz(func(t *testing.T, country, text string) {
		p, err := address.Read(info, channel.Settings{"default_country": country}, "/peer", text)
		if err != nil {
			return
		}
		again, err := address.Read(info, channel.Settings{"default_country": country}, "/peer", "+"+p.Peer)
		if isPhone := strings.Trim(p.Peer, "0123456789") == "" && p.Peer != ""; isPhone && (err != nil || again.Peer != p.Peer) {
			t.Errorf("%q was read as %s, which is read as %s (%v)", text, p.Peer, again.Peer, err)
		}
	})
}
