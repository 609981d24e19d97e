// Package proc tells what another process costs: its CPU time to the nanosecond, its memory, its children. Only Linux tells
// (/proc, clock_gettime); elsewhere nothing is known, and the tables show a dash.
package proc

import "time"

// CPU is the CPU time that the process has used, all of its threads together; ok is false when it cannot be told.
func CPU(pid int) (d time.Duration, ok bool) { return cpu(pid) }

// RSS is the process's resident memory in bytes; ok is false when it cannot be told.
func RSS(pid int) (n int64, ok bool) { return rss(pid) }

// Tree is the process and all that descend from it; just the process where that cannot be told.
func Tree(pid int) []int { return tree(pid) }

// Of is the tree's CPU time and memory; 0 for what cannot be told.
func Of(pid int) (d time.Duration, bytes int64) {
	for _, p := range Tree(pid) {
		c, _ := CPU(p)
		m, _ := RSS(p)
		d, bytes = d+c, bytes+m
	}
	return d, bytes
}

// Running is the descendants of a process that run the executable of that path.
func Running(pid int, executable string) (pids []int) {
	for _, p := range Tree(pid)[1:] {
		if program(p) == executable {
			pids = append(pids, p)
		}
	}
	return pids
}
