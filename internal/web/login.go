package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

type loginData struct{ Name, To, Error string }

// local keeps a way back only if it stays on this site.
func local(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		return "/"
	}
	return to
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	s.page(func(w http.ResponseWriter, r *http.Request) error {
		to := local(r.URL.Query().Get("to"))
		if _, ok := s.guard.known(r); ok {
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}
		return s.render(w, r, http.StatusOK, "login", "Sign in", loginData{To: to})
	}).ServeHTTP(w, r)
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	s.page(func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		if err := r.ParseForm(); err != nil {
			return badRequest(errNoForm)
		}
		name, to := r.PostFormValue("name"), local(r.PostFormValue("to"))
		cookie, err := s.guard.signIn(r, name, r.PostFormValue("password"))
		if err != nil {
			status := http.StatusUnauthorized
			var wait tooManyLogins
			if errors.As(err, &wait) {
				status = http.StatusTooManyRequests
				w.Header().Set("Retry-After", strconv.Itoa(wait.wait))
			}
			return s.render(w, r, status, "login", "Sign in", loginData{Name: clip(name, 100), To: to, Error: err.Error()})
		}
		http.SetCookie(w, &http.Cookie{Name: sessionName, Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
			Secure: s.opt.Access.TLS, MaxAge: int(sessionLife.Seconds())})
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}).ServeHTTP(w, r)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	s.guard.signOut(r)
	http.SetCookie(w, &http.Cookie{Name: sessionName, Path: "/", MaxAge: -1})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
