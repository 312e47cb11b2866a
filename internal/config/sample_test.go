package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheSampleIsValid(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "tocsin.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("tocsin.toml", raw)
	if err != nil {
		t.Fatalf("the sample configuration is not valid:\n%v", err)
	}
	if c.Mailbox["support"] == nil || c.Pager["oncall"].Fallback != "mail" {
		t.Errorf("the sample was not read as it says: %+v", c)
	}
}
