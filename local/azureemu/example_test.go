package azureemu_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/scorefn/scorefn/local/azureemu"
)

// example is the handler of Example: it answers every message with an object.
func example() {
	err := http.ListenAndServe("127.0.0.1:"+os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"Outputs":{"result":{"path":"`+r.URL.Path+`"}}}`)
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func Example() {
	root, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)
	self, err := os.Executable() // here a stand-in for the handler
	if err != nil {
		fmt.Println(err)
		return
	}
	for name, text := range map[string]string{
		"host.json": fmt.Sprintf(`{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":%q}}}`, self),
		"score/function.json": `{"bindings":[{"type":"queueTrigger","direction":"in","name":"msg","queueName":"in"},
			{"type":"queue","direction":"out","name":"result","queueName":"out"}]}`,
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			fmt.Println(err)
			return
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			fmt.Println(err)
			return
		}
	}
	e, err := azureemu.New(azureemu.Config{Root: root, Env: []string{asFake + "=example"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	f, err := e.App().Function("score")
	if err != nil {
		fmt.Println(err)
		return
	}
	event, err := azureemu.NewEvent(f, azureemu.Input{Data: []byte("hello")})
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := e.Deliver(context.Background(), f, event)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %s %s\n", d.Outcome, d.Outputs[0].Target, d.Outputs[0].Body)
	// Output:
	// Succeeded out {
	//   "path": "/score"
	// }
}
