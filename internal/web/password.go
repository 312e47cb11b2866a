package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id: the second recommended option of RFC 9106 section 4.
const (
	hashTime    = 3
	hashMemory  = 64 << 10 // KiB
	hashThreads = 4
	hashLen     = 32
	maxPassword = 1024
)

// HashPassword makes the hash to put into the configuration, in the PHC string
// format.
func HashPassword(password string) (string, error) {
	if len(password) > maxPassword {
		return "", fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	return formatHash(salt, argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashThreads, hashLen)), nil
}

func formatHash(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashTime, hashThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

// hash is a parsed password hash.
type hash struct {
	time, memory uint32
	threads      uint8
	salt, key    []byte
}

func parseHash(s string) (h hash, err error) {
	bad := fmt.Errorf("the password hash is not one of \"tocsin passwd\"")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return h, bad
	}
	var v int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &v); err != nil || v != argon2.Version {
		return h, bad
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return h, bad
	}
	if h.memory < 8 || h.memory > 1<<20 || h.time < 1 || h.time > 20 || h.threads < 1 {
		return h, bad
	}
	b64 := base64.RawStdEncoding
	if h.salt, err = b64.DecodeString(parts[4]); err != nil {
		return h, bad
	}
	if h.key, err = b64.DecodeString(parts[5]); err != nil || len(h.key) < 16 || len(h.key) > 64 {
		return h, bad
	}
	return h, nil
}

func (h *hash) matches(password string) bool {
	if len(password) > maxPassword {
		return false
	}
	key := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1
}
