package detect

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Diff compares the packages of two deployments as sets of versions for each
// name: a lockfile may hold several versions of one package.
func Diff(before, after []Package) []PackageChange {
	type versions struct{ from, to []string }
	type key struct{ ecosystem, name string }
	all := map[key]*versions{}
	info := map[key]Package{}
	collect := func(list []Package, pick func(*versions) *[]string) {
		for _, p := range list {
			k := key{p.Ecosystem, p.Name}
			v := all[k]
			if v == nil {
				v = &versions{}
				all[k] = v
			}
			if to := pick(v); !slices.Contains(*to, p.Version) {
				*to = append(*to, p.Version)
			}
			q := info[k]
			q.Direct = q.Direct || p.Direct
			if _, known := info[k]; !known {
				q.Dev = p.Dev
			}
			q.Dev = q.Dev && p.Dev
			info[k] = q
		}
	}
	collect(before, func(v *versions) *[]string { return &v.from })
	collect(after, func(v *versions) *[]string { return &v.to })
	var changes []PackageChange
	for k, v := range all {
		slices.SortFunc(v.from, compareVersions)
		slices.SortFunc(v.to, compareVersions)
		if slices.Equal(v.from, v.to) {
			continue
		}
		c := PackageChange{Name: k.name, Ecosystem: k.ecosystem, Direct: info[k].Direct, Dev: info[k].Dev, From: v.from, To: v.to}
		c.Kind = changeKind(v.from, v.to)
		changes = append(changes, c)
	}
	sort.Slice(changes, func(a, b int) bool {
		return changes[a].Name < changes[b].Name || changes[a].Name == changes[b].Name && changes[a].Ecosystem < changes[b].Ecosystem
	})
	return changes
}

func changeKind(from, to []string) string {
	switch {
	case len(from) == 0:
		return "added"
	case len(to) == 0:
		return "removed"
	}
	a, b := from[len(from)-1], to[len(to)-1]
	switch c := compareVersions(a, b); {
	case c > 0:
		return "downgraded"
	case c == 0:
		if compareVersions(from[0], to[0]) > 0 {
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

// compareVersions orders versions by their numbers and, where those are equal,
// a pre-release before its release (semver.org section 11); other schemes of
// numbers and dots are ordered sensibly too.
func compareVersions(a, b string) int {
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

// RankChanges puts first what is likeliest to blame for complaints of these
// categories: watched packages, those whose name has to do with the complaint,
// downgrades, new major versions, direct dependencies; those of development
// last.
func RankChanges(changes []PackageChange, categories []string, watch []string) []PackageChange {
	var words []string
	for _, c := range categories {
		switch c {
		case "login", "signup", "password":
			words = append(words, related["access"]...)
		default:
			words = append(words, related[c]...)
		}
	}
	score := func(c PackageChange) int {
		s := 0
		name := strings.ToLower(c.Name)
		if slices.ContainsFunc(watch, func(w string) bool { return strings.EqualFold(w, c.Name) }) {
			s += 64
		}
		for _, w := range words {
			if strings.Contains(name, w) {
				s += 32
				break
			}
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
