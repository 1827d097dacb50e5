package webhook

import (
	"net"
	"net/http"
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

// Allowed reports whether webhooks may go to a URL: only to this gateway, known by its public URL, and to this machine.
// Otherwise whoever may script the simulator could make it call anything in the network.
func Allowed(to, publicURL string) bool {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return false
	}
	if own, err := url.Parse(publicURL); err == nil && own.Host != "" && own.Scheme == u.Scheme && strings.EqualFold(own.Host, u.Host) {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
