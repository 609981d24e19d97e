//go:build !linux

package proc

import "time"

func cpu(int) (time.Duration, bool) { return 0, false }

func rss(int) (int64, bool) { return 0, false }

func tree(pid int) []int { return []int{pid} }

func program(int) string { return "" }
