package embedded

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// addressFile is where a directory keeps the address of its server.
const addressFile = "address"

// address is where a server that lets others in is found, and what it lets them
// in by: kept, so that who has its URL finds it after a restart too.
type address struct {
	// Dir is the directory that it belongs to, absolute.
	Dir   string `json:"dir"`
	Token string `json:"token"`
	// Port is the one of the last time, 0 before the first.
	Port int `json:"port"`
}

// wellFormed is a token as rand.Text makes it.
var wellFormed = regexp.MustCompile(`^[A-Z2-7]{26,}$`)

// addressOf is what is kept in dir. Where nothing is, it is a new one, and so it
// is where the file belongs to another directory, that dir is a copy of: who
// publishes to the one must not come to the other.
func addressOf(dir string) (address, error) {
	place, err := filepath.Abs(dir)
	if err == nil {
		place, err = filepath.EvalSymlinks(place)
	}
	if err != nil {
		return address{}, dirError(dir, err)
	}
	place = strings.ToValidUTF8(place, "?") // as JSON can hold it
	path := filepath.Join(dir, addressFile)
	b, err := os.ReadFile(path)
	var kept address
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return address{}, dirError(dir, err)
	case json.Unmarshal(b, &kept) != nil, !wellFormed.MatchString(kept.Token), kept.Port != int(uint16(kept.Port)):
		return address{}, fmt.Errorf("the file %s is damaged, which has the token of this server. Try: restore it from a copy, or delete it: whoever connects needs the new address then", path)
	case kept.Dir == place:
		return kept, dirError(dir, os.Chmod(path, fileMode)) // nobody else is to know
	}
	return address{Dir: place, Token: rand.Text()}, nil
}

// keep puts the address, with the port where the server is now, into the file of
// dir, unless it stands there. A crash within leaves what was there, or this. So
// does a full disk: that is no reason not to let others read.
func (a address) keep(dir string, port int) error {
	if a.Port == port {
		return nil
	}
	a.Port = port
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	err = replace(filepath.Join(dir, addressFile), append(b, '\n'))
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return nil
	}
	return dirError(dir, err)
}

// replace puts a file that only its owner may read in the place of path.
func replace(path string, content []byte) error {
	next := path + ".new"
	file, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(fileMode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		_ = os.Remove(next)
	}
	return err
}
