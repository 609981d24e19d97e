package blob_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/scorefn/scorefn/function/blob"
)

func Example() {
	ctx := context.Background()
	store := blob.Mux{"mem": blob.Mem()} // and "s3", "gs", "file": each its own

	for range 2 { // an event may come twice
		err := store.Put(ctx, "mem://results/a b.json", "application/json", []byte(`[1,2]`))
		fmt.Println(err == nil, errors.Is(err, blob.ErrExists))
	}
	object, body, err := blob.Read(ctx, store, "mem://results/a b.json", 1<<20)
	fmt.Println(object.ContentType, string(body), err)
	// Output:
	// true false
	// false true
	// application/json [1,2] <nil>
}
