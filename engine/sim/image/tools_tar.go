package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// tarTool is tar as kubectl cp uses it: c and x, to the standard output, from
// the standard input or a file.
func tarTool(c *Call) {
	mode, file, dir, members, err := tarArguments(c.Args[1:])
	if err != nil {
		fail(c, 1, "%v", err)
		return
	}
	at := Dir{c.System.Files(), c.Dir().Path(dir)}
	if !at.IsDir(".") {
		fail(c, 1, "can't change directory to '%s': %v", dir, errNoFile)
		return
	}
	switch {
	case mode == 'c':
		createTar(c, at, file, members)
	case file != "" && file != "-":
		content, err := c.Dir().Read(file)
		if err != nil {
			fail(c, 1, "can't open '%s': %v", file, err)
			return
		}
		readTar(c, at, mode, content)
	default:
		c.Input.All(func(content string) { readTar(c, at, mode, content) })
	}
}

func tarArguments(args []string) (mode byte, file, dir string, members []string, err error) {
	dir = "."
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case strings.HasPrefix(arg, "--"): // ownership and permissions, which there are none of
		case i == 0 || strings.HasPrefix(arg, "-") && arg != "-":
			for _, letter := range strings.TrimPrefix(arg, "-") {
				switch letter {
				case 'c', 'x', 't':
					mode = byte(letter)
				case 'f', 'C':
					i++
					if i == len(args) {
						return 0, "", "", nil, fmt.Errorf("option requires an argument -- '%c'", letter)
					}
					if letter == 'f' {
						file = args[i]
					} else {
						dir = args[i]
					}
				case 'm', 'p', 'v', 'o', 'h':
				default:
					return 0, "", "", nil, fmt.Errorf("the simulated tar does not know option '%c'", letter)
				}
			}
		default:
			members = append(members, arg)
		}
	}
	if mode == 0 {
		err = errors.New("must specify one of -c, -x, -t")
	}
	return mode, file, dir, members, err
}

func createTar(c *Call, at Dir, file string, members []string) {
	var archive strings.Builder
	writer := tar.NewWriter(&archive)
	code := 0
	for _, member := range members {
		if !at.Exists(member) && !at.IsDir(member) {
			c.Complain(fmt.Sprintf("tar: %s: %v\ntar: error exit delayed from previous errors\n", member, errNoFile))
			code = 1
			continue
		}
		at.Walk(member, func(name string, isDir bool) {
			header := &tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o644, ModTime: c.Now(), Typeflag: tar.TypeReg}
			content := ""
			if isDir {
				header.Name, header.Mode, header.Typeflag = header.Name+"/", 0o755, tar.TypeDir
			} else {
				content, _ = at.Read(name) // it has just been listed
				header.Size = int64(len(content))
			}
			// Writing to a strings.Builder can't fail.
			_ = writer.WriteHeader(header)
			_, _ = io.WriteString(writer, content)
		})
	}
	_ = writer.Close()
	if file == "" || file == "-" {
		c.Print(archive.String())
	} else if err := c.Dir().Write(file, archive.String(), false); err != nil {
		fail(c, 1, "can't open '%s': %v", file, err)
		return
	}
	c.Exit(code)
}

func readTar(c *Call, at Dir, mode byte, content string) {
	reader := tar.NewReader(strings.NewReader(content))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			c.Exit(0)
			return
		}
		if err != nil {
			fail(c, 1, "invalid tar header: %v", err)
			return
		}
		// A name can't lead out of the directory.
		name := strings.TrimPrefix(path.Clean("/"+header.Name), "/")
		if mode == 't' {
			c.Print(header.Name + "\n")
			continue
		}
		switch header.Typeflag {
		case tar.TypeDir:
			err = makeAll(at, name)
		case tar.TypeReg:
			var data []byte
			if data, err = io.ReadAll(reader); err == nil {
				if err = makeAll(at, path.Dir(name)); err == nil {
					err = at.Write(name, string(data), false)
				}
			}
		default:
			err = errors.New("the simulated tar knows files and directories only")
		}
		if err != nil {
			fail(c, 1, "can't open '%s': %v", header.Name, err)
			return
		}
	}
}

// makeAll makes a directory and those that it lies in, where they are missing.
func makeAll(at Dir, dir string) error {
	if dir == "" || dir == "." || dir == "/" || at.IsDir(dir) {
		return nil
	}
	if err := makeAll(at, path.Dir(dir)); err != nil {
		return err
	}
	return at.Mkdir(dir)
}
