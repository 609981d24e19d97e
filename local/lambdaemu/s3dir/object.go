package s3dir

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"syscall"
	"time"
)

// temporary is where bodies are while they come: a name that no bucket can have.
const temporary = ".scorefn-uploads"

func (s *Server) get(w http.ResponseWriter, r *http.Request, bucket, key string) error {
	f, err := s.open(bucket, key)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	etag, err := etagOf(f)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w.Header().Set("ETag", `"`+etag+`"`)
	w.Header().Set("Content-Type", cmp.Or(mime.TypeByExtension(path.Ext(key)), "binary/octet-stream"))
	http.ServeContent(w, r, "", info.ModTime(), f) // ranges and conditions
	return nil
}

// open is the object's file, for reading.
func (s *Server) open(bucket, key string) (*os.File, error) {
	if err := s.needBucket(bucket); err != nil {
		return nil, err
	}
	f, err := s.root.Open(bucket + "/" + key)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return nil, errNoKey
		}
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close() // nothing was written
		return nil, errNoKey
	}
	return f, nil
}

// etagOf is what S3 gives an object that was put in one piece: its MD5.
func etagOf(r io.Reader) (string, error) {
	h := md5.New()
	_, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}

func (s *Server) putObject(w http.ResponseWriter, r *http.Request, bucket, key string) error {
	if err := s.needBucket(bucket); err != nil {
		return err
	}
	name, o, err := s.receive(r, key)
	if err != nil {
		return err
	}
	if err := s.place(r, name, bucket, key); err != nil {
		return errors.Join(err, s.root.Remove(name))
	}
	w.Header().Set("ETag", `"`+o.ETag+`"`)
	w.WriteHeader(http.StatusOK)
	s.put(bucket, o)
	return nil
}

// receive writes the body into a file of its own: an object is there as a whole, or not at all.
func (s *Server) receive(r *http.Request, key string) (name string, o Object, err error) {
	if err := s.root.Mkdir(temporary, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", o, err
	}
	name = temporary + "/" + unique()
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", o, err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, s.root.Remove(name))
		}
	}()
	sum := md5.New()
	n, err := io.Copy(io.MultiWriter(f, sum), checked(r))
	return name, Object{Key: key, Size: n, ETag: hex.EncodeToString(sum.Sum(nil))}, err
}

// place gives the file its name, if the request's conditions hold.
func (s *Server) place(r *http.Request, name, bucket, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.open(bucket, key)
	there := err == nil
	if err != nil && !errors.Is(err, errNoKey) {
		return err
	}
	etag := ""
	if there {
		etag, err = etagOf(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	if r.Header.Get("If-None-Match") == "*" && there {
		return errPrecondition
	}
	if want := r.Header.Get("If-Match"); want != "" {
		if !there {
			return errNoKey
		}
		if want != `"`+etag+`"` && want != etag && want != "*" {
			return errPrecondition
		}
	}
	if err := s.root.MkdirAll(bucket+"/"+path.Dir(key), 0o755); err != nil {
		return conflict(err, key)
	}
	return conflict(s.root.Rename(name, bucket+"/"+key), key)
}

// conflict explains what S3 can have and a folder cannot: the objects "a" and "a/b".
func conflict(err error, key string) error {
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) || errors.Is(err, fs.ErrExist) {
		return &s3Error{http.StatusConflict, "OperationAborted", "a folder cannot hold an object and a folder of the same name: " + key}
	}
	return err
}

// remove answers 204 whether there was an object or not, as S3 does.
func (s *Server) remove(w http.ResponseWriter, bucket, key string) error {
	if err := s.needBucket(bucket); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, err := s.open(bucket, key); err == nil {
		if err := errors.Join(f.Close(), s.root.Remove(bucket+"/"+key)); err != nil {
			return err
		}
		for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) { // folders are not objects: an empty one is nothing
			if s.root.Remove(bucket+"/"+dir) != nil {
				break
			}
		}
	} else if !errors.Is(err, errNoKey) {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
