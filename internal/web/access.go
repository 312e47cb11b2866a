package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Scope is what a token may do.
type Scope string

// The scopes. ScopeAll includes the others; ScopeRead does not include
// ScopeDeployments, so that a leaked token of a deployment pipeline shows no
// customer's mail, and one of a reader changes nothing.
const (
	ScopeDeployments Scope = "deployments"
	ScopeRead        Scope = "read"
	ScopeAll         Scope = "all"
)

// Token lets a program call the API.
type Token struct {
	Name   string
	Secret string
	Scope  Scope
}

// Access says who may come in. With neither users nor tokens, everybody who
// reaches the port may read and decide: that is for loopback only, which is
// where Tocsin listens unless told otherwise.
type Access struct {
	Users        map[string]string // name -> hash of "tocsin passwd"
	Tokens       []Token
	Hosts        []string // names under which the server is reached; empty: any
	TrustedProxy []string // addresses or prefixes of proxies whose UserHeader is believed
	UserHeader   string
	TLS          bool // cookies only over TLS
}

// Session lengths.
const (
	sessionLife = 14 * 24 * time.Hour
	sessionName = "tocsin_session"
	maxSessions = 10_000
)

type guard struct {
	access  Access
	log     *slog.Logger
	users   map[string]hash
	decoy   hash // so that an unknown name takes as long as a wrong password
	proxies []netip.Prefix
	cross   *http.CrossOriginProtection

	mu       sync.Mutex
	sessions map[[32]byte]session
	tries    map[string]*tries
	hashing  chan struct{} // one at a time: each takes 64 MB
}

type session struct {
	who   string
	until time.Time
}

// tries counts failed logins of an address or a name.
type tries struct {
	n     int
	until time.Time // none before
}

func newGuard(a Access, log *slog.Logger) (*guard, error) {
	g := &guard{access: a, log: log, users: map[string]hash{}, sessions: map[[32]byte]session{}, tries: map[string]*tries{},
		hashing: make(chan struct{}, 1), cross: http.NewCrossOriginProtection()}
	for name, s := range a.Users {
		h, err := parseHash(s)
		if err != nil {
			return nil, fmt.Errorf("user %q: %w", name, err)
		}
		g.users[name] = h
	}
	g.decoy = hash{time: hashTime, memory: hashMemory, threads: hashThreads, salt: make([]byte, 16), key: make([]byte, hashLen)}
	for _, p := range a.TrustedProxy {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			addr, err := netip.ParseAddr(p)
			if err != nil {
				return nil, fmt.Errorf("trusted_proxy: %q is neither an address nor a network", p)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		g.proxies = append(g.proxies, prefix)
	}
	return g, nil
}

// open tells that nobody has to say who they are.
func (g *guard) open() bool {
	return len(g.users) == 0 && len(g.proxies) == 0
}

type whoKey struct{}

// who is the person or program behind a request, for the log and the timeline.
func who(ctx context.Context) string {
	name, _ := ctx.Value(whoKey{}).(string)
	return name
}

func as(r *http.Request, name string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), whoKey{}, name))
}

// person lets people in: whom a trusted proxy names, who has signed in, or
// anybody where there are no users.
func (g *guard) person(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := g.known(r); ok {
			next.ServeHTTP(w, as(r, name))
			return
		}
		if g.open() {
			http.Error(w, "refused: a proxy forwards to this dashboard, and the configuration names nobody who may sign in; add [web.user.NAME], or web.trusted_proxy with web.user_header", http.StatusForbidden)
			return
		}
		if r.Method != http.MethodGet {
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, "/login?to="+escapeQuery(r.URL.RequestURI()), http.StatusSeeOther)
	})
}

// known is the person behind a request.
func (g *guard) known(r *http.Request) (string, bool) {
	if name := g.proxied(r); name != "" {
		return name, true
	}
	if c, err := r.Cookie(sessionName); err == nil {
		g.mu.Lock()
		s, ok := g.sessions[sha256.Sum256([]byte(c.Value))]
		g.mu.Unlock()
		if ok && time.Now().Before(s.until) {
			return s.who, true
		}
	}
	// A request that a proxy forwarded may come from anywhere, although it
	// reaches us over loopback.
	if g.open() && !forwarded(r) {
		return "somebody", true
	}
	return "", false
}

func forwarded(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return true
		}
	}
	return false
}

func (g *guard) proxied(r *http.Request) string {
	if len(g.proxies) == 0 || g.access.UserHeader == "" {
		return ""
	}
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !g.trusted(ap.Addr()) {
		return ""
	}
	return clip(r.Header.Get(g.access.UserHeader), 100)
}

func (g *guard) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(g.proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// client is the address a request comes from: behind trusted proxies the last
// one that they did not write themselves, so that one guesser behind a proxy
// does not lock everybody out.
func (g *guard) client(r *http.Request) string {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	at := ap.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for n := len(hops) - 1; n >= 0 && g.trusted(at); n-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[n]))
		if err != nil {
			break
		}
		at = hop.Unmap()
	}
	return at.String()
}

