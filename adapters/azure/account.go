package azure

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
)

// account is the configured storage account: of a connection string (Azure Storage documentation, "Configure Azure Storage
// connection strings") or of an identity-based connection (Azure Functions developer guide, "Configure an identity-based
// connection").
type account struct {
	name     string // of the setting
	endpoint *url.URL
	key      *blob.SharedKeyCredential // nil for none
	sas      string
	clientID string // of the managed identity, "" for the system-assigned one
}

// The account of Azurite, which everybody knows (Azurite documentation, "Connection strings").
const (
	devAccount  = "devstoreaccount1"
	devKey      = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	devEndpoint = "http://127.0.0.1:10000/" + devAccount
)

// readAccount reads the connection. Without one there is an account without an endpoint, which owns nothing.
func readAccount(getenv func(string) string) (*account, error) {
	get := func(name string) string { return strings.TrimSpace(getenv(name)) }
	a := &account{name: cmp.Or(get("SCOREFN_CONNECTION"), "AzureWebJobsStorage")}
	a.clientID = cmp.Or(get(a.name+"__clientId"), get("AZURE_CLIENT_ID"))
	endpoint := cmp.Or(get(a.name+"__blobServiceUri"), get(a.name+"__serviceUri"))
	if name := get(a.name + "__accountName"); endpoint == "" && name != "" {
		endpoint = "https://" + name + ".blob.core.windows.net"
	}
	var err error
	if text := get(a.name); text != "" {
		if endpoint, err = a.connect(text); err != nil {
			return nil, fmt.Errorf("settings: %s is no connection string of a storage account: %w", a.name, err)
		}
	}
	if endpoint != "" {
		if a.endpoint, err = url.Parse(endpoint); err != nil || a.endpoint.Host == "" {
			return nil, fmt.Errorf("settings: the blob endpoint of %s is no URL", a.name)
		}
	}
	return a, nil
}

// connect reads a connection string and returns the endpoint. What is wrong is told without it: it has the key.
func (a *account) connect(text string) (endpoint string, err error) {
	values := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return "", errors.New("expected NAME=VALUE;NAME=VALUE")
		}
		values[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	name, key := values["accountname"], values["accountkey"]
	endpoint = values["blobendpoint"]
	if equal(values["usedevelopmentstorage"], "true") {
		name, key, endpoint = devAccount, devKey, cmp.Or(endpoint, devEndpoint)
	}
	if endpoint == "" && name != "" {
		endpoint = cmp.Or(values["defaultendpointsprotocol"], "https") + "://" + name + ".blob." + cmp.Or(values["endpointsuffix"], "core.windows.net")
	}
	a.sas = strings.TrimPrefix(values["sharedaccesssignature"], "?")
	switch {
	case endpoint == "":
		return "", errors.New("it has neither AccountName nor BlobEndpoint")
	case a.sas != "":
	case name == "" || key == "":
		return "", errors.New("it has neither AccountName with AccountKey nor SharedAccessSignature")
	default:
		if a.key, err = blob.NewSharedKeyCredential(name, key); err != nil {
			return "", errors.New("AccountKey is not in base64")
		}
	}
	return endpoint, nil
}

// owns tells a URL of the account. An emulator has the account's name in the path.
func (a *account) owns(u *url.URL) bool {
	if a.endpoint == nil || !equal(u.Scheme, a.endpoint.Scheme) || !equal(u.Host, a.endpoint.Host) {
		return false
	}
	prefix := strings.Trim(a.endpoint.Path, "/")
	return prefix == "" || strings.HasPrefix(u.Path, "/"+prefix+"/")
}

// suffixes are the hosts of blobs in Azure's clouds (Azure documentation, "Azure Storage account overview", endpoints, and
// those of the clouds of China, of the US government and of Germany).
var suffixes = []string{
	".blob.core.windows.net", ".blob.core.chinacloudapi.cn", ".blob.core.usgovcloudapi.net", ".blob.core.cloudapi.de",
	".blob.storage.azure.net",
}

// isAzure tells a URL of Azure's own storage. Nobody else has a host below those.
func isAzure(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	if u.Scheme != "https" || u.Port() != "" && u.Port() != "443" {
		return false
	}
	for _, suffix := range suffixes {
		if name, ok := strings.CutSuffix(host, suffix); ok && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" {
			return true
		}
	}
	return false
}
