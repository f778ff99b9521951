// Package postgrestest owns real PostgreSQL servers for tests: each in a
// directory of its own, on a Unix socket, and gone when the test ends.
//
// It finds initdb and postgres in $PATH or where Debian and others put them.
// Where there are none a test is skipped with a line that says so; with $CI set
// it fails.
package postgrestest
