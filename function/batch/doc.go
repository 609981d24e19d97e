// Package batch lets calls of a model that come at one time share one run: their inputs are joined along the first
// dimension, and every call gets its own rows of the outputs. It belongs below a script and above the model, so that a
// request gains whatever its body's format was. It is pure Go and knows tensors alone.
//
// # Who waits, and how long
//
// Joining is adaptive. A call that finds the model idle lets those goroutines go first that are ready to run, and runs, alone
// and on its caller's memory when none of them was a call. While as many runs go on as make sense, calls queue, and what has
// queued when a run ends is the next one. Where there is room for a further run
// but not enough rows for a full one, the oldest call waits for company: never longer than [Options.Delay], and never longer
// than a quarter of what the last run took, so that the wait cannot cost more than it may save. Where it is
// known that more calls are on their way, as with the items of an event, they are waited for even when the model is idle
// ([Joiner.Caller]).
//
// # Whose errors are whose
//
// Inputs that do not fit the model are refused before they are joined. When a joined run fails, each of its calls runs once
// more, alone, and has the answer or the error that it would have had. A call whose context ends leaves at once and hurts
// nobody; the run is stopped when all of its calls have left.
//
// # Which models
//
// Those whose inputs and outputs are tensors with a free first dimension. An output may also be a sequence with an element
// for each row, as the maps of classifiers are; an input of rank 0, or one with a default, must be equal in all calls of a
// run. What a declaration cannot tell, [Joiner.Check] tries: it compares the answers of joined rows with those of single rows,
// and joining starts only where they agree. Should outputs turn out not to have a row for each row of the inputs later,
// joining ends for good.
//
// # What it costs
//
// The check makes a run of 2 rows, one of [Options.Rows] and three of one, when the model is loaded. A run of many rows takes
// the memory of as many single ones: where that is too much, the check shows it. What is gained depends on the model:
// perceptrons read their weights once for all rows, convolutions work as long for each row as before.
package batch
