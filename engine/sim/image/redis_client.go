package image

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// redisClient sends one command, or those that it reads, to a server.
func redisClient(c *Call) {
	t := target{host: "127.0.0.1", port: 6379}
	words := c.Args[1:]
	for len(words) > 1 && strings.HasPrefix(words[0], "-") {
		switch words[0] {
		case "-h":
			t.host = words[1]
		case "-p":
			t.port, _ = strconv.Atoi(words[1])
		}
		words = words[2:]
	}
	if len(words) > 0 {
		askRedis(c, t, words, c.Exit)
		return
	}
	var next func()
	next = func() {
		if c.Terminal {
			c.Print(fmt.Sprintf("%s:%d> ", t.host, t.port))
		}
		c.Input.Line(func(line string, ended bool) {
			words := redisWords(line)
			switch {
			case ended, len(words) == 1 && (strings.EqualFold(words[0], "exit") || strings.EqualFold(words[0], "quit")):
				c.Exit(0)
			case len(words) == 0:
				next()
			default:
				askRedis(c, t, words, func(int) { next() })
			}
		})
	}
	next()
}

// redisWords splits a line into words, some of them quoted.
func redisWords(line string) []string {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if quote := line[0]; quote == '"' || quote == '\'' {
			word, rest, _ := strings.Cut(line[1:], string(quote))
			words, line = append(words, word), rest
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		words, line = append(words, word), rest
	}
	return words
}

func askRedis(c *Call, t target, words []string, done func(code int)) {
	c.request(&t, Request{Method: redisMethod, Body: strings.Join(words, redisSeparator)}, time.Minute, nil, func(response Response, err error) {
		where := fmt.Sprintf("Could not connect to Redis at %s:%d: ", t.host, t.port)
		switch {
		case errors.Is(err, errNoSuchHost):
			c.Complain(where + "Name or service not known\n")
		case errors.Is(err, errTimeout):
			c.Complain(where + "Connection timed out\n")
		case err != nil:
			c.Complain(where + err.Error() + "\n")
		case response.Body == "":
			c.Complain("Error: Server closed the connection\n")
		default:
			c.Print(redisText(response.Body, c.Terminal))
			done(0)
			return
		}
		done(1)
	})
}

// redisText is how the client shows an answer: with types to a person, without
// to a program.
func redisText(answer string, terminal bool) string {
	value := answer[1:]
	quoted := func(text string) string {
		if terminal {
			return strconv.Quote(text)
		}
		return text
	}
	switch answer[0] {
	case ':':
		if terminal {
			value = "(integer) " + value
		}
	case '$':
		value = quoted(value)
	case '_':
		if terminal {
			value = "(nil)"
		}
	case '-':
		if terminal {
			value = "(error) " + value
		}
	case '*':
		if value == "" {
			if terminal {
				value = "(empty array)"
			}
			break
		}
		var lines []string
		for i, item := range strings.Split(value, redisSeparator) {
			if terminal {
				lines = append(lines, fmt.Sprintf("%d) %s", i+1, quoted(item)))
			} else {
				lines = append(lines, item)
			}
		}
		value = strings.Join(lines, "\n")
	}
	return value + "\n"
}
