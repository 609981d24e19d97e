package s3dir

import (
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

type content struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
}

type prefix struct{ Prefix string }

// listResult is ListObjectsV2's: docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html.
type listResult struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Namespace             string   `xml:"xmlns,attr"`
	Name                  string
	Prefix                string
	Delimiter             string `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	KeyCount              int
	MaxKeys               int
	IsTruncated           bool
	Contents              []content
	CommonPrefixes        []prefix
}

// maxKeys is the API's longest page.
const maxKeys = 1000

func (s *Server) list(w http.ResponseWriter, r *http.Request, bucket string) error {
	if err := s.needBucket(bucket); err != nil {
		return err
	}
	q := r.URL.Query()
	if q.Has("location") {
		writeXML(w, http.StatusOK, struct {
			XMLName xml.Name `xml:"LocationConstraint"`
		}{})
		return nil
	}
	limit := maxKeys
	if text := q.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return &s3Error{http.StatusBadRequest, "InvalidArgument", "max-keys must be a number from 0"}
		}
		limit = min(n, maxKeys)
	}
	after := q.Get("start-after")
	if token := q.Get("continuation-token"); token != "" {
		b, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return &s3Error{http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect"}
		}
		after = string(b)
	}
	all, err := s.keys(bucket, q.Get("prefix"))
	if err != nil {
		return err
	}
	page := listResult{
		Namespace: namespace, Name: bucket, Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"), MaxKeys: limit,
		StartAfter: q.Get("start-after"), ContinuationToken: q.Get("continuation-token"), EncodingType: q.Get("encoding-type"),
	}
	if err := s.fill(&page, bucket, all, after); err != nil {
		return err
	}
	page.encode()
	writeXML(w, http.StatusOK, page)
	return nil
}

// fill takes what comes after the key or common prefix that the page before ended with.
func (s *Server) fill(page *listResult, bucket string, all []string, after string) error {
	last := ""
	for _, key := range all {
		name, common := key, false
		if rest := key[len(page.Prefix):]; page.Delimiter != "" {
			if head, _, found := strings.Cut(rest, page.Delimiter); found {
				name, common = page.Prefix+head+page.Delimiter, true
			}
		}
		if name <= after || common && name == last {
			continue
		}
		if page.KeyCount == page.MaxKeys {
			page.IsTruncated = page.MaxKeys > 0
			if page.IsTruncated {
				page.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(last))
			}
			return nil
		}
		last = name
		page.KeyCount++
		if common {
			page.CommonPrefixes = append(page.CommonPrefixes, prefix{name})
			continue
		}
		c, err := s.content(bucket, key)
		if err != nil {
			return err
		}
		page.Contents = append(page.Contents, c)
	}
	return nil
}

func (p *listResult) encode() {
	if p.EncodingType != "url" {
		return
	}
	for i := range p.Contents {
		p.Contents[i].Key = url.QueryEscape(p.Contents[i].Key)
	}
	for i := range p.CommonPrefixes {
		p.CommonPrefixes[i].Prefix = url.QueryEscape(p.CommonPrefixes[i].Prefix)
	}
	p.Prefix, p.Delimiter, p.StartAfter = url.QueryEscape(p.Prefix), url.QueryEscape(p.Delimiter), url.QueryEscape(p.StartAfter)
}

func (s *Server) content(bucket, key string) (content, error) {
	f, err := s.open(bucket, key)
	if err != nil {
		return content{}, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return content{}, err
	}
	etag, err := etagOf(f)
	return content{Key: key, LastModified: stamp(info.ModTime()), ETag: `"` + etag + `"`, Size: info.Size(), StorageClass: "STANDARD"}, err
}

// keys is every object's, in the order of S3: by bytes.
func (s *Server) keys(bucket, prefix string) ([]string, error) {
	dir, err := fs.Sub(s.root.FS(), bucket)
	if err != nil {
		return nil, err
	}
	var all []string
	err = fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() && strings.HasPrefix(name, prefix) {
			all = append(all, name)
		}
		return nil
	})
	slices.Sort(all)
	return all, err
}

func (s *Server) listBuckets(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return errUnknown
	}
	entries, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return err
	}
	type bucket struct{ Name, CreationDate string }
	var all []bucket
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && e.IsDir() && validBucket(e.Name()) {
			all = append(all, bucket{e.Name(), stamp(info.ModTime())})
		}
	}
	slices.SortFunc(all, func(a, b bucket) int { return cmp.Compare(a.Name, b.Name) })
	writeXML(w, http.StatusOK, struct {
		XMLName   xml.Name `xml:"ListAllMyBucketsResult"`
		Namespace string   `xml:"xmlns,attr"`
		Buckets   []bucket `xml:"Buckets>Bucket"`
	}{Namespace: namespace, Buckets: all})
	return nil
}
