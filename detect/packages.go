package detect

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Diff compares the packages of two deployments as sets of versions for each
// name: a lockfile may hold several versions of one package.
func Diff(before, after []Package) []PackageChange {
	before, after = inOrder(before), inOrder(after)
	var changes []PackageChange
	for len(before)+len(after) > 0 {
		// The packages of the name that comes first, on each side.
		var from, to []Package
		switch c := compareNames(before, after); {
		case c < 0:
			from, before = sameName(before)
		case c > 0:
			to, after = sameName(after)
		default:
			from, before = sameName(before)
			to, after = sameName(after)
		}
		if slices.EqualFunc(from, to, func(a, b Package) bool { return a.Version == b.Version }) {
			continue
		}
		if c, differ := change(from, to); differ {
			changes = append(changes, c)
		}
	}
	return changes
}

func byName(a, b Package) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Ecosystem, b.Ecosystem))
}

// inOrder sorts by name, unless the list is.
func inOrder(list []Package) []Package {
	if slices.IsSortedFunc(list, byName) {
		return list
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, byName)
	return list
}

// compareNames compares the first of two lists; the end comes after all.
func compareNames(a, b []Package) int {
	switch {
	case len(b) == 0:
		return -1
	case len(a) == 0:
		return 1
	}
	return byName(a[0], b[0])
}

// sameName cuts a list after the packages of its first name.
func sameName(list []Package) (these, rest []Package) {
	n := 1
	for n < len(list) && byName(list[0], list[n]) == 0 {
		n++
	}
	return list[:n], list[n:]
}

// change is the difference between the versions of one package. It is direct
// if it is anywhere, and for development only if it is everywhere.
func change(from, to []Package) (c PackageChange, differ bool) {
	versions := func(list []Package) (out []string) {
		for _, p := range list {
			out = append(out, p.Version)
		}
		slices.SortFunc(out, CompareVersions)
		return slices.Compact(out)
	}
	c.From, c.To = versions(from), versions(to)
	c.Dev = true
	for _, p := range slices.Concat(from, to) {
		c.Name, c.Ecosystem = p.Name, p.Ecosystem
		c.Direct, c.Dev = c.Direct || p.Direct, c.Dev && p.Dev
	}
	if slices.Equal(c.From, c.To) {
		return c, false
	}
	c.Kind = changeKind(c.From, c.To)
	return c, true
}

func changeKind(from, to []string) string {
	switch {
	case len(from) == 0:
		return "added"
	case len(to) == 0:
		return "removed"
	}
	a, b := from[len(from)-1], to[len(to)-1]
	switch c := CompareVersions(a, b); {
	case c > 0:
		return "downgraded"
	case c == 0:
		if CompareVersions(from[0], to[0]) > 0 {
			return "downgraded"
		}
		return "upgraded"
	}
	if major(a) != major(b) {
		return "major"
	}
	return "upgraded"
}

func major(v string) string {
	m, _, _ := strings.Cut(strings.TrimLeft(v, "vV="), ".")
	return m
}

// CompareVersions orders versions by their numbers and, where those are equal,
// a pre-release before its release (semver.org section 11); other schemes of
// numbers and dots are ordered sensibly too.
func CompareVersions(a, b string) int {
	a, b = strings.TrimLeft(a, "vV="), strings.TrimLeft(b, "vV=")
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	ca, pa, preA := strings.Cut(a, "-")
	cb, pb, preB := strings.Cut(b, "-")
	if c := compareParts(ca, cb); c != 0 {
		return c
	}
	switch {
	case preA && !preB:
		return -1
	case !preA && preB:
		return 1
	}
	return compareParts(pa, pb)
}

func compareParts(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		x, y := "0", "0"
		if i < len(as) {
			x = as[i]
		}
		if i < len(bs) {
			y = bs[i]
		}
		n, errN := strconv.ParseUint(x, 10, 63)
		m, errM := strconv.ParseUint(y, 10, 63)
		switch {
		case errN == nil && errM == nil:
			if n != m {
				return int(min(1, max(-1, int64(n)-int64(m))))
			}
		default:
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
		}
	}
	return 0
}

// related are parts of package names that have to do with a kind of complaint.
var related = map[string][]string{
	"access":         {"jwt", "jsonwebtoken", "jose", "jws", "auth", "session", "passport", "oauth", "oidc", "openid", "saml", "bcrypt", "argon", "cookie", "csrf", "login", "token", "ldap", "devise", "identity", "2fa", "totp", "crypto"},
	"payment":        {"stripe", "paypal", "braintree", "adyen", "payment", "checkout", "mollie", "klarna", "money", "billing"},
	"email_delivery": {"mail", "smtp", "sendgrid", "postmark", "mailgun", "ses"},
	"slow":           {"cache", "redis", "pool", "sql", "http", "gzip", "compress", "database"},
	"data":           {"sql", "orm", "database", "mongo", "postgres", "migrat", "prisma", "sequelize", "activerecord", "storage"},
}

// relatedTo are the parts of package names that have to do with categories.
func relatedTo(categories []string) (words []string) {
	for _, c := range categories {
		switch c {
		case "login", "signup", "password":
			words = append(words, related["access"]...)
		default:
			words = append(words, related[c]...)
		}
	}
	return words
}

func containsAny(name string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
}

// concerns tells whether packages changed that have to do with complaints of
// these categories.
func concerns(changes []PackageChange, categories []string) bool {
	words := relatedTo(categories)
	return slices.ContainsFunc(changes, func(c PackageChange) bool { return !c.Dev && containsAny(strings.ToLower(c.Name), words) })
}

// RankChanges puts first what is likeliest to blame for complaints of these
// categories: watched packages, those whose name has to do with the complaint,
// downgrades, new major versions, direct dependencies; those of development
// last.
func RankChanges(changes []PackageChange, categories []string, watch []string) []PackageChange {
	words := relatedTo(categories)
	score := func(c PackageChange) int {
		s := 0
		name := strings.ToLower(c.Name)
		if slices.ContainsFunc(watch, func(w string) bool { return strings.EqualFold(w, c.Name) }) {
			s += 64
		}
		if containsAny(name, words) {
			s += 32
		}
		switch c.Kind {
		case "downgraded":
			s += 16
		case "major":
			s += 8
		case "removed":
			s += 4
		}
		if c.Direct {
			s += 6
		}
		if c.Dev {
			s -= 40
		}
		return s
	}
	ranked := slices.Clone(changes)
	sort.SliceStable(ranked, func(a, b int) bool { return score(ranked[a]) > score(ranked[b]) })
	return ranked
}

// String is the change in a line: "jsonwebtoken 9.0.2 -> 8.5.1 (downgraded)".
func (c PackageChange) String() string {
	from, to := strings.Join(c.From, ", "), strings.Join(c.To, ", ")
	switch c.Kind {
	case "added":
		return fmt.Sprintf("%s %s (added)", c.Name, to)
	case "removed":
		return fmt.Sprintf("%s %s (removed)", c.Name, from)
	}
	kind := c.Kind
	if kind == "major" {
		kind = "new major version"
	}
	return fmt.Sprintf("%s %s -> %s (%s)", c.Name, from, to, kind)
}
