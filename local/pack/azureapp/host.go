package azureapp

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// Host is what counts of host.json here.
type Host struct {
	Version         string `json:"version"`
	FunctionTimeout string `json:"functionTimeout"`
	ExtensionBundle struct {
		ID      string `json:"id"`
		Version string `json:"version"`
	} `json:"extensionBundle"`
	CustomHandler struct {
		Description struct {
			DefaultExecutablePath string `json:"defaultExecutablePath"`
			WorkingDirectory      string `json:"workingDirectory"`
		} `json:"description"`
		Forwarding            bool   `json:"enableForwardingHttpRequest"`
		Proxying              bool   `json:"enableProxyingHttpRequest"`
		InitializationTimeout string `json:"initializationTimeout"`
		HTTP                  struct {
			Routes []json.RawMessage `json:"routes"`
		} `json:"http"`
	} `json:"customHandler"`
	Extensions struct {
		HTTP struct {
			RoutePrefix *string `json:"routePrefix"`
		} `json:"http"`
		Queues struct {
			BatchSize       *int    `json:"batchSize"`
			MaxDequeueCount *int    `json:"maxDequeueCount"`
			Encoding        *string `json:"messageEncoding"`
		} `json:"queues"`
	} `json:"extensions"`
}

// RoutePrefix stands in front of every route.
func (h *Host) RoutePrefix() string {
	if h.Extensions.HTTP.RoutePrefix == nil {
		return "api"
	}
	return *h.Extensions.HTTP.RoutePrefix
}

// The limits of the host.
const (
	defaultInit   = 30 * time.Second // a handler's start, when host.json does not say
	maxBatchSize  = 32               // queues: of Azure Storage
	oldestBundle  = 4                // of the extensions; older ones are no longer supported
	bundleID      = "Microsoft.Azure.Functions.ExtensionBundle"
	wantedBundle  = "[4.*, 5.0.0)"
	wantedVersion = "2.0"
)

