//go:build unix

package process_test

import (
	"fmt"
	"os"

	"github.com/scorefn/scorefn/local/process"
)

func Example() {
	p, err := process.Start(process.Spec{
		Command: []string{"/bin/sh", "-c", `echo "model $MODEL"; exit 3`},
		Env:     []string{"MODEL=digits"},
		Output:  process.NewOutput(os.Stdout),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-p.Ended()
	fmt.Println(p.State())
	// Output:
	// model digits
	// exit status 3
}
