package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"
)

// nativeSession is the wrapper's OrtSession*: the first field of its AdvancedSession, a pointer to which is the only field
// of its DynamicAdvancedSession. This is the one place that reaches into the wrapper. It holds for the version in go.mod;
// TestWrapperLayout fails when that changes.
func nativeSession(s *ort.DynamicAdvancedSession) unsafe.Pointer {
	return **(**unsafe.Pointer)(unsafe.Pointer(s))
}

// ortFormat tells ONNX Runtime's own format from ONNX protobuf, by the identifier in the file. Either way the size of the
// file comes back.
func ortFormat(path string) (yes bool, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, 0, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return false, 0, err
	}
	var head [8]byte
	if _, err := io.ReadFull(f, head[:]); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, 0, err
	}
	return bytes.Equal(head[4:], []byte("ORTM")), info.Size(), nil
}

// loading is how a session is made.
type loading struct {
	ort         bool // the file is in ONNX Runtime's own format
	large       bool // from smallModel on
	threads     int
	concurrency int
	unpacked    bool // leave the weights as they are, see Baked.InitOverWarm

	bakeTo  string // not "": write the optimised model there, for which nothing is done that holds for this processor alone
	weights string // not "": and its weights into this file beside it, as ONNX
}

// load makes the session. The model is read by path: files of weights beside it are found then, and no copy of it is made.
func load(path string, how loading) (_ *ort.DynamicAdvancedSession, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.Destroy()) }()
	if err := configure(o, how); err != nil {
		return nil, err
	}
	s, err := ort.NewDynamicAdvancedSession(abs, nil, nil, o)
	if err != nil {
		return nil, explain(err)
	}
	return s, nil
}

// configure sets the options of DESIGN.md, "session defaults". The memory arena and the memory pattern stay as they are:
// anything else was measured to use more memory. What fails says so in its error: ONNX Runtime is not to print it to
// standard error as well, with colours, between the lines of a JSON log.
func configure(o *ort.SessionOptions, how loading) error {
	var level ort.GraphOptimizationLevel = ort.GraphOptimizationLevelEnableAll
	keys := [][2]string{{"session.intra_op.allow_spinning", "0"}} // spinning costs 20 times the CPU at low load
	if how.ort {
		// Such a file is optimised already. Mapped, its weights are neither read nor copied; without these keys the format
		// is slower and larger than .onnx.
		level = ort.GraphOptimizationLevelDisableAll
		keys = append(keys, [2]string{"session.load_model_format", "ORT"},
			[2]string{"session.use_memory_mapped_ort_model", "1"},
			[2]string{"session.use_ort_model_bytes_for_initializers", "1"})
	}
	if how.unpacked {
		keys = append(keys, [2]string{"session.disable_prepacking", "1"})
	}
	if how.bakeTo != "" {
		level = ort.GraphOptimizationLevelEnableExtended
		if how.weights == "" {
			keys = append(keys, [2]string{"session.save_model_format", "ORT"})
		} else {
			keys = append(keys, [2]string{"session.optimized_model_external_initializers_file_name", how.weights},
				[2]string{"session.optimized_model_external_initializers_min_size_in_bytes", "1024"})
		}
		if err := o.SetOptimizedModelFilePath(how.bakeTo); err != nil {
			return err
		}
	}
	err := errors.Join(
		o.SetIntraOpNumThreads(how.threads),
		o.SetInterOpNumThreads(1),
		o.SetExecutionMode(ort.ExecutionModeSequential),
		o.SetLogSeverityLevel(ort.LoggingLevelFatal),
		o.SetGraphOptimizationLevel(level),
	)
	for _, kv := range keys {
		err = errors.Join(err, o.AddSessionConfigEntry(kv[0], kv[1]))
	}
	return err
}

// explain makes an *Error of what the wrapper says about a failed load (it drops the code), with a remedy where one is known.
func explain(err error) error {
	msg := strings.TrimPrefix(err.Error(), "Error creating C session from file: ")
	e := &Error{Code: CodeUnknown, Msg: msg}
	if strings.Contains(msg, "Failed to construct locale") {
		return fmt.Errorf("the operator StringNormalizer needs the system locale en_US.UTF-8: install the package \"locales\", run "+
			"\"localedef -i en_US -f UTF-8 DIR/en_US.UTF-8\" and set LOCPATH=DIR: %w", e)
	}
	return e
}
