package s3dir_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/scorefn/scorefn/local/lambdaemu/s3dir"
)

func Example() {
	dir, err := os.MkdirTemp("", "s3-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s, err := s3dir.Open(dir, func(bucket string, o s3dir.Object) { fmt.Println("put", bucket, o.Key, o.Size) })
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	if err := s.MakeBucket("requests"); err != nil {
		fmt.Println(err)
		return
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("PUT", "/requests/a.json", strings.NewReader("{}")))
	fmt.Println(w.Code, w.Header().Get("ETag"))
	// Output:
	// put requests a.json 2
	// 200 "99914b932bd37a50b983c5e7c90ae93b"
}
