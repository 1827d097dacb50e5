package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// JSON writes what a provider posts, with characters as they are. It panics for what cannot be JSON, which no input leads to.
func JSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("webhook: %v", err)) // the simulator's own types: cannot fail
	}
	return bytes.TrimSpace(b.Bytes())
}

// ASCII writes it with everything beyond ASCII as \uXXXX in lower case, as some providers do: whoever parses and writes it again before
// checking a signature gets another text.
func ASCII(v any) []byte {
	text := string(JSON(v))
	var out strings.Builder
	out.Grow(len(text) + 64)
	for _, r := range text {
		if r < 0x80 {
			out.WriteByte(byte(r))
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&out, `\u%04x`, u)
		}
	}
	return []byte(out.String())
}
