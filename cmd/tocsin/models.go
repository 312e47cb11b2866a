package main

import (
	"fmt"
	"os"

	"tocsin/classify"
	"tocsin/internal/config"
)

// loadModel reads a model that "tocsin train" wrote; "" is the built-in one.
func loadModel(path string) (*classify.Model, error) {
	if path == "" {
		return classify.Default(), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	m, err := classify.Load(f)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	return m, nil
}

// modelFor is the model that a configuration asks for, with the team's changes
// to the categories.
func modelFor(cfg *config.Config) (*classify.Model, error) {
	m, err := loadModel(cfg.Model)
	if err != nil || len(cfg.Category) == 0 {
		return m, err
	}
	custom := classify.Custom{}
	for name, c := range cfg.Category {
		custom[name] = classify.Change{Title: c.Title, About: c.About, Group: c.Group, Rings: classify.Rings(c.Rings),
			MergeInto: c.Into, Off: c.Off, Phrases: c.Phrases}
	}
	return m.With(custom)
}
