package storage

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Message is a message that was taken from a queue, for a time.
type Message struct {
	ID           string `xml:"MessageId"`
	PopReceipt   string
	Text         string `xml:"MessageText"` // as it was put
	DequeueCount int
	Inserted     Time `xml:"InsertionTime"`
	Expires      Time `xml:"ExpirationTime"`
	NextVisible  Time `xml:"TimeNextVisible"`
}

// Time is a time as the service writes it, RFC 1123.
type Time struct{ time.Time }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Time) UnmarshalText(b []byte) (err error) {
	t.Time, err = http.ParseTime(string(b))
	return err
}

func (a *Account) queue(name string) string { return a.Queues + "/" + url.PathEscape(name) }

// CreateQueue makes a queue; one that is there already is fine.
func (a *Account) CreateQueue(ctx context.Context, name string) error {
	_, _, err := a.do(ctx, http.MethodPut, a.queue(name), nil, nil, http.StatusConflict)
	return err
}

// Put adds a message, whose text must be valid XML characters.
func (a *Account) Put(ctx context.Context, queue, text string) error {
	body, err := messageXML(text)
	if err != nil {
		return err
	}
	_, _, err = a.do(ctx, http.MethodPost, a.queue(queue)+"/messages", nil, body)
	return err
}

func messageXML(text string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("<QueueMessage><MessageText>")
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return nil, err
	}
	b.WriteString("</MessageText></QueueMessage>")
	return b.Bytes(), nil
}

// Take gets up to n messages, 32 at most, and hides them from others for so long.
func (a *Account) Take(ctx context.Context, queue string, n int, hide time.Duration) ([]Message, error) {
	q := url.Values{"numofmessages": {strconv.Itoa(n)}, "visibilitytimeout": {seconds(hide)}}
	_, answer, err := a.do(ctx, http.MethodGet, a.queue(queue)+"/messages?"+q.Encode(), nil, nil)
	if err != nil {
		return nil, err
	}
	var list struct {
		Messages []Message `xml:"QueueMessage"`
	}
	err = xml.Unmarshal(answer, &list)
	return list.Messages, err
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// Delete ends a message that was taken.
func (a *Account) Delete(ctx context.Context, queue string, m *Message) error {
	q := url.Values{"popreceipt": {m.PopReceipt}}
	_, _, err := a.do(ctx, http.MethodDelete, a.queue(queue)+"/messages/"+url.PathEscape(m.ID)+"?"+q.Encode(), nil, nil)
	return err
}

// Release makes a message that was taken visible again after that time.
func (a *Account) Release(ctx context.Context, queue string, m *Message, after time.Duration) error {
	body, err := messageXML(m.Text)
	if err != nil {
		return err
	}
	q := url.Values{"popreceipt": {m.PopReceipt}, "visibilitytimeout": {seconds(after)}}
	_, _, err = a.do(ctx, http.MethodPut, a.queue(queue)+"/messages/"+url.PathEscape(m.ID)+"?"+q.Encode(), nil, body)
	return err
}
