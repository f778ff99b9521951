//go:build linux || darwin || freebsd

package embedded

import "syscall"

// disk is how many bytes are free for this user, and how many there are, on
// the file system of path.
func disk(path string) (free, size uint64, err error) {
	var s syscall.Statfs_t
	for {
		if err := syscall.Statfs(path, &s); err == nil {
			break
		} else if err != syscall.EINTR {
			return 0, 0, err
		}
	}
	block := uint64(s.Bsize)
	return uint64(max(0, s.Bavail)) * block, uint64(s.Blocks) * block, nil
}
