package main

import (
	"context"
	"errors"
	"os"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
)

// What things are called in the stand-in for Pub/Sub.
const (
	project      = "local"
	objectTopic  = "objects"
	objectPushes = "function"
)

// topics is Pub/Sub: a topic that Cloud Storage publishes to, and the subscription of the function. pstest
// sends on what was given up again and again, so a dead-letter topic is not among them: the bridge counts deliveries itself.
type topics struct {
	server *pstest.Server
	client *pubsub.Client
}

func openTopics(ctx context.Context) (*topics, error) {
	t := &topics{server: pstest.NewServer()}
	// fake-gcs-server's client has no other way to be told.
	if err := os.Setenv("PUBSUB_EMULATOR_HOST", t.server.Addr); err != nil {
		return nil, errors.Join(err, t.server.Close())
	}
	var err error
	if t.client, err = pubsub.NewClient(ctx, project); err != nil {
		return nil, errors.Join(err, t.server.Close())
	}
	if err := t.make(ctx); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *topics) make(ctx context.Context) error {
	const topic = "projects/" + project + "/topics/" + objectTopic
	if _, err := t.client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: topic}); err != nil {
		return err
	}
	_, err := t.client.SubscriptionAdminClient.CreateSubscription(ctx, &pubsubpb.Subscription{
		Name: "projects/" + project + "/subscriptions/" + objectPushes, Topic: topic, AckDeadlineSeconds: 600, // Eventarc's is the longest, too
	})
	return err
}

func (t *topics) close() error { return errors.Join(t.client.Close(), t.server.Close()) }
