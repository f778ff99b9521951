// Package smalldisk gives a test a disk of its own that is soon full. It is for
// tests only; what fills and what must hold is theirs.
package smalldisk
