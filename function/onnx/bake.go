package onnx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// BakeOptions is how [Bake] makes a model.
type BakeOptions struct {
	Options

	InitOverWarm bool // load faster, run slower: for functions that are started for a few requests
	KeepSource   bool // keep the original beside, for a library that does not take the baked one
}

// Bake writes into dir a model that starts faster than the .onnx file at path, with its sidecar, and opens it to make sure
// that both answer alike. Dir must exist.
//
// The graph is optimised beforehand, at ONNX Runtime's level EXTENDED: what that does holds on every processor (level ALL
// orders the weights of convolutions for the processor at hand, and answers wrong numbers on others). A model without
// convolutions becomes model.ort, whose weights are mapped instead of read. One with them stays ONNX, with its weights in a
// file of their own, so that it is still optimised for the processor where it is loaded: as .ort it would run a third slower.
//
// A model that answers the same inputs differently each time, or that takes no tensors, is refused: nothing would show that
// it was baked well.
func Bake(ctx context.Context, path, dir string, o BakeOptions) (*Baked, error) {
	b, err := bake(ctx, path, dir, o)
	if ctx.Err() != nil { // whatever it was that it interrupted
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("onnx: bake %q: %w", path, err)
	}
	return b, nil
}

func bake(ctx context.Context, path, dir string, o BakeOptions) (*Baked, error) {
	if format, _, err := ortFormat(path); err != nil {
		return nil, err
	} else if format {
		return nil, errors.New("it is in ONNX Runtime's own format already: give the .onnx file that it was made from")
	}
	if b, err := readBaked(path); err != nil || b != nil {
		return nil, errors.Join(err, errors.New("it is baked already: give the file that it was made from"))
	}
	sig, err := ReadSignature(path)
	if err != nil {
		return nil, err
	}
	plain, err := Open(ctx, path, o.Options)
	if err != nil {
		return nil, err
	}
	defer func() { _ = plain.Close() }() // never fails
	b := &Baked{
		Version: bakeFormat, Runtime: LibraryVersion(), InitOverWarm: o.InitOverWarm,
		Inputs: sig.Inputs, Outputs: sig.Outputs, Model: &sig.Metadata,
	}
	if b.Source, err = sourceOf(ctx, path, sig.Weights); err != nil {
		return nil, err
	}
	if b.Golden, err = makeGolden(ctx, plain); err != nil {
		return nil, err
	}
	how := loading{threads: 1, concurrency: 1, bakeTo: filepath.Join(dir, "model.ort")}
	if convolves(sig) {
		how.weights = "model.onnx.data"
		how.bakeTo = filepath.Join(dir, "model.onnx")
	}
	if err := b.save(ctx, path, dir, how); err != nil {
		return nil, err
	}
	if o.KeepSource {
		b.Source.Kept = true
		if err := keep(path, filepath.Join(dir, b.Source.File+sourceEnd)); err != nil {
			return nil, err
		}
	}
	if err := b.write(dir); err != nil {
		return nil, err
	}
	return b, reopen(ctx, filepath.Join(dir, b.File), loading{threads: 1, concurrency: 1, ort: how.weights == ""})
}

// reopen makes sure that a baked model opens as it will, by what its sidecar says.
func reopen(ctx context.Context, path string, how loading) error {
	b, err := readBaked(path)
	if err != nil {
		return err
	}
	s, err := b.open(ctx, path, how)
	if err != nil {
		return fmt.Errorf("the baked model is not the same: %w", err)
	}
	return s.Close()
}

// save has ONNX Runtime write the optimised model, and notes what it wrote.
func (b *Baked) save(ctx context.Context, path, dir string, how loading) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, err := os.Stat(how.bakeTo); err == nil {
		return fmt.Errorf("%s exists already", how.bakeTo)
	}
	s, err := load(path, how) // it writes the file while it loads
	if err != nil {
		return err
	}
	if err := s.Destroy(); err != nil {
		return err
	}
	b.File = filepath.Base(how.bakeTo)
	info, err := os.Stat(how.bakeTo)
	if err != nil {
		return err
	}
	b.Size = info.Size()
	if b.Head, err = headOf(how.bakeTo); err != nil {
		return err
	}
	if how.weights == "" {
		return nil
	}
	info, err = os.Stat(filepath.Join(dir, how.weights))
	if err == nil { // a small model has none
		b.Weights, b.WeightsSize = how.weights, info.Size()
	}
	return nil
}

// convolves tells the models whose weights ONNX Runtime orders for the processor.
func convolves(sig *Signature) bool {
	for op := range sig.Ops {
		if strings.Contains(op, "Conv") {
			return true
		}
	}
	return false
}

func sourceOf(ctx context.Context, path string, weights []string) (s SourceOf, err error) {
	if s.SourceFile, err = hashed(ctx, path, filepath.Base(path)); err != nil {
		return s, err
	}
	for _, name := range weights {
		w, err := hashed(ctx, filepath.Join(filepath.Dir(path), filepath.FromSlash(name)), name)
		if err != nil {
			return s, err
		}
		s.Weights = append(s.Weights, w)
	}
	return s, nil
}

func hashed(ctx context.Context, path, name string) (SourceFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return SourceFile{}, err
	}
	defer func() { _ = f.Close() }() // only read
	sum := sha256.New()
	n, err := io.Copy(sum, &untilDone{ctx, f})
	return SourceFile{File: name, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// untilDone is a reader of something long that ends with its context.
type untilDone struct {
	ctx context.Context //nolint:containedctx // of the one read that it is made for
	r   io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}

// keep copies the source, and makes sure that it is a model without the files that lie around it.
func keep(path, to string) error {
	if err := copyFile(path, to); err != nil {
		return err
	}
	s, err := load(to, loading{threads: 1})
	if err != nil {
		return errors.Join(fmt.Errorf("the source cannot be kept, for it needs the files beside it: %w", err), os.Remove(to))
	}
	return s.Destroy()
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
