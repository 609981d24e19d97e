package lambda

import (
	"testing"

	"github.com/scorefn/scorefn/function/settings/settingstest"
)

func TestReadmeListsTheSettings(t *testing.T) {
	t.Parallel()
	settingstest.Listed(t, "README.md", Settings())
}
