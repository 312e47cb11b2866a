package classify

import _ "embed"

//go:generate go run ./seeds

// builtIn is the model that needs no training, made from the seeds: mails
// written for this project, in classify/seeds.
//
//go:embed builtin.model
var builtIn string