// program lets tokens in that have the scope, and people.
func (g *guard) program(scope Scope, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		isBearer := strings.EqualFold(scheme, "Bearer") // RFC 9110 §11.1
		if !isBearer {
			if name, ok := g.known(r); ok {
				next.ServeHTTP(w, as(r, name))
				return
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="tocsin"`)
			writeError(w, http.StatusUnauthorized, "this needs a token", "send the header Authorization: Bearer TOKEN, with a token of [web.token.NAME]")
			return
		}
		name, has, ok := g.token(bearer)
		switch {
		case !ok:
			g.log.Warn("token refused", "remote", r.RemoteAddr, "path", clip(r.URL.Path, 100))
			writeError(w, http.StatusUnauthorized, "the token is not known", "check the token against [web.token.NAME] of the configuration")
		case has != ScopeAll && has != scope:
			writeError(w, http.StatusForbidden, fmt.Sprintf("the token %q has the scope %q, and this needs %q", name, has, scope), "use a token with that scope, or scope = \"all\"")
		default:
			next.ServeHTTP(w, as(r, name))
		}
	})
}

// token finds a token without telling by its time how much of it was right.
func (g *guard) token(secret string) (name string, scope Scope, ok bool) {
	given := sha256.Sum256([]byte(secret))
	for _, t := range g.access.Tokens {
		want := sha256.Sum256([]byte(t.Secret))
		if subtle.ConstantTimeCompare(given[:], want[:]) == 1 && t.Secret != "" {
			name, scope, ok = t.Name, t.Scope, true
		}
	}
	return
}

// crossOrigin refuses what another site's page makes a browser send.
func (g *guard) crossOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Programs and hooks authenticate by what a browser does not add.
		if r.Header.Get("Authorization") == "" && !strings.HasPrefix(r.URL.Path, "/hooks/") {
			if err := g.cross.Check(r); err != nil {
				g.log.Warn("request of another site refused", "remote", r.RemoteAddr, "origin", clip(r.Header.Get("Origin"), 100))
				http.Error(w, "refused: the request came from another site", http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// host refuses names that are not ours: a page elsewhere whose name is made to
// resolve to this machine (DNS rebinding) has its own name in the Host header.
func (g *guard) host(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Host
		if h, _, err := net.SplitHostPort(name); err == nil {
			name = h
		}
		name = strings.ToLower(strings.Trim(name, "[]"))
		ip := net.ParseIP(name)
		if len(g.access.Hosts) > 0 && ip == nil && name != "localhost" && !slices.Contains(g.access.Hosts, name) {
			http.Error(w, "this name is not served here: add it to web.hosts of the configuration", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// tooManyLogins says how many seconds to wait.
type tooManyLogins struct{ wait int }

func (e tooManyLogins) Error() string {
	return fmt.Sprintf("too many failed logins: try again in %d s", e.wait)
}

// signIn checks a name and a password. It answers after a wait when there were
// failures before, and is refused for a while after ten.
func (g *guard) signIn(r *http.Request, name, password string) (cookie string, err error) {
	keys := []string{"from " + g.client(r), "name " + clip(name, 100)}
	if wait := g.wait(keys); wait > 0 {
		return "", tooManyLogins{int(wait.Seconds()) + 1}
	}
	select {
	case g.hashing <- struct{}{}:
		defer func() { <-g.hashing }()
	case <-time.After(10 * time.Second):
		return "", fmt.Errorf("too many people sign in at once: try again")
	case <-r.Context().Done():
		return "", r.Context().Err()
	}
	// Guesses sent at once all passed the look above; only the first is hashed.
	if wait := g.wait(keys); wait > 0 {
		return "", tooManyLogins{int(wait.Seconds()) + 1}
	}
	h, ok := g.users[name]
	if !ok {
		h = g.decoy
	}
	if !h.matches(password) || !ok {
		g.failed(keys)
		g.log.Warn("login refused", "who", clip(name, 60), "remote", r.RemoteAddr)
		return "", fmt.Errorf("name or password is wrong")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range keys {
		delete(g.tries, k)
	}
	now := time.Now()
	if len(g.sessions) >= maxSessions {
		for k, s := range g.sessions {
			if now.After(s.until) {
				delete(g.sessions, k)
			}
		}
	}
	cookie = rand.Text() + rand.Text()
	g.sessions[sha256.Sum256([]byte(cookie))] = session{name, now.Add(sessionLife)}
	g.log.Info("signed in", "who", name, "remote", r.RemoteAddr)
	return cookie, nil
}

// wait is how long a login must wait because of failures before.
func (g *guard) wait(keys []string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	var most time.Duration
	for _, k := range keys {
		if t := g.tries[k]; t != nil {
			most = max(most, time.Until(t.until))
		}
	}
	return most
}

func (g *guard) failed(keys []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.tries) > 10_000 {
		clear(g.tries)
	}
	for _, k := range keys {
		t := g.tries[k]
		if t == nil {
			t = &tries{}
			g.tries[k] = t
		}
		t.n++
		if t.n >= 5 {
			longest := 15 * time.Minute
			if strings.HasPrefix(k, "name ") {
				longest = time.Minute // whoever guesses must not keep the person out
			}
			t.until = time.Now().Add(min(longest, time.Second<<min(t.n-5, 10)))
		}
	}
}

func (g *guard) signOut(r *http.Request) {
	if c, err := r.Cookie(sessionName); err == nil {
		g.mu.Lock()
		delete(g.sessions, sha256.Sum256([]byte(c.Value)))
		g.mu.Unlock()
	}
}
