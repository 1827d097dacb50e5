package facebook

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// utility is a message that Meta has approved, which may be sent at any time
// (https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages/utility-messages).
type utility struct {
	Name       string      `json:"name"`
	Language   language    `json:"language"`
	Components []component `json:"components,omitempty"`
}

type language struct {
	Code string `json:"code"`
}

type component struct {
	Type       string      `json:"type"`
	SubType    string      `json:"sub_type,omitempty"`
	Index      string      `json:"index,omitempty"`
	Parameters []parameter `json:"parameters,omitempty"`
}

type parameter struct {
	Type    string `json:"type"`
	Name    string `json:"parameter_name,omitempty"`
	Text    string `json:"text,omitempty"`
	Payload string `json:"payload,omitempty"`
}

// receiptName is the template that is no approved message but Meta's layout of a receipt.
const receiptName = "receipt"

// ofReceipts are the components that only a receipt has.
var ofReceipts = []string{"order", "address", "summary", "item"}

func isReceipt(t *event.Template) bool { return t != nil && t.Name == receiptName }

// templatePart fills an approved message, or a receipt.
func templatePart(msg event.Outbound) ([]part, error) {
	t := msg.Content.Template
	for n, c := range t.Components {
		if own := slices.Contains(ofReceipts, c.Type); own != isReceipt(t) {
			return nil, fault.At(fmt.Sprintf("/template/components/%d/type", n), "template_component",
				"the template %q on Facebook has no component %q; the components %s are those of the template %s", t.Name, c.Type, strings.Join(ofReceipts, ", "), receiptName)
		}
	}
	if isReceipt(t) {
		r, err := receiptOf(t)
		if err != nil {
			return nil, err
		}
		return []part{{draw: func(meta.Reference) outgoing {
			return outgoing{Attachment: &meta.OutAttachment{Type: "template", Payload: r}}
		}}}, nil
	}
	u := &utility{Name: t.Name, Language: language{t.Language}}
	for _, c := range t.Components {
		out := component{Type: c.Type, SubType: c.SubType, Index: c.Index}
		for _, p := range c.Parameters {
			out.Parameters = append(out.Parameters, parameter{Type: p.Type, Name: p.Name, Text: p.Text, Payload: p.Payload})
		}
		u.Components = append(u.Components, out)
	}
	return []part{{draw: func(meta.Reference) outgoing { return outgoing{Template: u} }}}, nil
}

// receipt is Meta's layout of what was bought (https://developers.facebook.com/docs/messenger-platform/send-messages/template/receipt).
type receipt struct {
	Type      string            `json:"template_type"`
	Recipient string            `json:"recipient_name"`
	Number    string            `json:"order_number"`
	Currency  string            `json:"currency"`
	Payment   string            `json:"payment_method"`
	URL       string            `json:"order_url,omitempty"`
	Timestamp string            `json:"timestamp,omitempty"`
	Address   map[string]string `json:"address,omitempty"`
	Summary   map[string]amount `json:"summary"`
	Items     []bought          `json:"elements,omitempty"`
}

type bought struct {
	Title    string `json:"title"`
	Subtitle string `json:"subtitle,omitempty"`
	Quantity amount `json:"quantity,omitempty"`
	Price    amount `json:"price"`
	Currency string `json:"currency,omitempty"`
	Image    string `json:"image_url,omitempty"`
}

// amount is a number as it was written: money is not rounded.
type amount string

// MarshalJSON implements json.Marshaler.
func (a amount) MarshalJSON() ([]byte, error) { return []byte(a), nil }

// receiptFields are the named parameters of a receipt's components; those with a mark are needed, and numbers are numbers.
var receiptFields = map[string]map[string]field{
	"order": {
		"recipient_name": {needed: true}, "order_number": {needed: true}, "currency": {needed: true}, "payment_method": {needed: true},
		"order_url": {}, "timestamp": {},
	},
	"address": {
		"street_1": {needed: true}, "street_2": {}, "city": {needed: true}, "postal_code": {needed: true}, "state": {needed: true}, "country": {needed: true},
	},
	"summary": {
		"total_cost": {needed: true, number: true}, "subtotal": {number: true}, "shipping_cost": {number: true}, "total_tax": {number: true},
	},
	"item": {
		"title": {needed: true}, "price": {needed: true, number: true}, "quantity": {number: true}, "subtitle": {}, "currency": {}, "image_url": {},
	},
}

type field struct{ needed, number bool }

// receiptOf reads a receipt out of the components of its template.
func receiptOf(t *event.Template) (receipt, error) {
	out, had := receipt{Type: receiptName}, map[string]bool{}
	for n, c := range t.Components {
		at := fmt.Sprintf("/template/components/%d", n)
		v, err := named(c, at)
		if err != nil {
			return out, err
		}
		if c.Type != "item" && had[c.Type] {
			return out, fault.At(at, "template_component", "a receipt on Facebook has one component %s", c.Type)
		}
		had[c.Type] = true
		switch c.Type {
		case "order":
			out.Recipient, out.Number, out.Currency, out.Payment = v["recipient_name"], v["order_number"], v["currency"], v["payment_method"]
			out.URL, out.Timestamp = v["order_url"], v["timestamp"]
		case "address":
			out.Address = v
		case "summary":
			out.Summary = map[string]amount{}
			for k, text := range v {
				out.Summary[k] = amount(text)
			}
		case "item":
			out.Items = append(out.Items, bought{
				Title: v["title"], Subtitle: v["subtitle"], Quantity: amount(v["quantity"]), Price: amount(v["price"]), Currency: v["currency"], Image: v["image_url"],
			})
		}
	}
	if !had["order"] || !had["summary"] {
		return out, fault.At("/template/components", "template_component", "a receipt on Facebook needs the components order and summary")
	}
	if len(out.Items) > 100 {
		return out, fault.At("/template/components", "template_component", "a receipt on Facebook has at most 100 items, this one has %d", len(out.Items))
	}
	return out, nil
}

// named reads the parameters of a receipt's component by their names.
func named(c event.Component, at string) (map[string]string, error) {
	fields, out := receiptFields[c.Type], map[string]string{}
	for k, p := range c.Parameters {
		f, known := fields[p.Name]
		here := fmt.Sprintf("%s/parameters/%d", at, k)
		switch {
		case !known || out[p.Name] != "":
			return nil, fault.At(here+"/parameter_name", "template_parameter", "the component %s of a receipt takes each of these names once: %s", c.Type, names(fields))
		case f.number && !isNumber(p.Text):
			return nil, fault.At(here+"/text", "template_parameter", "want a number such as 12.50")
		}
		out[p.Name] = p.Text
	}
	for name, f := range fields {
		if f.needed && out[name] == "" {
			return nil, fault.At(at+"/parameters", "template_parameter", "the component %s of a receipt needs these parameters: %s", c.Type, needed(fields))
		}
	}
	return out, nil
}

// isNumber reports whether a text is a decimal number in JSON.
func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	digits := strings.TrimPrefix(text, "-")
	return err == nil && strings.Trim(digits, "0123456789.") == "" && digits[0] != '.' && digits[len(digits)-1] != '.' &&
		(digits[0] != '0' || len(digits) == 1 || digits[1] == '.')
}

func names(fields map[string]field) string {
	out := make([]string, 0, len(fields))
	for name := range fields {
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func needed(fields map[string]field) string {
	out := map[string]field{}
	for name, f := range fields {
		if f.needed {
			out[name] = f
		}
	}
	return names(out)
}
