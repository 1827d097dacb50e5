package channel

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// defaultPorts of the schemes that a page's origin may have. Apps that show pages of their own use the last two.
var defaultPorts = map[string]int{"http": 80, "https": 443, "capacitor": 0, "ionic": 0}

var (
	hostLabel  = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)
	lastNumber = regexp.MustCompile(`^([0-9]+|0x[0-9a-f]*)$`)
	wildcard   = regexp.MustCompile(`^[a-z0-9_-][a-z0-9._-]*$`)
)

var (
	errOriginForm = errors.New("want an origin such as https://shop.example.com, https://*.example.com or http://localhost:8080")
	errOriginPath = errors.New("an origin is scheme, host and port alone, such as https://shop.example.com: leave path, query and user away")
	errOriginHost = errors.New("browsers never send this host: want the name of a host or a whole IP address")
	errOriginStar = errors.New("* stands only for whole names in front of a domain, as in https://*.example.com")
	errOriginPort = errors.New("want a port from 1 to 65535, or none")
)

// NormaliseOrigin brings an origin, or a pattern of origins, into the form in which browsers send the header Origin (RFC 6454
// §6.2): lower case, in ASCII, without a trailing slash and without the scheme's own port. What can equal no such header is an error.
func NormaliseOrigin(text string) (string, error) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(text), "://")
	scheme = strings.ToLower(scheme)
	port, known := defaultPorts[scheme]
	if !ok || !known {
		return "", errOriginForm
	}
	u, err := url.Parse(scheme + "://" + strings.ToLower(rest))
	switch {
	case strings.Contains(strings.TrimPrefix(rest, "*."), "*"):
		return "", errOriginStar
	case err != nil:
		return "", errOriginForm
	case u.User != nil, u.Path != "" && u.Path != "/", strings.ContainsAny(rest, "?#"):
		return "", errOriginPath
	}
	host, err := normaliseHost(u.Hostname())
	if err != nil {
		return "", err
	}
	if u.Port() == "" {
		return scheme + "://" + host, nil
	}
	n, err := strconv.Atoi(u.Port())
	switch {
	case err != nil, n < 1, n > 65535:
		return "", errOriginPort
	case n == port:
		return scheme + "://" + host, nil
	}
	return scheme + "://" + host + ":" + strconv.Itoa(n), nil
}

func normaliseHost(host string) (string, error) {
	if strings.Contains(host, ":") {
		ip, err := netip.ParseAddr(host)
		if err != nil || ip.Zone() != "" {
			return "", errOriginHost
		}
		return "[" + ip.String() + "]", nil
	}
	name, any := strings.CutPrefix(host, "*.")
	name, err := asciiHost(name)
	if err != nil {
		return "", errOriginHost
	}
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	if any && len(labels) < 2 {
		return "", errOriginStar
	}
	for _, l := range labels {
		if !hostLabel.MatchString(l) {
			return "", errOriginHost
		}
	}
	if lastNumber.MatchString(labels[len(labels)-1]) { // browsers read such a name as an IPv4 address
		if ip, err := netip.ParseAddr(name); err != nil || any || ip.String() != name {
			return "", errOriginHost
		}
	}
	if len(name) > 253 {
		return "", errOriginHost
	}
	if any {
		name = "*." + name
	}
	return name, nil
}

// asciiHost returns a name as browsers write it: labels in other scripts as xn--… (UTS 46, non-transitional).
func asciiHost(name string) (string, error) {
	if !strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return name, nil
	}
	return idna.Lookup.ToASCII(name)
}

// MatchesOrigin reports whether an allowed origin, or a pattern of them, is the one that a browser sent. A pattern
// https://*.example.com stands for every name below example.com, and not for example.com.
func MatchesOrigin(allowed, sent string) bool {
	if allowed == sent {
		return true
	}
	allowed, err := NormaliseOrigin(allowed) // lists of earlier versions were kept as they came
	if err != nil {
		return false
	}
	before, after, pattern := strings.Cut(allowed, "*")
	if !pattern {
		return allowed == sent
	}
	name, ok := strings.CutPrefix(sent, before)
	if !ok {
		return false
	}
	name, ok = strings.CutSuffix(name, after)
	return ok && wildcard.MatchString(name)
}
