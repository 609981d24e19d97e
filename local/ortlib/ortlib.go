// Package ortlib fetches the ONNX Runtime library. It owns the folder lib/<os>-<arch>/ and the cache beside it; it loads
// nothing, and it does not decide which library a program uses.
//
// The library comes out of the npm package onnxruntime-node at one pinned version, which npm downloads from wherever npm is
// configured to. The archive must have the pinned SHA-512 and the library in it the pinned SHA-256, so it does not matter
// who delivers them. The archive (101 MB) is removed once the library is unpacked. Whoever packages for other machines has the
// libraries of Linux unpacked with it (58 MB), so that neither architecture needs a second download. Where npm has no network
// the archive may be put into lib/.cache by hand: it is used, and left there.
package ortlib

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Version is the version of ONNX Runtime.
const Version = "1.27.0"

// Platform is one system that there is a library for.
type Platform struct {
	GOOS, GOARCH string
	File         string // what the library is called in lib/<os>-<arch>/
	Entry        string // where it lies in the npm package
	Size         int64
	SHA256       string // hexadecimal
}

// source is an npm package with libraries in it.
type source struct {
	name, version string
	size          int64  // of the archive, for messages
	sha512        string // of the archive, base64, as npm writes its "integrity"
	platforms     []Platform
}

var onnxruntime = source{
	name: "onnxruntime-node", version: Version, size: 100893124,
	sha512: "QEzGwrvNBgv4uPVdnbHsOGG4G6T96mdlcFI8aAKPjMU8wOPpVocPXb6k3QGkaZagVTv2G9Bnnbo6Z3JdXr1fQw==",
	platforms: []Platform{
		{
			"linux", "amd64", "libonnxruntime.so", "package/bin/napi-v6/linux/x64/libonnxruntime.so.1", 38023776,
			"d8aff4aa8abee8fb2abb2f2f2459ffc94461e781e41b9f7c072829dd0d470221",
		},
		{
			"linux", "arm64", "libonnxruntime.so", "package/bin/napi-v6/linux/arm64/libonnxruntime.so.1", 20001880,
			"c36bc200e7e6c093b8abb0b34590fbdd8c52fd3fb5e33795b9523ffdde2fce0f",
		},
		{
			"darwin", "arm64", "libonnxruntime.dylib", "package/bin/napi-v6/darwin/arm64/libonnxruntime.1.27.0.dylib", 38800984,
			"89f692a3a1a224e4ad0b796b0e7c0bd81113b0741bfe84211eceef14d05a9e59",
		},
		{
			"windows", "amd64", "onnxruntime.dll", "package/bin/napi-v6/win32/x64/onnxruntime.dll", 26011960,
			"273f9ef9cf755c6a0f342226a80448156c10ceb74db2ae8c8370dc98e75af0eb",
		},
		{
			"windows", "arm64", "onnxruntime.dll", "package/bin/napi-v6/win32/arm64/onnxruntime.dll", 26834232,
			"908ce63e73f375e90daabe24c52486b42392c19df3d63973a26f871cfeab5453",
		},
	},
}

// Known is every platform that a library can be fetched for.
func Known() []Platform { return append([]Platform(nil), onnxruntime.platforms...) }

// Path is where the platform's library lies, whether or not it is there. An empty goos or goarch is this machine's.
func Path(dir, goos, goarch string) (string, error) {
	p, err := onnxruntime.platform(goos, goarch)
	if err != nil {
		return "", err
	}
	return p.path(dir)
}

// Options says what is fetched and where it goes.
type Options struct {
	Dir          string    // folder of the libraries; "" is lib in the working directory
	GOOS, GOARCH string    // "" is this machine
	Linux        bool      // from a download, unpack the libraries of Linux as well: what is packaged runs there
	Verify       bool      // compare the hash of a library that is there, not only its size
	Cache        string    // folder of downloads; "" is Dir/.cache
	NPM          string    // the npm program; "" is npm of the PATH
	Progress     io.Writer // a terminal gets one line that rewrites itself, anything else a few plain lines; nil is silence
}

// Ensure makes Dir/<os>-<arch>/<library> exist and returns its absolute path. A library that is there is left alone and costs
// neither npm nor network; a damaged one is replaced. It may be interrupted at any time and run many times at once.
func Ensure(ctx context.Context, o Options) (path string, err error) {
	return onnxruntime.ensure(ctx, o)
}

