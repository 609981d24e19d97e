package azure

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/settings"
)

// table is everything that the adapter reads of the environment beside the core's settings, and the only place that says so.
var table = []settings.Setting{
	{Name: "SCOREFN_POISON", Default: "fail", Doc: "what becomes of a message that can never be scored. fail (or poison): the invocation fails, so that retries end in the poison queue or the dead letters. drop: it is logged and acknowledged, and its error goes to the output bindings"},
	{Name: "SCOREFN_OUTPUT", Doc: "https://account.blob.core.windows.net/container/prefix where the answers to events are stored as well, one blob each"},
	{Name: "SCOREFN_CONNECTION", Default: "AzureWebJobsStorage", Doc: "name of the setting that holds the connection string of the storage account; with NAME__accountName or NAME__blobServiceUri in place of a string the managed identity is used"},
	{Name: "AzureWebJobsStorage", Doc: "connection string of the function app's storage account, or UseDevelopmentStorage=true for Azurite"},
	{Name: "AZURE_CLIENT_ID", Doc: "client id of a user-assigned managed identity for storage; NAME__clientId beats it. The system-assigned one by default"},
	{Name: "FUNCTIONS_CUSTOMHANDLER_PORT", Doc: "set by the Functions host; the port on 127.0.0.1 that is served"},
	{Name: "FUNCTIONS_APP_ROOT_PATH", Doc: "set by the Functions host; the folder of host.json and of the functions; the current one by default"},
	{Name: "AzureFunctionsJobHost__functionTimeout", Doc: "beats functionTimeout of host.json, as for the host"},
	{Name: "AzureFunctionsJobHost__extensions__http__routePrefix", Doc: "beats extensions.http.routePrefix of host.json, as for the host"},
	{Name: "AzureFunctionsJobHost__customHandler__enableForwardingHttpRequest", Doc: "beats customHandler.enableForwardingHttpRequest of host.json, as for the host"},
	{Name: "AzureFunctionsJobHost__customHandler__enableProxyingHttpRequest", Doc: "beats customHandler.enableProxyingHttpRequest of host.json, as for the host"},
	{Name: "AzureFunctionsJobHost__customHandler__initializationTimeout", Doc: "beats customHandler.initializationTimeout of host.json, as for the host"},
	{Name: "WEBSITE_SKU", Doc: "set by Azure; without functionTimeout, the limit is 5 minutes on Dynamic and where it is not set, 30 elsewhere"},
	{Name: "IDENTITY_ENDPOINT", Doc: "set by Azure where the app has a managed identity; where tokens for storage come from"},
	{Name: "IDENTITY_HEADER", Doc: "set by Azure, see IDENTITY_ENDPOINT"},
}

// Settings is the table of the adapter's own environment, in the order in which it is printed.
func Settings() []settings.Setting { return settings.Grouped("Azure Functions", table) }

// environment is the table, parsed, apart from what concerns the app's files and the store.
type environment struct {
	drop   bool
	output string
	port   string
	root   string
}

// readEnvironment reads it through getenv, where "" means not set. The error names each bad value.
func readEnvironment(getenv func(string) string) (environment, error) {
	r := settings.NewReader(getenv)
	e := environment{
		drop:   r.Word("SCOREFN_POISON", "fail", "drop", "poison") == "drop",
		output: r.Text("SCOREFN_OUTPUT"),
		port:   r.Text("FUNCTIONS_CUSTOMHANDLER_PORT"),
		root:   cmp.Or(r.Text("FUNCTIONS_APP_ROOT_PATH"), "."),
	}
	if e.output != "" {
		scheme, host, path, err := blob.Split(e.output)
		if err != nil || host == "" || strings.Trim(path, "/") == "" || scheme == "https" && !wellFormed(e.output) {
			r.Refuse("SCOREFN_OUTPUT", blob.Redact(e.output), "https://account.blob.core.windows.net/container/prefix")
		}
	}
	return e, r.Err()
}

// wellFormed tells a URL without the parts that a blob's has not.
func wellFormed(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.User == nil && u.Fragment == ""
}
