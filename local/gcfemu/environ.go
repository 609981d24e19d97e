package gcfemu

import (
	"slices"
	"strconv"
	"strings"
)

// Reserved tells the names that gcloud refuses: cloud.google.com/run/docs/configuring/services/environment-variables and
// cloud.google.com/functions/docs/configuring/env-var.
func Reserved(name string) bool {
	switch name {
	case "", "PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", "FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE":
		return true
	}
	return strings.HasPrefix(name, "X_GOOGLE_") || strings.HasPrefix(name, "CLOUD_RUN_")
}

// environ is the whole environment of an instance: cloud.google.com/run/docs/container-contract#env-vars, and for a function
// the Functions Framework's contract.
func (c *Config) environ(port int) []string {
	env := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + c.Dir,
		"PORT=" + strconv.Itoa(port),
		"K_SERVICE=" + c.Name,
		"K_CONFIGURATION=" + c.Name,
		"K_REVISION=" + c.Name + "-00001-loc",
		"CLOUD_RUN_TIMEOUT_SECONDS=" + strconv.Itoa(max(1, int(c.Timeout.Seconds()))),
	}
	if c.function() {
		env = append(env, "FUNCTION_TARGET="+c.Target, "FUNCTION_SIGNATURE_TYPE=http", "LOG_EXECUTION_ID=true")
	}
	for _, kv := range c.Env {
		name, _, _ := strings.Cut(kv, "=")
		env = slices.DeleteFunc(env, func(s string) bool { return strings.HasPrefix(s, name+"=") })
		env = append(env, kv)
	}
	return env
}