func (s *source) ensure(ctx context.Context, o Options) (string, error) {
	p, err := s.platform(o.GOOS, o.GOARCH)
	if err != nil {
		return "", err
	}
	path, err := p.path(o.Dir)
	if err != nil {
		return "", err
	}
	if p.check(path, o.Verify) == nil {
		return path, nil
	}
	m := newMeter(o.Progress, fmt.Sprintf("ONNX Runtime %s: ", s.version))
	defer m.end()
	cache, err := filepath.Abs(o.Cache)
	if o.Cache == "" {
		cache, err = filepath.Join(filepath.Dir(filepath.Dir(path)), ".cache"), nil
	}
	if err != nil {
		return "", fmt.Errorf("ortlib: cache folder: %w", err)
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("ortlib: %w", err)
	}
	unlock, alone, err := lock(ctx, filepath.Join(cache, "lock"), m)
	if err != nil {
		return "", err
	}
	defer unlock()
	list := s.libraries(p, path, o.Linux)
	damage := p.check(path, o.Verify)
	if damage == nil {
		return path, nil // somebody else fetched it meanwhile
	}
	if !errors.Is(damage, os.ErrNotExist) {
		m.line(fmt.Sprintf("%s %v: it is fetched again", path, damage))
	}
	if err := s.fetch(ctx, o.NPM, cache, list, alone, m); err != nil {
		return "", err
	}
	return path, nil
}

// libraries is what is worth unpacking: the library that was asked for, and those of Linux that are not there.
func (s *source) libraries(p Platform, path string, linux bool) []library {
	list := []library{{p, path}}
	for _, other := range s.platforms {
		if !linux || other.GOOS != "linux" || other == p {
			continue
		}
		to := filepath.Join(filepath.Dir(filepath.Dir(path)), other.folder(), other.File)
		if other.check(to, false) != nil {
			list = append(list, library{other, to})
		}
	}
	return list
}

// fetch has the archive and unpacks the libraries; it holds the lock.
func (s *source) fetch(ctx context.Context, npm, cache string, list []library, alone bool, m *meter) error {
	for _, l := range list {
		dir := filepath.Dir(l.path)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("ortlib: %w", err)
		}
		for _, old := range glob(dir, tempPrefix+"*") {
			if alone { // it is of a run that was interrupted
				_ = os.Remove(old) // best effort: it is in nobody's way
			}
		}
	}
	asked := list[0]
	archive, release, err := s.archive(ctx, npm, cache, asked.path, alone, m)
	if err != nil {
		return err
	}
	err = unpack(ctx, archive, list, m)
	if ctx.Err() == nil { // else the next run takes it over
		release()
	}
	if err != nil {
		return fmt.Errorf("ortlib: %s from %s: %w", asked.Entry, archive, err)
	}
	return nil
}

func (s *source) platform(goos, goarch string) (Platform, error) {
	goos, goarch = cmp.Or(goos, runtime.GOOS), cmp.Or(goarch, runtime.GOARCH)
	var known []string
	for _, p := range s.platforms {
		if p.GOOS == goos && p.GOARCH == goarch {
			return p, nil
		}
		known = append(known, p.GOOS+"/"+p.GOARCH)
	}
	return Platform{}, fmt.Errorf("ortlib: %s %s has no library for %s/%s (it has %s): build ONNX Runtime yourself and set ONNXRUNTIME_LIB to the file",
		s.name, s.version, goos, goarch, strings.Join(known, ", "))
}

func (p Platform) path(dir string) (string, error) {
	abs, err := filepath.Abs(filepath.Join(cmp.Or(dir, "lib"), p.folder(), p.File))
	if err != nil {
		return "", fmt.Errorf("ortlib: %w", err)
	}
	return abs, nil
}

func (p Platform) folder() string { return p.GOOS + "-" + p.GOARCH }

// check is nil when the library is there and whole; else it says what is wrong.
func (p Platform) check(path string, hash bool) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("is not a file")
	case info.Size() != p.Size:
		return fmt.Errorf("has %d bytes, expected %d", info.Size(), p.Size)
	case !hash:
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if found := hex.EncodeToString(h.Sum(nil)); found != p.SHA256 {
		return fmt.Errorf("has SHA-256 %s, expected %s", found, p.SHA256)
	}
	return nil
}

// glob is filepath.Glob for a folder whose own name may hold special characters.
func glob(dir, pattern string) []string {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range names {
		if ok, err := filepath.Match(pattern, e.Name()); ok && err == nil {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found
}
