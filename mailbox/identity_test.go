package mailbox

import "testing"

func TestASubjectIsKnownBehindItsPrefixes(t *testing.T) {
	tests := []struct {
		subject, base string
		answer        bool
	}{
		{"I can't log in", "i can't log in", false},
		{"Re: I can't log in", "i can't log in", true},
		{"RE: AW: I can't log in", "i can't log in", true},
		{"RE[2]: I can't log in", "i can't log in", true},
		{"Re(3): I can't log in", "i can't log in", true},
		{"SV: VS: Odp: R: I can't log in", "i can't log in", true},
		{"Antwort: I can't log in", "i can't log in", true},
		{"回复：登录问题", "登录问题", true},
		{"Re: [Acme #4711] I can't log in", "i can't log in", true},
		{"Fwd: Re: I can't log in", "i can't log in", true},
		{"WG: I can't log in", "i can't log in", false},
		{"Refund: not received", "refund: not received", false},
		{"[Acme] I can't log in", "[acme] i can't log in", false},
		{"Re:", "", true},
	}
	for _, tt := range tests {
		if base, answer := BaseSubject(tt.subject); base != tt.base || answer != tt.answer {
			t.Errorf("BaseSubject(%q) = %q, %v, want %q, %v", tt.subject, base, answer, tt.base, tt.answer)
		}
	}
}

func TestOnePersonIsOneComplainantWhateverTheProviderIgnores(t *testing.T) {
	tests := []struct{ addr, want string }{
		{"Anna.Miller+shop@gmail.com", "annamiller@gmail.com"},
		{"annamiller@googlemail.com", "annamiller@gmail.com"},
		{"anna.miller@outlook.com", "anna.miller@outlook.com"},
		{"anna+shop@OUTLOOK.com", "anna@outlook.com"},
		{"anna+1@hotmail.co.uk", "anna@hotmail.co.uk"},
		{"anna+1@icloud.com", "anna@icloud.com"},
		{"anna+1@me.com", "anna@icloud.com"},
		{"anna+1@fastmail.com", "anna@fastmail.com"},
		{"shop@anna.fastmail.com", "anna@fastmail.com"},
		{"an.na_m-x+1@pm.me", "annamx@proton.me"},
		{"anna-shop@yahoo.com", "anna@yahoo.com"},
		{"anna-shop@yahoo.co.uk", "anna@yahoo.co.uk"},
		{"anna.miller@ya.ru", "anna-miller@yandex.ru"},
		{"anna+shop@web.example", "anna+shop@web.example"},
		{"anna-maria@web.example", "anna-maria@web.example"},
		{"anna@müller.example", "anna@xn--mller-kva.example"},
		{"anna@XN--MLLER-KVA.example", "anna@xn--mller-kva.example"},
		{"anna@web.example.", "anna@web.example"},
		{"+tag@gmail.com", "+tag@gmail.com"},
		{"no address", "no address"},
	}
	for _, tt := range tests {
		m := Message{From: Address{Addr: tt.addr}}
		if got := m.Complainant(); got != tt.want {
			t.Errorf("Complainant of %s = %s, want %s", tt.addr, got, tt.want)
		}
		if m.From.Addr != tt.addr {
			t.Errorf("the address itself became %s", m.From.Addr)
		}
	}
}

func TestOrganisationIsWhatWasRegistered(t *testing.T) {
	tests := []struct{ addr, want string }{
		{"kim@mail.support.web.co.uk", "web.co.uk"},
		{"kim@web.com", "web.com"},
		{"kim@a.b.web.com.au", "web.com.au"},
		{"kim@gmail.com", ""},
		{"kim@web.de", ""},
		{"kim@shop.müller.de", "xn--mller-kva.de"},
		{"kim@co.uk", ""},
		{"kim@localhost", ""},
		{"kim", ""},
	}
	for _, tt := range tests {
		m := Message{From: Address{Addr: tt.addr}}
		if got := m.Organisation(); got != tt.want {
			t.Errorf("Organisation of %s = %q, want %q", tt.addr, got, tt.want)
		}
	}
}

