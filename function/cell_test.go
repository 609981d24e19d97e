package function

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCellLoadsOnceForConcurrentCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var loads atomic.Int32
		c := &cell[int]{load: func(context.Context) (int, error) {
			loads.Add(1)
			time.Sleep(time.Second)
			return 7, nil
		}}
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if v, err := c.get(t.Context()); v != 7 || err != nil {
					t.Errorf("got %v, %v", v, err)
				}
			})
		}
		wg.Wait()
		if v, err := c.get(t.Context()); v != 7 || err != nil { // the dull path: success twice in a row
			t.Errorf("later: got %v, %v", v, err)
		}
		if n := loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	})
}

func TestCellKeepsAFailureAndTriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		loads := 0
		bad := errors.New("bad model")
		c := &cell[int]{load: func(context.Context) (int, error) {
			loads++
			if loads == 8 {
				return loads, nil
			}
			return 0, bad
		}}
		for i, seconds := range []int{1, 2, 4, 8, 16, 30, 30} {
			wait := time.Duration(seconds) * time.Second
			if _, err := c.get(t.Context()); !errors.Is(err, bad) || loads != i+1 {
				t.Fatalf("attempt %d: %v after %d loads", i+1, err, loads)
			}
			time.Sleep(wait - time.Millisecond)
			_, err := c.get(t.Context())
			if l := new(loadError); !errors.As(err, &l) || l.wait != time.Millisecond || loads != i+1 {
				t.Fatalf("just before %v: %v, %d loads", wait, err, loads)
			}
			time.Sleep(time.Millisecond)
		}
		if v, err := c.get(t.Context()); v != 8 || err != nil {
			t.Errorf("at last: got %v, %v", v, err)
		}
	})
}

func TestCellSurvivesWhatALoadDoes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		load func(context.Context) (int, error)
		want string
	}{
		"panic":  {func(context.Context) (int, error) { panic("no weights") }, "init panicked: no weights"},
		"goexit": {func(context.Context) (int, error) { runtime.Goexit(); return 1, nil }, "init did not return"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &cell[int]{load: tt.load}
			if _, err := c.get(t.Context()); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestCellOutlivesTheCallerThatStartedIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cell[int]{load: func(ctx context.Context) (int, error) {
			time.Sleep(time.Minute)
			return 7, ctx.Err()
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller waited for the load: %v", err)
		}
		if v, err := c.get(t.Context()); v != 7 || err != nil {
			t.Errorf("the next caller got %v, %v", v, err)
		}
	})
}

func TestCellCloseHandsTheValueOutOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cell[int]{load: func(context.Context) (int, error) {
			time.Sleep(time.Minute)
			return 7, nil
		}}
		go func() { _, _ = c.get(t.Context()) }()
		synctest.Wait()
		if v, ok := c.close(); v != 7 || !ok { // waits for the load in flight
			t.Errorf("close: got %v, %v", v, ok)
		}
		if _, ok := c.close(); ok {
			t.Error("the value was handed out twice")
		}
		if _, err := c.get(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("get after close: %v", err)
		}
		if _, ok := new(cell[int]).close(); ok {
			t.Error("a cell that never loaded had a value")
		}
	})
}
