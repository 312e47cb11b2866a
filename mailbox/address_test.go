package mailbox

import (
	"testing"

	"golang.org/x/net/idna"
)

// FuzzPlainDomainsStayAsIDNAHasThem: where the tables of IDNA are spared, they
// would have said the same.
func FuzzPlainDomainsStayAsIDNAHasThem(f *testing.F) {
	for _, domain := range []string{"", ".", "example.com", "a..b", "-a-.de", "ab--c.de", "xn--mnchen-3ya.de", "xn--.com", "1.2.3.4",
		"a.very-long-label-that-is-more-than-sixty-three-octets-long-and-no-name-at-all.de"} {
		f.Add(domain)
	}
	f.Fuzz(func(t *testing.T, domain string) {
		if !isPlain(domain) {
			return
		}
		if ascii, err := idna.Lookup.ToASCII(domain); err == nil && ascii != domain {
			t.Errorf("%q is taken as it is; IDNA makes %q of it", domain, ascii)
		}
	})
}

// BenchmarkComplainant says whom a mail counts for, as a replay does ten
// million times.
func BenchmarkComplainant(b *testing.B) {
	mails := []Message{{From: Address{Addr: "anna.smith@web.de"}}, {From: Address{Addr: "u12345@gmail.com"}}, {From: Address{Addr: "u77@firm12.de"}}, {From: Address{Addr: "u78@outlook.com"}}}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		m := &mails[n%len(mails)]
		if m.Complainant() == "" || m.Organisation() == "example.com" {
			b.Fatal("nobody")
		}
	}
}
