package lambdaemu

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// What the emulator calls itself where the service has an account. The keys are the ones of AWS's documentation: they sign,
// and open nothing.
const (
	Region    = "us-east-1"
	AccountID = "123456789012"
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// environ is the whole environment of a process, as docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html lists
// it for a runtime without a language, with the function's own variables over it.
func (c Config) environ(api, logStream string) []string {
	env := []string{
		"_HANDLER=" + filepath.Base(c.Command[0]),
		"AWS_ACCESS_KEY_ID=" + accessKey,
		"AWS_SECRET_ACCESS_KEY=" + secretKey,
		"AWS_SESSION_TOKEN=local",
		"AWS_DEFAULT_REGION=" + Region,
		"AWS_REGION=" + Region,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_FUNCTION_NAME=" + c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=" + version,
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_FORMAT=Text",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=" + logStream,
		"AWS_XRAY_CONTEXT_MISSING=LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000",
		"_AWS_XRAY_DAEMON_ADDRESS=127.0.0.1",
		"_AWS_XRAY_DAEMON_PORT=2000",
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"LAMBDA_TASK_ROOT=" + c.Dir,
		"LANG=en_US.UTF-8",
		"LD_LIBRARY_PATH=" + strings.Join([]string{
			"/lib64", "/usr/lib64", "/var/runtime", "/var/runtime/lib", c.Dir, filepath.Join(c.Dir, "lib"), "/opt/lib",
		}, ":"),
		"PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"TZ=:UTC",
	}
	for _, kv := range c.Env {
		name, _, _ := strings.Cut(kv, "=")
		env = slices.DeleteFunc(env, func(s string) bool { return strings.HasPrefix(s, name+"=") })
		env = append(env, kv)
	}
	env = slices.DeleteFunc(env, func(s string) bool { return strings.HasPrefix(s, "AWS_LAMBDA_RUNTIME_API=") })
	return append(env, "AWS_LAMBDA_RUNTIME_API="+api)
}
