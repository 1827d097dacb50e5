package httpapi

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// Merge joins the OpenAPI documents of several services into one. Paths and components of the same name must not differ.
func Merge(docs ...[]byte) ([]byte, error) {
	out := map[string]any{}
	for _, doc := range docs {
		var m map[string]any
		if err := yaml.Unmarshal(doc, &m); err != nil {
			return nil, fmt.Errorf("openapi: %w", err)
		}
		if err := merge(out, m, ""); err != nil {
			return nil, err
		}
	}
	if info, ok := out["info"].(map[string]any); ok {
		info["title"] = "Tributary API"
	}
	return yaml.Marshal(out)
}

func merge(into, from map[string]any, at string) error {
	for k, v := range from {
		have, ok := into[k]
		if !ok {
			into[k] = v
			continue
		}
		a, aok := have.(map[string]any)
		b, bok := v.(map[string]any)
		switch {
		case aok && bok:
			if err := merge(a, b, at+"/"+k); err != nil {
				return err
			}
		case at == "" && k == "tags":
			into[k] = append(have.([]any), v.([]any)...)
		case strings.HasPrefix(at, "/components") && fmt.Sprint(have) != fmt.Sprint(v):
			return fmt.Errorf("openapi: two services describe %s/%s differently", at, k)
		}
	}
	return nil
}
