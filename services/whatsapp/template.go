package whatsapp

import (
	"fmt"
	"strings"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

type outTemplate struct {
	Name       string         `json:"name"`
	Language   language       `json:"language"`
	Components []outComponent `json:"components,omitempty"`
}

type language struct {
	Code string `json:"code"`
}

type outComponent struct {
	Type       string         `json:"type"`
	SubType    string         `json:"sub_type,omitempty"`
	Index      string         `json:"index,omitempty"`
	Parameters []outParameter `json:"parameters,omitempty"`
}

type outParameter struct {
	Type     string    `json:"type"`
	Name     string    `json:"parameter_name,omitempty"`
	Text     string    `json:"text,omitempty"`
	Payload  string    `json:"payload,omitempty"`
	Image    *outMedia `json:"image,omitempty"`
	Video    *outMedia `json:"video,omitempty"`
	Document *outMedia `json:"document,omitempty"`
}

// templateParts names an approved template and fills its places; files among them are uploaded first, one after the other.
func templateParts(t *event.Template) ([]part, error) {
	if t.Name == "" || len(t.Name) > 512 || strings.Trim(t.Name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return nil, fault.At("/template/name", "template_name", "a template's name has 1 to 512 of a–z, 0–9 and _")
	}
	if t.Language == "" {
		return nil, fault.At("/template/language", "template_language", "give the language that the template was approved in")
	}
	p := part{}
	out := &outTemplate{Name: t.Name, Language: language{t.Language}}
	for i, c := range t.Components {
		oc := outComponent{Type: c.Type, SubType: c.SubType, Index: c.Index}
		for k, param := range c.Parameters {
			op, files, err := parameter(param, fmt.Sprintf("/template/components/%d/parameters/%d", i, k))
			if err != nil {
				return nil, err
			}
			oc.Parameters = append(oc.Parameters, op)
			p.files = append(p.files, files...)
		}
		out.Components = append(out.Components, oc)
	}
	p.body = outgoing{Type: "template", Template: out}
	return []part{p}, nil
}

func parameter(p event.Parameter, at string) (outParameter, []file, error) {
	out := outParameter{Type: p.Type, Name: p.Name, Text: p.Text, Payload: p.Payload}
	var into **outMedia
	switch p.Type {
	case "text", "payload":
		return out, nil, nil
	case "image":
		into = &out.Image
	case "video":
		into = &out.Video
	case "document":
		into = &out.Document
	default:
		return out, nil, fault.At(at+"/type", "template_parameter", "parameters are text, payload, image, video or document, not %q", p.Type)
	}
	if p.Attachment == nil {
		return out, nil, fault.At(at+"/attachment", "attachment_empty", "a parameter of type %s needs an attachment", p.Type)
	}
	m, files, err := reference(*p.Attachment, at+"/attachment")
	if err != nil {
		return out, nil, err
	}
	if p.Type == "document" {
		m.Filename = p.Attachment.Name
	}
	*into = m
	return out, files, nil
}
