package util

// Umask does nothing: the browser's file system has no permissions.
func Umask(int) (int, error) {
	return 0, nil
}
