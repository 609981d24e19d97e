// Framework is the function as Google's builder makes it of a source folder: the Functions Framework around the target Score.
// "scorefn cloudfunctions" and the tests run it; what is deployed is the folder of "scorefn package cloudfunctions".
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"

	"github.com/scorefn/scorefn/adapters/cloudfunctions"
	"github.com/scorefn/scorefn/function"
	"github.com/scorefn/scorefn/function/score"
)

// In the deployed folder this stands in function.go.
func init() { cloudfunctions.Register("Score", function.New(score.Init)) }

// main does what the generated one does (GoogleCloudPlatform/buildpacks, cmd/go/functions_framework): it listens on every
// address at PORT. Its two handlers are on a mux that the framework does not use, so both paths reach the function.
func main() {
	http.HandleFunc("/robots.txt", http.NotFound)
	http.HandleFunc("/favicon.ico", http.NotFound)
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	if err := funcframework.Start(port); err != nil {
		fmt.Fprintln(os.Stderr, "the function could not start:", err)
		os.Exit(1)
	}
}
