package main

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"tocsin/internal/config"
)

// factsOf is the configuration in force for the status page: every key that has
// a value, by the name it has in the file. Of a secret it says that it is set,
// of a URL only the host, since the rest of a webhook's is a secret too.
func factsOf(cfg *config.Config) [][2]string {
	facts := [][2]string{{"configuration", cfg.Path()}}
	facts = gather(facts, "", reflect.ValueOf(*cfg))
	return facts
}

// gather adds the keys below v.
func gather(facts [][2]string, key string, v reflect.Value) [][2]string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return facts
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		if _, one := inWords(v); one {
			break
		}
		for n := range v.NumField() {
			if name := v.Type().Field(n).Tag.Get("toml"); name != "" {
				facts = gather(facts, strings.TrimPrefix(key+"."+name, "."), v.Field(n))
			}
		}
		return facts
	case reflect.Map:
		names := map[string]reflect.Value{}
		for it := v.MapRange(); it.Next(); {
			names[it.Key().String()] = it.Value()
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			facts = gather(facts, key+"."+name, names[name])
		}
		return facts
	}
	if text := factOf(key, v); text != "" {
		facts = append(facts, [2]string{key, text})
	}
	return facts
}

// inWords writes the values that the file has words for as it has them.
func inWords(v reflect.Value) (string, bool) {
	switch x := v.Interface().(type) {
	case config.Rate:
		return x.String(), true
	case config.Duration:
		return config.SpanText(x.D()), true
	case config.Weekday:
		return strings.ToLower(time.Weekday(x).String()), true
	case config.TimeOfDay:
		return fmt.Sprintf("%02d:%02d", x.Hour, x.Minute), true
	}
	return "", false
}

// factOf is a value in words, "" where there is none to tell.
func factOf(key string, v reflect.Value) string {
	if secret, is := v.Interface().(config.Secret); is || strings.HasSuffix(key, "password_hash") {
		if is && secret.Reveal() == "" || v.IsZero() {
			return ""
		}
		return "set, not shown"
	}
	if v.Kind() == reflect.Slice {
		var parts []string
		for n := range v.Len() {
			parts = append(parts, fmt.Sprint(v.Index(n).Interface()))
		}
		return strings.Join(parts, ", ")
	}
	if text, ok := inWords(v); ok {
		return text
	}
	if v.IsZero() {
		return ""
	}
	text := fmt.Sprint(v.Interface())
	u, err := url.Parse(text)
	switch whole := strings.HasSuffix(key, ".url"); {
	case whole && (err != nil || u.Host == ""):
		return "set, not shown"
	case err == nil && (whole || u.User != nil):
		return u.Scheme + "://" + u.Host + " …"
	}
	return text
}
