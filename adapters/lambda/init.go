package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/modeldir"
)

// initReport is how long the report of a failed init may take.
const initReport = 2 * time.Second

// reportInit tells the Runtime API why init failed (Lambda developer guide, "Using the Lambda runtime API", Initialization
// error), so that callers and the log see more than an exit status. aws-lambda-go has no call for it.
func reportInit(ctx context.Context, api string, err error) error {
	if api == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, initReport)
	defer cancel()
	kind := initType(err)
	first, _, _ := strings.Cut(function.Reason(err).Error(), "\n") // the log has the rest
	body, err := json.Marshal(map[string]any{"errorMessage": first, "errorType": kind, "stackTrace": []string{}})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Lambda-Runtime-Function-Error-Type", kind)
	client := http.Client{Transport: &http.Transport{}} // no proxy: the Runtime API is on this machine
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body) // the answer is the status
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the Runtime API answered %s", resp.Status)
	}
	return nil
}

// initType is the errorType of a failed init. ONNX Runtime's package needs cgo, which this one does not, so that its errors
// are known by their prefix.
func initType(err error) string {
	text := function.Reason(err).Error()
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case strings.HasPrefix(text, "settings:"):
		return "Settings.Invalid"
	case errors.Is(err, modeldir.ErrAmbiguous):
		return "Model.Ambiguous"
	case errors.Is(err, modeldir.ErrNotFound), strings.HasPrefix(text, "modeldir:") && errors.Is(err, fs.ErrNotExist):
		return "Model.NotFound"
	case strings.HasPrefix(text, "modeldir:"):
		return "Model.Invalid"
	case strings.Contains(first, "onnx: library") || strings.Contains(first, "onnx: no ONNX Runtime library"):
		return "Runtime.LibraryNotFound"
	case strings.Contains(first, "onnx:"):
		return "Model.Invalid"
	}
	return "Function.InitFailed"
}
