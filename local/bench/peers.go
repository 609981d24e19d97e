package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// peer is something that one would use instead; its script is in local/bench/peers/NAME, what it needs in dist/peers/NAME.
type peer struct {
	name, title string
	program     string // inside its folder in dist/peers: it is set up when this is there
	args        func(script, installed, addr, model string) []string
	env         func(installed, addr string) []string
	v2          bool // takes the Open Inference Protocol
}

var peers = []peer{
	{
		name: "azureml", title: "azureml-inference-server-http", program: "bin/azmlinfsrv",
		args: func(script, _, addr, _ string) []string {
			return []string{"--entry_script", filepath.Join(script, "score.py"), "--port", port(addr)}
		},
	},
	{
		name: "fastapi", title: "FastAPI, uvicorn", program: "bin/uvicorn",
		args: func(script, _, addr, _ string) []string {
			return []string{"--app-dir", script, "app:app", "--host", "127.0.0.1", "--port", port(addr)}
		},
	},
	{
		name: "mlserver", title: "MLServer", program: "bin/mlserver", v2: true,
		args: func(script, _, _, _ string) []string { return []string{"start", script} },
		env: func(_, addr string) []string {
			return []string{"MLSERVER_HTTP_PORT=" + port(addr), "MLSERVER_GRPC_PORT=0", "MLSERVER_METRICS_ENDPOINT="}
		},
	},
	{
		name: "node", title: "Node, onnxruntime-node", program: "node_modules/onnxruntime-node",
		args: func(script, _, addr, model string) []string {
			return []string{filepath.Join(script, "server.cjs"), port(addr), model}
		},
		env: func(installed, _ string) []string {
			return []string{"NODE_PATH=" + filepath.Join(installed, "node_modules")}
		},
	},
}

// PeerNames is what [Config.Peers] may name.
func PeerNames() []string {
	var names []string
	for _, p := range peers {
		names = append(names, p.name)
	}
	return names
}

func (b *bench) installed(p peer) string { return filepath.Join(b.Root, "dist", "peers", p.name) }

// peerEntrants is the peers that are set up and wanted.
func (b *bench) peerEntrants(s *subject) (all []*entrant) {
	for _, p := range peers {
		installed := b.installed(p)
		if !slices.Contains(b.Peers, p.name) || !exists(filepath.Join(installed, p.program)) {
			continue
		}
		script := filepath.Join(b.Root, "local", "bench", "peers", p.name)
		program := filepath.Join(installed, p.program)
		if p.name == "node" {
			program = "node"
		}
		e := &entrant{name: p.title, peer: true, serve: func(ctx context.Context, addr string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, program, p.args(script, installed, addr, s.file)...)
			cmd.Dir = b.Dir
			cmd.Env = environment("BENCH_MODEL="+s.file, "PYTHONDONTWRITEBYTECODE=1")
			if p.env != nil {
				cmd.Env = append(cmd.Env, p.env(installed, addr)...)
			}
			return cmd
		}}
		if p.v2 {
			if s.v2 == nil {
				continue
			}
			e.path, e.body, e.values = "/v2/models/model/infer", s.v2, v2Numbers
		}
		e.defaults(s)
		all = append(all, e)
	}
	return all
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// SetupPeers installs the peers into dist/peers, with python3 and npm, which download what they need. One that cannot be
// installed does not hinder the others.
func SetupPeers(ctx context.Context, root string, names []string, progress func(format string, a ...any)) error {
	b := &bench{Config: Config{Root: root}}
	var failed error
	for _, p := range peers {
		if !slices.Contains(names, p.name) {
			continue
		}
		into := b.installed(p)
		if exists(filepath.Join(into, p.program)) {
			progress("%s is set up already: delete %s to do it again", p.name, into)
			continue
		}
		progress("installing %s into %s (a minute or more)", p.name, into)
		if err := b.install(ctx, p, into); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s could not be installed: %w", p.name, err))
		}
	}
	return failed
}

func (b *bench) install(ctx context.Context, p peer, into string) error {
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	from := filepath.Join(b.Root, "local", "bench", "peers", p.name)
	if strings.HasPrefix(p.program, "node_modules") {
		manifest, err := os.ReadFile(filepath.Join(from, "package.json"))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(into, "package.json"), manifest, 0o600); err != nil {
			return err
		}
		// Its install script fetches libraries for graphics cards.
		_, err = output(ctx, into, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts")
		return err
	}
	if _, err := output(ctx, into, "python3", "-m", "venv", "."); err != nil {
		return err
	}
	_, err := output(ctx, into, filepath.Join(into, "bin", "pip"), "install", "-q", "-r", filepath.Join(from, "requirements.txt"))
	return err
}
