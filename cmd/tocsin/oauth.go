package main

import (
	"fmt"

	"tocsin/internal/config"
	"tocsin/mailbox/imapsync"
	"tocsin/store"
)

// advisedError is a sentence with what to do about it.
type advisedError struct {
	text, advice string
}

func (e advisedError) Error() string  { return e.text }
func (e advisedError) Advice() string { return e.advice }

// refreshBucket is where the store keeps refresh tokens, which providers
// rotate.
const refreshBucket = "oauth2"

// tokenSource is how to get access tokens for what key names in the
// configuration, such as "mailbox.support".
func tokenSource(o *config.OAuth2, username, key string, s *store.Store) (imapsync.TokenSource, error) {
	if o.Provider == "google" && o.KeyFile != "" {
		key, err := config.ReadSecret(o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("service account key: %w", err)
		}
		return imapsync.ServiceAccount([]byte(key.Reveal()), username, o.Scopes...)
	}
	p := providerOf(o)
	c := imapsync.Client{ID: o.ClientID, Secret: o.ClientSecret.Reveal()}
	if !needsConsent(o) {
		return imapsync.ClientCredentials(p, c), nil
	}
	if s == nil {
		return nil, advisedError{"the sign-in needs a person's consent, which is kept in the data file", "run: tocsin login " + key}
	}
	refresh, err := s.Value(refreshBucket, key)
	if err != nil {
		return nil, err
	}
	if len(refresh) == 0 {
		return nil, advisedError{"nobody has consented to the sign-in yet", "run: tocsin login --config FILE " + key}
	}
	return imapsync.Refresh(p, c, string(refresh), func(token string) error {
		return s.SetValue(refreshBucket, key, []byte(token))
	}), nil
}

// needsConsent tells whether a person must have consented with tocsin login: an
// application with a secret of its own needs nobody, and neither does Google's
// service account.
func needsConsent(o *config.OAuth2) bool {
	if o.Provider == "google" {
		return o.KeyFile == ""
	}
	return o.ClientSecret == "" || o.AuthURL != "" || o.DeviceURL != ""
}

// providerOf are the addresses and scopes of a provider.
func providerOf(o *config.OAuth2) imapsync.Provider {
	var p imapsync.Provider
	switch o.Provider {
	case "microsoft":
		p = imapsync.Microsoft(o.Tenant, o.ClientSecret != "")
	case "google":
		p = imapsync.Google()
	}
	for to, from := range map[*string]string{&p.TokenURL: o.TokenURL, &p.AuthURL: o.AuthURL, &p.DeviceURL: o.DeviceURL} {
		if from != "" {
			*to = from
		}
	}
	if len(o.Scopes) > 0 {
		p.Scopes = o.Scopes
	}
	return p
}
