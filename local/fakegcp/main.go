package main

import (
	_ "cloud.google.com/go/pubsub/v2"
	_ "cloud.google.com/go/pubsub/v2/pstest"
	_ "github.com/fsouza/fake-gcs-server/fakestorage"
)

func main() {}
