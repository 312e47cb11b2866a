package imaptest

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// folderDir is where a folder's mail is: INBOX is the Maildir itself, others
// are Maildir++ folders below it.
func (d *Dovecot) folderDir(folder string) string {
	root := filepath.Join(d.home, "Maildir")
	if folder == "INBOX" {
		return root
	}
	return filepath.Join(root, "."+strings.ReplaceAll(folder, "/", "."))
}

// Create makes a folder.
func (d *Dovecot) Create(folder string) {
	d.t.Helper()
	for _, dir := range []string{filepath.Join(d.home, "Maildir"), d.folderDir(folder)} {
		for _, sub := range []string{"", "tmp", "new", "cur"} {
			path := filepath.Join(dir, sub)
			if err := os.Mkdir(path, 0o700); err == nil {
				d.give(path)
			} else if !os.IsExist(err) {
				d.t.Fatal("imaptest:", err)
			}
		}
	}
}

// Deliver puts a mail into a folder as a delivery agent does, received at the
// given time (zero: now). It returns the file's name, the key in Flags.
func (d *Dovecot) Deliver(folder, mail string, received time.Time) string {
	d.t.Helper()
	dir := d.folderDir(folder)
	if _, err := os.Stat(filepath.Join(dir, "new")); err != nil {
		d.Create(folder)
	}
	n := d.seq.Add(1)
	name := fmt.Sprintf("%d.M%dP%d.test", time.Now().Unix(), n, os.Getpid())
	tmp := filepath.Join(dir, "tmp", name)
	check(d.t, os.WriteFile(tmp, []byte(mail), 0o600))
	d.give(tmp)
	if !received.IsZero() {
		check(d.t, os.Chtimes(tmp, received, received)) // Dovecot's INTERNALDATE
	}
	check(d.t, os.Rename(tmp, filepath.Join(dir, "new", name)))
	return name
}

// Flags returns each mail's flags as on disk, by file name without them:
// whatever changes a flag or a keyword changes it.
func (d *Dovecot) Flags(folder string) map[string]string {
	d.t.Helper()
	flags := make(map[string]string)
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(d.folderDir(folder), sub))
		check(d.t, err)
		for _, e := range entries {
			name, f, _ := strings.Cut(e.Name(), ":2,")
			name, _, _ = strings.Cut(name, ",") // sizes Dovecot puts into names
			letters := strings.Split(f, "")
			sort.Strings(letters)
			flags[name] = strings.Join(letters, "")
		}
	}
	return flags
}

// Remove deletes a mail by the name that Deliver gave, behind the server's
// back.
func (d *Dovecot) Remove(folder, name string) {
	d.t.Helper()
	for _, sub := range []string{"new", "cur"} {
		found, _ := filepath.Glob(filepath.Join(d.folderDir(folder), sub, name+"*"))
		for _, path := range found {
			check(d.t, os.Remove(path))
		}
	}
}

// SetUIDValidity gives a folder a new UIDVALIDITY, as servers do after they
// were mended or moved.
func (d *Dovecot) SetUIDValidity(folder string, v uint32) {
	d.t.Helper()
	d.Doveadm("mailbox", "update", "-u", d.Username, "--uid-validity", fmt.Sprint(v), folder)
}

// Expunge deletes the mails that meet a doveadm search query, such as "all" or
// "uid 5:9".
func (d *Dovecot) Expunge(folder, query string) {
	d.t.Helper()
	args := append([]string{"expunge", "-u", d.Username, "mailbox", folder}, strings.Fields(query)...)
	d.Doveadm(args...)
}

// Move moves the mails that meet a query to another folder.
func (d *Dovecot) Move(from, to, query string) {
	d.t.Helper()
	args := append([]string{"move", "-u", d.Username, to, "mailbox", from}, strings.Fields(query)...)
	d.Doveadm(args...)
}
