package tensor

import (
	"sync"
	"unsafe"
)

// Batch is the memory of one call: its values and the buffers under them, kept from call to call so that a warm call
// allocates nothing. A Batch belongs to one goroutine at a time. What it holds is valid until Reset or Release.
type Batch struct {
	Values []Value
	slots  []slot
	arena  []uint64
	scan   scan
}

// slot is memory that the Batch owns for one value. Values may point elsewhere: only slots are reused.
type slot struct {
	data  []uint64
	shape []int64
	strs  []string
}

// keepBytes is the largest buffer that goes back to the pool: one huge request must not hold its memory for good.
const keepBytes = 8 << 20

var batches = sync.Pool{New: func() any { return new(Batch) }}

// GetBatch takes an empty Batch from the pool. Give it back with Release.
func GetBatch() *Batch { return batches.Get().(*Batch) }

// Release gives b back to the pool. Nothing that b held may be used afterwards.
func (b *Batch) Release() {
	b.Reset(0)
	if cap(b.arena)*8 > keepBytes {
		b.arena = nil
	}
	b.scan.trim()
	for i := range b.slots {
		s := &b.slots[i]
		if cap(s.data)*8 > keepBytes {
			s.data = nil
		}
		clear(s.strs[:cap(s.strs)])
		if cap(s.strs)*16 > keepBytes {
			s.strs = nil
		}
	}
	batches.Put(b)
}

// Reset makes b hold n values, all of KindNone, and keeps its memory.
func (b *Batch) Reset(n int) {
	clear(b.Values)
	b.Values = b.Values[:0]
	for range n {
		b.Values = append(b.Values, Value{Kind: KindNone})
	}
	for len(b.slots) < n {
		b.slots = append(b.slots, slot{})
	}
}

// SetTensor makes value i a tensor over data, which b does not copy, of a shape that it does.
func (b *Batch) SetTensor(i int, d DType, shape []int64, data []byte) {
	s := &b.slots[i]
	s.shape = append(s.shape[:0], shape...)
	b.Values[i] = Value{Tensor: Tensor{DType: d, Shape: s.shape, Data: data}}
}

// Arena is n bytes of memory shared by all values of b, 64-byte aligned, of undefined content. A second call in the same
// use of b takes the first one's memory away.
func (b *Batch) Arena(n int) []byte {
	b.arena = sized(b.arena, n)
	return bytesOfWords(b.arena, n)
}

// sized is w with room for n bytes; what it held is lost when it has to grow.
func sized(w []uint64, n int) []uint64 {
	words := (n + 7) / 8
	if cap(w) < words {
		return aligned(words)
	}
	return w[:words]
}

// aligned is memory that begins at a multiple of 64 bytes, a cache line and the widest vector: kernels add elements up in an
// order that depends on it, and answers are to be the same from request to request.
func aligned(words int) []uint64 {
	const line = 64
	w := make([]uint64, words+line/8-1)
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(w)))%line) / 8
	return w[off : off+words : off+words]
}

func bytesOfWords(w []uint64, n int) []byte {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), n)
}
