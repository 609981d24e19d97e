package modeldir

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is the folder's content for a log or an error, in the words of Azure ML's server: one line an entry, at most maxLines
// of them. Symbolic links are shown, not followed. It never fails: what cannot be read says so in its place.
func Tree(dir string, maxLines int) string {
	t := tree{left: max(maxLines, 0)}
	t.b.WriteString("Model Directory Contents:\n")
	t.line(0, dir+string(filepath.Separator))
	t.folder(dir, 1)
	if t.cut {
		fmt.Fprintf(&t.b, "Output Truncated. First %d lines shown.\n", max(maxLines, 0))
	}
	return t.b.String()
}

type tree struct {
	b    strings.Builder
	left int // lines
	cut  bool
}

func (t *tree) line(depth int, text string) {
	if t.left == 0 {
		t.cut = true
		return
	}
	t.left--
	fmt.Fprintf(&t.b, "%s%s\n", strings.Repeat("    ", depth), printable(text))
}

func (t *tree) folder(dir string, depth int) {
	if t.cut {
		return
	}
	// One entry more than there are lines is enough to know that the list is cut.
	entries, err := readSome(dir, t.left+1)
	if err != nil {
		t.line(depth, fmt.Sprintf("(cannot be read: %v)", why(err)))
	}
	for _, e := range entries {
		name, path := e.Name(), filepath.Join(dir, e.Name())
		switch {
		case t.cut:
			return
		case e.IsDir():
			t.line(depth, name+string(filepath.Separator))
			t.folder(path, depth+1)
		case e.Type()&os.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				target = "?"
			}
			t.line(depth, name+" -> "+target)
		default:
			size := ""
			if info, err := e.Info(); err == nil {
				size = fmt.Sprintf("  %d bytes", info.Size())
			}
			t.line(depth, name+size)
		}
	}
}

// readSome reads at most n entries of a folder, so that a huge one costs no more; they come sorted by name.
func readSome(dir string, n int) ([]os.DirEntry, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	entries, err := f.ReadDir(n)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

// printable keeps a file's name on its line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, text)
}
