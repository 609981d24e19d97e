package azure

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/scorefn/scorefn/function/blob"
	"github.com/scorefn/scorefn/function/blob/blobtest"
)

// TestAzurite runs the conformance suite against the storage of ".ci/e2e-azure".
func TestAzurite(t *testing.T) {
	t.Parallel()
	connection := os.Getenv("AZURITE")
	if connection == "" {
		t.Skip("AZURITE is not set: \"make e2e-azure\"")
	}
	getenv := func(name string) string {
		if name == "AzureWebJobsStorage" {
			return connection
		}
		return ""
	}
	a, err := readAccount(getenv)
	if err != nil {
		t.Fatal(err)
	}
	// A PUT with restype=container makes one, whatever else it says; the SDK's own client for that brings a dozen modules.
	const name = "blobtest"
	maker, err := blockblob.NewClientWithSharedKeyCredential(a.endpoint.String()+"/"+name+"?restype=container", a.key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := maker.Upload(t.Context(), streaming.NopCloser(bytes.NewReader(nil)), nil); err != nil {
		t.Fatal(err)
	}
	var stores atomic.Int64
	blobtest.Run(t, func(t *testing.T) (blob.Store, string) {
		t.Helper()
		prefix := strings.TrimSuffix(a.endpoint.String(), "/") + "/" + name + "/" + strconv.FormatInt(stores.Add(1), 10)
		return newStore(getenv), prefix
	})
}
