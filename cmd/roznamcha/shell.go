package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// shellWord is s as one word of a POSIX shell.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-:@%+=,", r)
	}
	if s != "" && strings.TrimLeftFunc(s, plain) == "" && !strings.HasPrefix(s, "-") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// ledgerFlags are the flags that name the ledger, as they were typed, each after
// a space: what a command must have that is told to be typed next.
func (p *program) ledgerFlags() (flags string) {
	if p.dirGiven {
		flags += " --dir " + shellWord(p.dir)
	}
	if p.nats != "" {
		flags += " --nats " + shellWord(p.nats)
	}
	if p.context != "" {
		flags += " --context " + shellWord(p.context)
	}
	return flags
}

// ownName is how to call this program again: by the words that ran it from
// source, by its name where the shell finds it, or by its path.
func ownName() string {
	path, err := os.Executable()
	if err != nil {
		return "roznamcha"
	}
	if strings.Contains(path, string(filepath.Separator)+"go-build") {
		return goRun()
	}
	name := filepath.Base(path)
	if found, err := exec.LookPath(name); err == nil && sameFile(found, path) {
		return name
	}
	return shellWord(path)
}

// goRun is how to run this program from its source, as seen from the working
// directory.
func goRun() string {
	if _, err := os.Stat(filepath.Join("cmd", "roznamcha", "main.go")); err == nil {
		return "go run ./cmd/roznamcha"
	}
	return "go run ."
}

func sameFile(a, b string) bool {
	one, err1 := os.Stat(a)
	other, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(one, other)
}
