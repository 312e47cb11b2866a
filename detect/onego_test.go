package detect

import (
	"strings"
	"testing"
	"time"
)

// Services that one release deploys at the same time share the blame: one is
// named, whose packages have to do with the complaint if any has, and the other
// is mentioned and not called clean.
func TestServicesDeployedInOneGoAreSuspectedTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		apart   time.Duration
		changes []PackageChange // of the first one
		want    string
	}{
		"at once":              {0, nil, "web"},
		"a minute apart":       {time.Minute, nil, "web"},
		"one changed a login":  {0, []PackageChange{{Name: "passport", Kind: "major"}}, "api"},
		"one changed anything": {0, []PackageChange{{Name: "left-pad", Kind: "major"}}, "web"},
	} {
		t.Run(name, func(t *testing.T) {
			events, at, _ := morning{weeks: 8, kinds: []string{"login", "signup"}}.events(t)
			d := New(backtestOptions())
			var page *Incident
			for _, e := range events {
				c := e.(Complaint)
				if c.MessageID == "m0" {
					d.Deployment(Deployment{ID: "1", Service: "api", Version: "7", At: at.Add(-tt.apart), Changes: tt.changes})
					d.Deployment(Deployment{ID: "2", Service: "web", Version: "8", At: at})
				}
				for _, x := range d.Complaint(c) {
					if x.Kind == Opened {
						page = &x.Incident
					}
				}
			}
			if page == nil || page.Suspect == nil {
				t.Fatalf("paged %+v, want a page with a suspect", page)
			}
			other := map[string]string{"web": "api 7", "api": "web 8"}[tt.want]
			if s := page.Suspect; s.Deployment.Service != tt.want || !strings.Contains(s.Why, other) || s.Probability > 0.6 {
				t.Errorf("suspected is %s with %.2f, since %s; want %s, and %s mentioned", s.Deployment.Service, s.Probability, s.Why, tt.want, other)
			}
			for _, x := range d.Tick(at.Add(3 * time.Hour)) {
				if x.Kind == Clean {
					t.Errorf("deployment %s is called clean", x.Deployment)
				}
			}
		})
	}
}
