package score_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/onnx/onnxtest"
)

// label is what an image of the held-out set shows.
type label struct{ true, predicted string }

// heldOut reads the 360 images that the bundled model was not trained on: pixels as the text of a JSON array, and labels.
func heldOut(tb testing.TB) (images []string, labels []label) {
	tb.Helper()
	file, err := os.Open("../../model/train/heldout.csv")
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	for _, row := range rows[1:] {
		labels = append(labels, label{row[0], row[1]})
		images = append(images, "["+strings.Join(row[2:], ",")+"]")
	}
	if len(images) != 360 {
		tb.Fatalf("%d held-out images, want 360", len(images))
	}
	return images, labels
}

// The accuracy of the bundled model, through the public API, all images in one request. It is reported by -v.
func TestBundledModelReadsTheHeldOutDigits(t *testing.T) {
	t.Parallel()
	onnxtest.Library(t)
	images, labels := heldOut(t)
	server := httptest.NewServer(function.Handler(newFunction(t)))
	t.Cleanup(server.Close)
	r, err := http.Post(server.URL+"/score", "application/json", strings.NewReader(`{"data": [`+strings.Join(images, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var got []json.Number
	if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.StatusCode != 200 || len(got) != len(images) {
		t.Fatalf("status %d, %d answers, %v", r.StatusCode, len(got), err)
	}
	right := 0
	for i, l := range labels {
		if got[i].String() != l.predicted {
			t.Errorf("image %d: got %v, numpy answered %v", i, got[i], l.predicted)
		}
		if got[i].String() == l.true {
			right++
		}
	}
	t.Logf("%d of %d held-out images are right: %.4f", right, len(images), float64(right)/float64(len(images)))
	if float64(right) < 0.985*float64(len(images)) {
		t.Errorf("%d of %d right, want 98.5 %%", right, len(images))
	}
}
