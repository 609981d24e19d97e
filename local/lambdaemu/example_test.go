package lambdaemu_test

import (
	"context"
	"fmt"
	"os"

	"github.com/scorefn/scorefn/local/lambdaemu"
)

func Example() {
	self, err := os.Executable() // here a stand-in for bin/bootstrap
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := lambdaemu.New(lambdaemu.Config{Command: []string{self}, Env: []string{asFake + "=1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	a, err := e.Invoke(context.Background(), lambdaemu.Call{Payload: []byte(`{"do": "answer", "answer": [2]}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", a.Payload)
	// Output: [2]
}
