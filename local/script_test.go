package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// code is "code N scorefn ARGS...": the command must end with status N.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if e := new(exec.ExitError); errors.As(err, &e) {
		got = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// patience bounds how long get waits for a server to listen.
const patience = 30 * time.Second

// get is "get URL": it waits for the server and prints the status and the body.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: get url")
	}
	for end := time.Now().Add(patience); ; {
		r, err := http.Get(args[0])
		if err == nil {
			show(ts, r)
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%v", err)
		}
		time.Sleep(5 * time.Millisecond) // between two tries: nothing tells when a process listens
	}
}

// post is "post URL FILE": it prints the status and the body.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: post url file")
	}
	body, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	r, err := http.Post(args[0], "application/json", bytes.NewReader(body))
	ts.Check(err)
	show(ts, r)
}

func show(ts *testscript.TestScript, r *http.Response) {
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	ts.Check(err)
	_, err = io.WriteString(ts.Stdout(), strings.TrimSpace(r.Status+" "+string(b))+"\n")
	ts.Check(err)
}
