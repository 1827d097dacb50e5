// Package label maps what strangers choose to the closed sets that labels of metrics are from: every other value would be a series
// of its own, kept for the life of the process.
package label

import "net/http"

// Method is an HTTP method, or _OTHER for one that is made up, as the semantic conventions of OpenTelemetry have it.
func Method(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return "_OTHER"
}

// Status is an HTTP status that is registered, or the first of its class, as RFC 9110 §15 has clients treat it; 0 is outside of the
// five classes.
func Status(code int) int {
	switch {
	case code < 100 || code > 599:
		return 0
	case http.StatusText(code) == "":
		return code / 100 * 100
	}
	return code
}