func TestOnlyTheConfiguredServersResultsAreBelieved(t *testing.T) {
	tests := []struct {
		name, fields string
		want         Authentication
	}{
		{"none", "", AuthUnknown},
		{"dmarc pass", "Authentication-Results: mx.acme.example; dmarc=pass header.from=web.example\n", AuthPass},
		{"dmarc fail beats dkim", "Authentication-Results: mx.acme.example; dkim=pass header.d=web.example; dmarc=fail (p=none)\n", AuthFail},
		{"version and case", "Authentication-Results: MX.acme.example 1;\n\tDMARC=pass\n", AuthPass},
		{"method version, spaces", "Authentication-Results: mx.acme.example; dmarc/1 = pass\n", AuthPass},
		{"another server's", "Authentication-Results: mx.evil.example; dmarc=pass\n", AuthUnknown},
		{"forged below", "Authentication-Results: mx.acme.example; dmarc=fail\nAuthentication-Results: mx.acme.example; dmarc=pass\n", AuthFail},
		{"another's above ours", "Authentication-Results: mx.evil.example; dmarc=pass\nAuthentication-Results: mx.acme.example; dmarc=fail\n", AuthFail},
		{"pass in a comment", "Authentication-Results: mx.acme.example; dmarc=fail (dmarc=pass; dmarc=pass)\n", AuthFail},
		{"pass in a property", "Authentication-Results: mx.acme.example; spf=fail smtp.mailfrom=\"x; dmarc=pass\"@evil.example\n", AuthFail},
		{"name in the value", "Authentication-Results: mx.acme.example.evil.example; dmarc=pass\n", AuthUnknown},
		{"dkim of the sender's domain", "Authentication-Results: mx.acme.example; dkim=pass header.d=mail.web.example\n", AuthPass},
		{"dkim of another domain", "Authentication-Results: mx.acme.example; dkim=pass header.d=evil.example\n", AuthUnknown},
		{"spf of the sender's domain", "Authentication-Results: mx.acme.example; spf=pass smtp.mailfrom=bounce@web.example\n", AuthPass},
		{"spf fail, dkim pass", "Authentication-Results: mx.acme.example; spf=fail smtp.mailfrom=web.example; dkim=pass header.i=@web.example\n", AuthPass},
		{"spf softfail", "Authentication-Results: mx.acme.example; spf=softfail smtp.mailfrom=web.example\n", AuthFail},
		{"none found", "Authentication-Results: mx.acme.example; none\n", AuthUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := golden.Parse([]byte(tt.fields + "From: Anna <anna@web.example>\n\nx\n"))
			if m.Authenticated != tt.want {
				t.Errorf("Authenticated = %q, want %q", m.Authenticated, tt.want)
			}
		})
	}
	if m := Parse([]byte("Authentication-Results: mx.acme.example; dmarc=pass\nFrom: anna@web.example\n\nx")); m.Authenticated != AuthUnknown {
		t.Errorf("without a configured server, Authenticated = %q", m.Authenticated)
	}
}

func TestTheWriterIsFoundBehindFormsAndGroups(t *testing.T) {
	tests := []struct{ name, mail, from, via string }{
		{"person", "From: anna@web.example\nReply-To: other@web.example\n\nx", "anna@web.example", ""},
		{"form", "From: Website <noreply@form.example>\nReply-To: Kim <kim@web.example>\n\nx", "kim@web.example", "noreply@form.example"},
		{"own form", "From: Acme <support@acme.example>\nReply-To: kim@web.example\n\nx", "kim@web.example", "support@acme.example"},
		{"group of ours", "From: 'Kim' via Support <support@acme.example>\nX-Original-From: Kim <kim@web.example>\nReply-To: support@acme.example\nList-Id: <support.acme.example>\n\nx", "kim@web.example", "support@acme.example"},
		{"group, original sender", "From: 'Kim' via Support <support@acme.example>\nX-Original-Sender: kim@web.example\nList-Id: <support.acme.example>\n\nx", "kim@web.example", "support@acme.example"},
		{"service", "From: Kim via Acme Forms <mail@forms.example>\nReply-To: kim@web.example\n\nx", "kim@web.example", "mail@forms.example"},
		{"words of a form", "From: wordpress@acme.example\n\nName: Kim Lee\nE-mail: kim@web.example\nMessage: I was charged twice.", "kim@web.example", "wordpress@acme.example"},
		{"such words from a person", "From: anna@web.example\n\nName: Kim\nE-mail: kim@web.example\nMessage: x", "anna@web.example", ""},
		{"forged original", "From: anna@web.example\nX-Original-From: kim@web.example\n\nx", "anna@web.example", ""},
		{"answers go nowhere", "From: noreply@form.example\nReply-To: no-reply@form.example\n\nx", "noreply@form.example", ""},
		{"foreign list", "From: noreply@list.example\nReply-To: kim@web.example\nList-Id: <l.list.example>\n\nx", "noreply@list.example", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := golden.Parse([]byte(tt.mail))
			if m.From.Addr != tt.from || m.Via.Addr != tt.via {
				t.Errorf("From %q via %q, want %q via %q (%s: %s)", m.From.Addr, m.Via.Addr, tt.from, tt.via, m.Automated, m.Sign)
			}
		})
	}
}
