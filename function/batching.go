package function

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/scorefn/scorefn/function/batch"
)

var errNoBatcher = errors.New("the script has no model whose runs can be shared")

// joiner puts a joiner in front of the model where SCOREFN_BATCH asks for it; nil when there is none.
func (f *Function) joiner(ctx context.Context, s *scorer, runs int) *batch.Joiner {
	if f.settings.BatchRows == 0 {
		return nil
	}
	b, ok := s.script.(Batcher)
	if !ok {
		f.notJoined(ctx, s, errNoBatcher)
		return nil
	}
	j, err := b.Batch(batch.Options{
		Rows: f.settings.BatchRows, Delay: f.settings.BatchDelay, Runs: runs,
		Off: func(reason error) { f.notJoined(context.Background(), s, reason) },
	})
	if err != nil {
		f.notJoined(ctx, s, err)
		return nil
	}
	return j
}

// joins tries whether the model answers joined rows as it answers single ones. The sample shows j how rows look.
func (f *Function) joins(ctx context.Context, s *scorer, j *batch.Joiner) bool {
	if j == nil {
		return false
	}
	start := time.Now()
	f.scoreSample(ctx, s) // unless the warm-up did
	if err := recovered(func() error { return j.Check(ctx) }); err != nil {
		f.notJoined(ctx, s, err)
		return false
	}
	f.log().LogAttrs(ctx, slog.LevelInfo, "requests may share runs", slog.String("model", s.model.Name),
		slog.String("version", s.model.Version), slog.Int("rows", f.settings.BatchRows),
		ms("delayMs", f.settings.BatchDelay), ms("checkMs", time.Since(start)))
	return true
}

// notJoined says why every request has a run of its own although SCOREFN_BATCH is set.
func (f *Function) notJoined(ctx context.Context, s *scorer, reason error) {
	f.log().LogAttrs(ctx, slog.LevelWarn, "batching is off: every request has a run of its own", slog.String("model", s.model.Name),
		slog.String("version", s.model.Version), slog.String("reason", reason.Error()))
}
