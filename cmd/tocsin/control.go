package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"

	"tocsin/internal/web"
)

// control is how the other commands find the running worker: a file beside the
// data file, readable by its owner only, with the address and a token that
// lives as long as the process. Whoever may read it may read the data file too,
// so that it opens no door that was shut.
type control struct {
	URL   string `json:"url"`
	Token string `json:"token"`
	PID   int    `json:"pid"`
	Cert  []byte `json:"certificate,omitempty"` // that it serves with, if any

	path string
}

func controlPath(data string) string { return data + ".run" }

// newControl writes the file.
func newControl(data string, addr net.Addr, cert *tls.Certificate) (*control, error) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.To4() == nil {
			host = "::1"
		}
	}
	c := &control{URL: "http://" + net.JoinHostPort(host, port), Token: rand.Text(), PID: os.Getpid(), path: controlPath(data)}
	if cert != nil {
		c.URL, c.Cert = "https"+c.URL[len("http"):], cert.Certificate[0]
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	// A file left by a killed process may belong to other permissions.
	os.Remove(c.path)
	if err := os.WriteFile(c.path, append(raw, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("the file by which other commands find this one: %w", err)
	}
	return c, nil
}

// readControl reads the file of the worker that runs, or ran until it was
// killed.
func readControl(data string) (*control, error) {
	raw, err := os.ReadFile(controlPath(data))
	if err != nil {
		return nil, err
	}
	c := &control{path: controlPath(data)}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *control) remove() { os.Remove(c.path) }

// client speaks to that worker.
func (c *control) client() *web.Client {
	if c.Cert != nil {
		return web.NewPinnedClient(c.URL, c.Token, c.Cert)
	}
	return web.NewClient(c.URL, c.Token)
}
