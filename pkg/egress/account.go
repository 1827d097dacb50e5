package egress

import "net/http"

// Account makes the calls of one account in the shape that other packages want: Do and RoundTrip are the same. The body of an answer
// is not capped; whoever reads it does that. Redirects are answers.
type Account struct {
	client *Client
	name   string
}

// For returns the calls of an account; the empty name has no breaker.
func (c *Client) For(account string) Account { return Account{c, account} }

// Do makes a call with the errors of Client.Do.
func (a Account) Do(req *http.Request) (*http.Response, error) {
	return a.client.send(req.Context(), Call{Account: a.name, Request: req})
}

// RoundTrip implements http.RoundTripper.
func (a Account) RoundTrip(req *http.Request) (*http.Response, error) { return a.Do(req) }

// HTTP is an http.Client on the account for libraries that want one. It follows no redirects.
func (a Account) HTTP() *http.Client {
	return &http.Client{Transport: a, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
