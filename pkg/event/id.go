package event

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

var base = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// DeriveID returns prefix_ + 26 characters that depend on all parts and nothing else (the first 128 bits of SHA-256 over the
// length-prefixed parts), so that whatever is derived twice is the same thing. The first part should be the tenant.
func DeriveID(prefix string, parts ...string) string {
	return prefix + "_" + Hash(parts...)
}

// Hash is the part of a derived id behind its prefix.
func Hash(parts ...string) string {
	n := 0
	for _, p := range parts {
		n += 4 + len(p)
	}
	buf := make([]byte, 0, n)
	for _, p := range parts {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(p)))
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	return base.EncodeToString(sum[:16])
}

// Key joins the parts of a partition key; a vertical bar inside a part is escaped so that two keys never meet.
func Key(parts ...string) string {
	for i, p := range parts {
		if strings.ContainsAny(p, `|\`) {
			parts[i] = strings.NewReplacer(`\`, `\\`, `|`, `\|`).Replace(p)
		}
	}
	return strings.Join(parts, "|")
}
