package web

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestColoursCanBeRead holds every pair of colours that text is written in to
// WCAG 2.2, 1.4.3 (4.5 to 1), and the edges of what can be used to 1.4.11
// (3 to 1), light and dark.
func TestColoursCanBeRead(t *testing.T) {
	css, err := staticRoot.ReadFile("static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.SplitN(string(css), ":root {", 3)
	if len(blocks) != 3 {
		t.Fatal("the style sheet has no light and no dark colours")
	}
	colour := regexp.MustCompile(`--(\w+): #([0-9a-f]{6})`)
	for n, scheme := range []string{"light", "dark"} {
		of := map[string]string{}
		for _, m := range colour.FindAllStringSubmatch(strings.SplitN(blocks[n+1], "}", 2)[0], -1) {
			of[m[1]] = m[2]
		}
		for _, p := range []struct {
			on    string
			least float64
			text  string
		}{
			{"bg", 4.5, "ink dim link red amber green"}, {"card", 4.5, "ink dim link red amber green deploy success"}, {"redbg", 4.5, "ink dim link red"},
			{"amberbg", 4.5, "ink dim amber"}, {"greenbg", 4.5, "ink green"}, {"mark", 4.5, "ink"}, {"red", 4.5, "on"}, {"amber", 4.5, "on"}, {"green", 4.5, "on"}, {"dim", 4.5, "on"},
			{"card", 3, "edge bar focus"}, {"bg", 3, "edge focus"}, {"band", 3, "deploy red"},
		} {
			for _, name := range strings.Fields(p.text) {
				a, b := of[name], of[p.on]
				if a == "" || b == "" {
					t.Fatalf("%s: no colour %s or %s", scheme, name, p.on)
				}
				if c := contrast(a, b); c < p.least {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", scheme, name, p.on, c, p.least)
				}
			}
		}
	}
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(hex string) float64 {
	sum := 0.0
	for n, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, _ := strconv.ParseUint(hex[2*n:2*n+2], 16, 8)
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
