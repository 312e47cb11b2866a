package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin/detect"
	"tocsin/internal/deploy"
)

// Shipped is what a service runs, as the lockfile of its last deployment says.
type Shipped struct {
	Deployment detect.Deployment `json:"deployment"` // with its changes of the packages asked for
	Packages   []ShippedPackage  `json:"packages"`
}

// ShippedPackage is one of them, and since when it is deployed in this version.
type ShippedPackage struct {
	detect.Package
	Since time.Time `json:"since"`
}

// servicesFor is how far back a service that was deployed is one that runs.
const servicesFor = 2 * 365 * 24 * time.Hour

// apiPackages lists the packages of every service; name=… restricts them.
func (s *Server) apiPackages(w http.ResponseWriter, r *http.Request) error {
	names := r.URL.Query()["name"]
	seen := map[string]bool{}
	var newest []detect.Deployment
	err := s.opt.Store.DeploymentsBefore(s.opt.Now().Add(time.Minute), func(d detect.Deployment) bool {
		if key := d.Service + "\x00" + d.Environment; !seen[key] && !d.Failed && !d.Elsewhere {
			seen[key] = true
			newest = append(newest, d)
		}
		return s.opt.Now().Sub(d.At) < servicesFor
	})
	if err != nil {
		return err
	}
	list := []Shipped{}
	for _, d := range newest {
		packages, err := s.opt.Store.Packages(d.Service, d.Environment, d.At.Add(time.Second))
		if err != nil {
			return err
		}
		since := deploy.Since(s.opt.Store, d)
		named := func(name string) bool {
			return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
		}
		d.Changes = slices.DeleteFunc(slices.Clone(d.Changes), func(c detect.PackageChange) bool { return !named(c.Name) })
		x := Shipped{Deployment: d}
		for _, p := range packages {
			if len(names) > 0 && named(p.Name) {
				x.Packages = append(x.Packages, ShippedPackage{p, since(p).UTC()})
			} else if len(names) == 0 {
				x.Packages = append(x.Packages, ShippedPackage{Package: p})
			}
		}
		list = append(list, x)
	}
	return writeJSON(w, http.StatusOK, list)
}
