//go:build !race

package tensor

const raceEnabled = false

// slower divides the counts of long tests.
const slower = 1
