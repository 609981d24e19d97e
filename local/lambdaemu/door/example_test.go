package door_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/scorefn/scorefn/local/lambdaemu"
	"github.com/scorefn/scorefn/local/lambdaemu/door"
)

func Example() {
	f := function(func(_ context.Context, c lambdaemu.Call) (*lambdaemu.Answer, error) {
		fmt.Println("format 2.0:", strings.Contains(string(c.Payload), `"version":"2.0"`))
		return &lambdaemu.Answer{Payload: []byte(`{"statusCode": 201, "body": "done"}`)}, nil
	})
	w := httptest.NewRecorder()
	door.Mux(f, nil).ServeHTTP(w, httptest.NewRequest("POST", "/http-api/score", strings.NewReader(`{"data": []}`)))
	fmt.Println(w.Code, w.Body)
	// Output:
	// format 2.0: true
	// 201 done
}
