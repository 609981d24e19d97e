//go:build race

package tensor

const raceEnabled = true

// slower divides the counts of long tests.
const slower = 10
