package onnx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scorefn/scorefn/function/tensor"
)

// A baked model is a model file that starts faster, with a sidecar of its stem beside it: model.ort and model.bake.json. The
// sidecar says how the file is to be loaded and what it must answer. [Bake] writes both, [Open] heeds the sidecar of what it opens.
const (
	sidecarEnd = ".bake.json"
	sourceEnd  = ".source" // of the model that was baked, where it was kept: model.onnx.source
	sidecarMax = 4 << 20
)

// Baked is the sidecar of a baked model.
type Baked struct {
	Version      int           `json:"bake"`              // of this format: 1
	File         string        `json:"file"`              // the model, beside the sidecar
	Size         int64         `json:"size"`              // of the model, in bytes
	Head         uint32        `json:"head,omitempty"`    // checksum of what the model begins with, the graph: see headOf
	Weights      string        `json:"weights,omitempty"` // file of the weights, where they are not in the model
	WeightsSize  int64         `json:"weightsSize,omitempty"`
	Source       SourceOf      `json:"source"`
	Runtime      string        `json:"onnxruntime"`            // the version that baked it
	InitOverWarm bool          `json:"initOverWarm,omitempty"` // weights are not packed for speed: loads faster, runs slower
	Inputs       []tensor.Spec `json:"inputs"`                 // as the source declares them: the .ort format forgets open ranks
	Outputs      []tensor.Spec `json:"outputs"`
	Model        *Metadata     `json:"model"`
	Golden       *golden       `json:"golden"`
}

// SourceOf is what a model was baked from.
type SourceOf struct {
	SourceFile

	Weights []SourceFile `json:"weights,omitempty"` // that are not in the model, by their names from its folder
	Kept    bool         `json:"kept,omitempty"`    // it lies beside, with .source behind its name, for when the baked one does not fit
}

// SourceFile is one file of a source.
type SourceFile struct {
	File   string `json:"file"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Bytes is the size of the source with its weights.
func (s *SourceOf) Bytes() int64 {
	n := s.Size
	for _, w := range s.Weights {
		n += w.Size
	}
	return n
}

// bakeFormat is Baked.Version.
const bakeFormat = 1

// IsModelFile tells by its name what is a model, or belongs to one that was baked: it is nothing for another model's folder.
func IsModelFile(name string) bool {
	ends := []string{".onnx", ".ort", sourceEnd, sidecarEnd}
	return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) })
}

// sidecar is the name of a model's sidecar.
func sidecar(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + sidecarEnd }

// readBaked reads the sidecar of a model file; nil when it has none.
func readBaked(path string) (*Baked, error) {
	name := sidecar(path)
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && info.Size() > sidecarMax {
		err = fmt.Errorf("it has %d bytes, at most %d are read", info.Size(), sidecarMax)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("onnx: sidecar %q: %w", name, err)
	}
	b := new(Baked)
	if err := json.Unmarshal(text, b); err != nil {
		return nil, fmt.Errorf("onnx: sidecar %q: it is damaged: bake the model again (%w)", name, err)
	}
	if b.File != filepath.Base(path) { // of another file with this stem
		return nil, nil
	}
	if b.Version != bakeFormat || b.Model == nil || b.Golden == nil {
		return nil, fmt.Errorf("onnx: sidecar %q: not one of this version of scorefn: bake the model again", name)
	}
	for _, file := range []string{b.Weights, b.Source.File} {
		if file != "" && (file != filepath.Base(file) || !filepath.IsLocal(file)) {
			return nil, fmt.Errorf("onnx: sidecar %q: it names %q, which is not beside it: bake the model again", name, file)
		}
	}
	return b, nil
}

// openBaked opens a baked model, or the one that it was made from where that was kept and the baked one does not fit.
func openBaked(ctx context.Context, path string, b *Baked, how loading) (*Session, error) {
	s, err := b.open(ctx, path, how)
	if err == nil {
		return s, nil
	}
	err = fmt.Errorf("onnx: baked model %q: %w", path, err)
	if ctx.Err() != nil {
		return nil, err
	}
	if !b.Source.Kept {
		return nil, fmt.Errorf("%w: bake it again with this ONNX Runtime, or deploy the model that it was baked from (%s)", err, b.Source.File)
	}
	slog.WarnContext(ctx, "the baked model is not used: bake it again", "error", err.Error())
	source := filepath.Join(filepath.Dir(path), b.Source.File+sourceEnd)
	sig, err := ReadSignature(source)
	if err != nil {
		return nil, err
	}
	how.ort = false
	if s, err = newSession(source, how, sig); err != nil {
		return nil, fmt.Errorf("onnx: model %q: %w", source, err)
	}
	return s, nil
}

// open opens the baked model alone.
func (b *Baked) open(ctx context.Context, path string, how loading) (*Session, error) {
	version := LibraryVersion()
	if older(version, b.Runtime) {
		return nil, fmt.Errorf("it was baked by ONNX Runtime %s, this one is %s", b.Runtime, version)
	}
	if err := sameSize(path, b.Size); err != nil {
		return nil, err
	}
	if head, err := headOf(path); err != nil || b.Head != 0 && head != b.Head {
		return nil, cmp.Or(err, fmt.Errorf("%s is damaged: its checksum is %08x, expected %08x", b.File, head, b.Head))
	}
	if b.Weights != "" {
		if err := sameSize(filepath.Join(filepath.Dir(path), b.Weights), b.WeightsSize); err != nil {
			return nil, err
		}
	}
	how.unpacked = b.InitOverWarm
	s, err := newSession(path, how, &Signature{Metadata: *b.Model, Inputs: b.Inputs, Outputs: b.Outputs})
	if err != nil {
		return nil, err
	}
	if err := b.Golden.check(ctx, s); err != nil { // which warms it up as well
		return nil, errors.Join(err, s.Close())
	}
	s.warm = true
	return s, nil
}

// headBytes holds the graph, which ONNX Runtime writes before the weights: some 100 KB for 90 MB of them.
const headBytes = 1 << 20

// headOf is the CRC-32C of the beginning of a file. A graph that was damaged can crash ONNX Runtime, which verifies less of it
// than one would wish; weights that were give other answers than the golden ones. To read them all would take its time at every start.
func headOf(path string) (uint32, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // only read
	head, err := io.ReadAll(io.LimitReader(f, headBytes))
	return crc32.Checksum(head, crc32.MakeTable(crc32.Castagnoli)), err
}

// sameSize finds files that were cut or exchanged.
func sameSize(path string, size int64) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not there", filepath.Base(path))
	}
	if err != nil {
		return err
	}
	if info.Size() != size {
		return fmt.Errorf("%s has %d bytes, expected %d", filepath.Base(path), info.Size(), size)
	}
	return nil
}

// older compares versions such as 1.27.0 by number; what is none is not older.
func older(a, b string) bool {
	var x, y [3]int
	if _, err := fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2]); err != nil {
		return false
	}
	if _, err := fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2]); err != nil {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}

// write puts the sidecar beside the baked model.
func (b *Baked) write(dir string) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", " "); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, filepath.Base(sidecar(b.File))), pretty.Bytes(), 0o644)
}
