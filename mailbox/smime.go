package mailbox

import "bytes"

// signedDataOID names signed-data (RFC 5652 section 5.1), as it stands in an
// object: 1.2.840.113549.1.7.2.
var signedDataOID = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}

// signedData is what an opaque signature of S/MIME signs; nil if there is
// none. The signature is not checked: whom to believe is said by the mail
// server. encoding/asn1 reads DER only, and programs that sign while they send
// write lengths that are not known beforehand (BER).
func signedData(b []byte) []byte {
	info, _, ok := readBER(b, 0)
	if !ok {
		return nil
	}
	oid, rest, ok := readBER(info.content, 0)
	if !ok || !bytes.Equal(oid.content, signedDataOID) {
		return nil
	}
	explicit, _, _ := readBER(rest, 0)
	signed, _, _ := readBER(explicit.content, 0)
	_, rest, _ = readBER(signed.content, 0) // version
	_, rest, _ = readBER(rest, 0)           // digest algorithms
	encap, _, _ := readBER(rest, 0)
	_, rest, _ = readBER(encap.content, 0) // its type
	explicit, _, ok = readBER(rest, 0)
	if !ok {
		return nil // a detached signature
	}
	octets, _, _ := readBER(explicit.content, 0)
	return octets.octets(nil, 0)
}

// maxBER is how deep an object may nest.
const maxBER = 16

// element is one value of BER (X.690 section 8.1).
type element struct {
	constructed bool
	content     []byte
}

// readBER reads the first value in b and returns what follows it. A value that
// is cut off is read as far as it goes.
func readBER(b []byte, depth int) (e element, rest []byte, ok bool) {
	if len(b) < 2 || depth > maxBER || b[0]&0x1f == 0x1f {
		return e, nil, false
	}
	e.constructed = b[0]&0x20 != 0
	n := int(b[1])
	b = b[2:]
	switch {
	case n == 0x80:
		for at := b; ; {
			if len(at) < 2 || at[0] == 0 && at[1] == 0 {
				e.content = b[:len(b)-len(at)]
				return e, at[min(2, len(at)):], true
			}
			if _, at, ok = readBER(at, depth+1); !ok {
				e.content = b
				return e, nil, true
			}
		}
	case n > 0x80:
		size := n & 0x7f
		if size > 4 || size > len(b) {
			return e, nil, false
		}
		n = 0
		for _, c := range b[:size] {
			n = n<<8 | int(c)
		}
		b = b[size:]
	}
	n = min(n, len(b))
	e.content = b[:n]
	return e, b[n:], true
}

// octets adds an octet string, which may be in pieces, to out.
func (e element) octets(out []byte, depth int) []byte {
	if !e.constructed {
		return append(out, e.content...)
	}
	for rest := e.content; len(rest) > 0 && depth < maxBER; {
		piece, after, ok := readBER(rest, depth+1)
		if !ok {
			break
		}
		out = piece.octets(out, depth+1)
		rest = after
	}
	return out
}
