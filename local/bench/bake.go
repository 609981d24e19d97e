package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/scorefn/scorefn/function/modeldir"
)

// bake makes the baked form of a model; it is started beside the original.
func (b *bench) bake(ctx context.Context, s *subject) error {
	b.progress("%s: baking", s.name)
	out := filepath.Join(b.Dir, "baked", s.name)
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, b.programs["scorefn"], "bake", "--model-dir", s.dir, "--out", out)
	cmd.Dir, cmd.Env = b.Root, environment("ONNXRUNTIME_LIB="+b.Library)
	if _, err := outputOf(cmd); err != nil {
		return err
	}
	repo, err := modeldir.Open(modeldir.Config{AzureMLModelDir: out})
	if err != nil {
		return err
	}
	m, err := repo.Default()
	s.baked = m.File
	return err
}
