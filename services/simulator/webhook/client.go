package webhook

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Client is an HTTP client for webhooks: many connections to one host, no proxy, no redirects.
func Client() *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConns:        2 * workers,
			MaxIdleConnsPerHost: 2 * workers,
			IdleConnTimeout:     30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Allowed reports whether webhooks may go to a URL: only to this gateway, known by its public URL, whatever name of this machine
// stands there, and to what lets others of this machine be called besides. Otherwise whoever may script the simulator could make
// it call anything on this machine and in the network.
func Allowed(to, publicURL string, permitted func(netip.AddrPort) bool) bool {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return false
	}
	own, err := url.Parse(publicURL)
	if err == nil && own.Host != "" && own.Scheme == u.Scheme && strings.EqualFold(own.Host, u.Host) {
		return true
	}
	at, ok := loopback(u)
	if !ok {
		return false
	}
	if err == nil && own.Scheme == u.Scheme {
		if mine, ok := loopback(own); ok && mine.Port() == at.Port() {
			return true
		}
	}
	return permitted(at)
}

// loopback is the address of this machine that a URL names, if it names one.
func loopback(u *url.URL) (at netip.AddrPort, ok bool) {
	host, port := u.Hostname(), u.Port()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	at, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	return at, err == nil && at.Addr().Unmap().IsLoopback()
}
