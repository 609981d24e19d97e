package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// script writes an executable shell script.
func script(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte("#!/bin/sh\nset -e\n"+text), 0o755))
}

// The installers are stand-ins that note how they were called: what they install needs a network.
func TestSetupPeers(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	bin, source := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	script(t, bin+"/python3", `mkdir -p bin; cp "$(dirname "$0")/pip" bin/pip`)
	script(t, bin+"/pip", `case "$*" in *mlserver*) echo no such package >&2; exit 1;; esac; touch bin/azmlinfsrv bin/uvicorn; echo "$@" > pip.args`)
	script(t, bin+"/npm", `grep -q onnxruntime-node package.json; mkdir -p node_modules/onnxruntime-node; echo "$@" > npm.args`)
	must(t, os.MkdirAll(source+"/local/bench/peers/node", 0o755))
	must(t, os.WriteFile(source+"/local/bench/peers/node/package.json", []byte(`{"dependencies": {"onnxruntime-node": "1"}}`), 0o600))
	err := SetupPeers(t.Context(), source, PeerNames(), t.Logf)
	if err == nil || !strings.Contains(err.Error(), "mlserver could not be installed") || !strings.Contains(err.Error(), "no such package") || strings.Contains(err.Error(), "fastapi") {
		t.Errorf("got %v, want an error about mlserver alone", err)
	}
	args, err := os.ReadFile(source + "/dist/peers/fastapi/pip.args")
	must(t, err)
	if want := source + "/local/bench/peers/fastapi/requirements.txt"; !strings.Contains(string(args), want) {
		t.Errorf("pip was called with %s, want %s", args, want)
	}
	args, err = os.ReadFile(source + "/dist/peers/node/npm.args")
	must(t, err)
	if !strings.Contains(string(args), "--ignore-scripts") {
		t.Errorf("npm was called with %s", args)
	}

	b := &bench{Config: Config{Root: source, Dir: t.TempDir(), Peers: []string{"fastapi", "node", "mlserver"}}}
	var names []string
	for _, e := range b.peerEntrants(&subject{file: "/m/model.onnx", body: []byte("{}"), v2: []byte("{}")}) {
		names = append(names, e.name)
		cmd := e.serve(t.Context(), "127.0.0.1:4321")
		if text := strings.Join(append(cmd.Args, cmd.Env...), " "); !strings.Contains(text, "4321") || !slices.Contains(cmd.Env, "BENCH_MODEL=/m/model.onnx") {
			t.Errorf("%s is started with %s", e.name, text)
		}
	}
	if want := []string{"FastAPI, uvicorn", "Node, onnxruntime-node"}; !slices.Equal(names, want) {
		t.Errorf("%q take part, want those that are installed and wanted: %q", names, want)
	}
	if err := SetupPeers(t.Context(), source, []string{"fastapi"}, func(format string, _ ...any) {
		if !strings.Contains(format, "is set up already") {
			t.Errorf("a second time: %s", format)
		}
	}); err != nil {
		t.Error(err)
	}
}

// Every peer has its script and what it needs, at one release of ONNX Runtime.
func TestPeerFiles(t *testing.T) {
	t.Parallel()
	for _, p := range peers {
		name := "requirements.txt"
		if p.name == "node" {
			name = "package.json"
		}
		needs, err := os.ReadFile(filepath.Join("peers", p.name, name))
		must(t, err)
		if !strings.Contains(string(needs), "1.27.0") {
			t.Errorf("%s does not ask for ONNX Runtime 1.27.0:\n%s", p.name, needs)
		}
	}
}