// bundle is a range of versions: [4.*, 5.0.0).
var bundle = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[[(]\s*(\d+)(?:\.[\d.*]+)?\s*,[^,]*[])]$`) })

// check finds what is wrong with host.json for the functions chosen.
func (h *Host) check(r *Report, plan Plan, functions []Function) {
	if h.Version != wantedVersion {
		r.refuse(`%s: version is %q, expected %q`, HostFile, h.Version, wantedVersion)
	}
	h.checkBundle(r, functions)
	h.checkHandler(r, functions)
	h.checkTimes(r, plan)
	q := h.Extensions.Queues
	if q.BatchSize != nil && (*q.BatchSize < 1 || *q.BatchSize > maxBatchSize) {
		r.refuse("%s: extensions.queues.batchSize is %d, expected 1 to %d", HostFile, *q.BatchSize, maxBatchSize)
	}
	if q.MaxDequeueCount != nil && *q.MaxDequeueCount < 1 {
		r.refuse("%s: extensions.queues.maxDequeueCount is %d, expected 1 or more", HostFile, *q.MaxDequeueCount)
	}
	if q.Encoding != nil && *q.Encoding != "base64" && *q.Encoding != "none" {
		r.refuse("%s: extensions.queues.messageEncoding is %q, expected base64 or none", HostFile, *q.Encoding)
	}
}

func (h *Host) checkBundle(r *Report, functions []Function) {
	needed := ""
	for _, f := range functions {
		if t := f.Trigger(); !t.is("httpTrigger") && !t.is("timerTrigger") {
			needed = f.Name
		}
	}
	b := h.ExtensionBundle
	if b.ID == "" && b.Version == "" {
		if needed != "" {
			r.refuse(`%s: without "extensionBundle": {"id": %q, "version": %q} the host knows no trigger like that of %s`, HostFile, bundleID, wantedBundle, needed)
		}
		return
	}
	if b.ID != bundleID && b.ID != bundleID+".Preview" {
		r.refuse("%s: extensionBundle.id is %q, expected %q", HostFile, b.ID, bundleID)
	}
	m := bundle().FindStringSubmatch(b.Version)
	if m == nil {
		r.refuse("%s: extensionBundle.version is %q, expected a range such as %s", HostFile, b.Version, wantedBundle)
		return
	}
	if major, err := strconv.Atoi(m[1]); err != nil || major < oldestBundle {
		r.refuse("%s: extensionBundle.version is %s, expected %s: older bundles are not supported any more", HostFile, b.Version, wantedBundle)
	}
}

func (h *Host) checkHandler(r *Report, functions []Function) {
	c := h.CustomHandler
	if exe := c.Description.DefaultExecutablePath; path.Clean(exe) != Handler {
		r.refuse("%s: customHandler.description.defaultExecutablePath is %q, expected %q: that is where the program is packed", HostFile, exe, Handler)
	}
	if dir := c.Description.WorkingDirectory; path.Clean(dir) != "." {
		r.refuse("%s: customHandler.description.workingDirectory is %q, expected %q: no such folder is packed", HostFile, dir, "")
	}
	if len(c.HTTP.Routes) > 0 {
		r.refuse("%s: customHandler.http.routes does not go together with a %s: remove the routes", HostFile, FunctionFile)
	}
	for _, f := range functions {
		if f.Forwarded() && (!c.Forwarding || !c.Proxying) {
			r.refuse("%s: customHandler needs enableForwardingHttpRequest and enableProxyingHttpRequest, both true: one host knows the first, another "+
				"the second, and without them callers of %s do not see the status and the text of an error", HostFile, f.Name)
			return
		}
	}
}

func (h *Host) checkTimes(r *Report, plan Plan) {
	if text := h.CustomHandler.InitializationTimeout; text == "" {
		r.warn("%s: customHandler.initializationTimeout is not set: requests wait for four times %s at most while a model is loaded", HostFile, defaultInit)
	} else if d, err := timeSpan(text); err != nil || d <= 0 {
		r.refuse(`%s: customHandler.initializationTimeout is %q, expected "hh:mm:ss"`, HostFile, text)
	} else if d < defaultInit {
		r.warn("%s: customHandler.initializationTimeout is %s, less than the %s of a host without it", HostFile, d, defaultInit)
	}
	switch text := h.FunctionTimeout; text {
	case "":
	case "-1":
		if plan.MaxTimeout > 0 {
			r.refuse("%s: functionTimeout is -1, but the plan %s has no functions without a limit: expected %q or less", HostFile, plan.Name, spanOf(plan.MaxTimeout))
		}
	default:
		d, err := timeSpan(text)
		switch {
		case err != nil || d <= 0:
			r.refuse(`%s: functionTimeout is %q, expected "hh:mm:ss"`, HostFile, text)
		case plan.MaxTimeout > 0 && d > plan.MaxTimeout:
			r.refuse("%s: functionTimeout is %s, but a function of the plan %s runs for %s at most", HostFile, text, plan.Name, spanOf(plan.MaxTimeout))
		}
	}
}

var span = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(\d{1,4})\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,7})?)?$`)
})

// timeSpan reads a duration as .NET writes it, [d.]hh:mm[:ss[.fffffff]]; fractions are left out.
func timeSpan(text string) (time.Duration, error) {
	m := span().FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("azureapp: %q is no duration", text)
	}
	var n [4]int
	for i, digits := range m[1:] {
		if digits != "" {
			n[i], _ = strconv.Atoi(digits) // a few digits: the pattern says so
		}
	}
	if n[1] > 23 || n[2] > 59 || n[3] > 59 {
		return 0, fmt.Errorf("azureapp: %q is no duration", text)
	}
	return time.Duration(((n[0]*24+n[1])*60+n[2])*60+n[3]) * time.Second, nil
}

func spanOf(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}
