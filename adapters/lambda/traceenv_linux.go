//go:build cgo

package lambda

/*
#cgo LDFLAGS: -ldl
*/
import "C" // traceenv_linux.c
