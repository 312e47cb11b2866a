package imaptest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Add puts a mail into the INBOX and returns its UID. A waiting client is not
// told.
func (f *Fake) Add(mail string) uint32 {
	uid := f.next()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mails[uid] = mail
	return uid
}

// Delete removes a mail.
func (f *Fake) Delete(uid uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.mails, uid)
}

// Mail returns a mail.
func (f *Fake) Mail(uid uint32) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mails[uid]
}

// uids are in order; a mail's sequence number is its UID, for no test needs
// the difference but one, which deletes from the end.
func (f *Fake) uids() []uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	var uids []uint32
	for u := range f.mails {
		uids = append(uids, u)
	}
	slices.Sort(uids)
	return uids
}

func (f *Fake) next() uint32 {
	uids := f.uids()
	if len(uids) == 0 {
		return 1
	}
	return uids[len(uids)-1] + 1
}

// within lists the UIDs of a set as in "1:3,7" or "4:*".
func (f *Fake) within(set string) []uint32 {
	all := f.uids()
	var out []uint32
	for part := range strings.SplitSeq(set, ",") {
		from, to, ranged := strings.Cut(part, ":")
		lo, _ := strconv.ParseUint(from, 10, 32)
		hi, _ := strconv.ParseUint(to, 10, 32)
		if !ranged {
			hi = lo
		}
		for i, u := range all {
			last := i == len(all)-1
			if (uint64(u) >= lo && (to == "*" || uint64(u) <= hi)) || (to == "*" && last) {
				out = append(out, u)
			}
		}
	}
	return out
}

// search knows UID sets only.
func (c *FakeConn) search(criteria string) string {
	set := "1:*"
	fields := strings.Fields(criteria)
	for i, w := range fields {
		if w == "UID" && i+1 < len(fields) {
			set = fields[i+1]
		}
	}
	var b strings.Builder
	for _, u := range c.f.within(set) {
		fmt.Fprintf(&b, " %d", u)
	}
	return b.String()
}

// FetchAll answers a FETCH of items, upper case, for each UID.
func (c *FakeConn) FetchAll(uids []uint32, items string) {
	for _, u := range uids {
		c.Send("%s", c.FetchLine(u, items))
	}
}

// FetchLine is the answer to a FETCH of one mail: UID first, as most servers
// do.
func (c *FakeConn) FetchLine(uid uint32, items string) string {
	mail := c.f.Mail(uid)
	var b strings.Builder
	fmt.Fprintf(&b, "* %d FETCH (UID %d", uid, uid)
	if strings.Contains(items, "RFC822.SIZE") {
		fmt.Fprintf(&b, " RFC822.SIZE %d", len(mail))
	}
	if strings.Contains(items, "INTERNALDATE") {
		b.WriteString(` INTERNALDATE "24-Nov-2026 10:00:00 +0000"`)
	}
	if strings.Contains(items, "BODYSTRUCTURE") {
		_, body, _ := strings.Cut(mail, "\r\n\r\n")
		fmt.Fprintf(&b, ` BODYSTRUCTURE ("text" "plain" ("charset" "utf-8") NIL NIL "7bit" %d 1)`, len(body))
	}
	header, body, _ := strings.Cut(mail, "\r\n\r\n")
	for _, s := range []struct{ name, text string }{
		{"BODY.PEEK[]", mail}, {"BODY.PEEK[HEADER]", header + "\r\n\r\n"}, {"BODY.PEEK[TEXT]", body},
	} {
		_, after, ok := strings.Cut(items, s.name)
		if !ok {
			continue
		}
		text, part := s.text, ""
		if n, found := strings.CutPrefix(after, "<0."); found {
			end := strings.IndexByte(n, '>')
			most, _ := strconv.Atoi(n[:max(0, end)])
			text, part = text[:min(most, len(text))], "<0>"
		}
		fmt.Fprintf(&b, " %s%s {%d}\r\n%s", strings.Replace(s.name, ".PEEK", "", 1), part, len(text), text)
	}
	b.WriteString(")\r\n")
	return b.String()
}
