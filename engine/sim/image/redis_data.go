package image

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Commands reach a simulated Redis as requests of this method, whose body holds
// the words. An answer is one letter for its type (+ status, : integer, $ text,
// _ nothing, - error, * list) and the value.
const (
	redisMethod    = "RESP"
	redisSeparator = "\x00"
)

// redisData is what a server keeps: texts, and lists.
type redisData struct {
	texts  map[string]string
	lists  map[string][]string
	config map[string]string
}

func newRedisData(config string) *redisData {
	d := &redisData{texts: map[string]string{}, lists: map[string][]string{}, config: map[string]string{
		"maxmemory": "0", "maxmemory-policy": "noeviction", "appendonly": "no", "save": "3600 1 300 100 60 10000", "port": "6379",
	}}
	for line := range strings.Lines(config) {
		if fields := strings.Fields(line); len(fields) > 1 && !strings.HasPrefix(fields[0], "#") {
			d.config[strings.ToLower(fields[0])] = redisSize(strings.Join(fields[1:], " "))
		}
	}
	return d
}

// redisSize makes a number of bytes of "2mb".
func redisSize(text string) string {
	for unit, bytes := range map[string]int{"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30} {
		if number, ok := strings.CutSuffix(strings.ToLower(text), unit); ok {
			if n, err := strconv.Atoi(number); err == nil {
				return strconv.Itoa(n * bytes)
			}
		}
	}
	return text
}

// arity is how many words a command has at least, itself included.
var arity = map[string]int{
	"ping": 1, "echo": 2, "set": 3, "get": 2, "del": 2, "exists": 2, "incr": 2, "decr": 2, "keys": 2, "dbsize": 1, "flushall": 1,
	"rpush": 3, "lpush": 3, "lpop": 2, "rpop": 2, "llen": 2, "lrange": 4, "config": 3,
}

func (d *redisData) do(words []string) string {
	if len(words) == 0 || words[0] == "" {
		return "-ERR unknown command ''"
	}
	command := strings.ToLower(words[0])
	least, known := arity[command]
	switch {
	case !known:
		return fmt.Sprintf("-ERR unknown command '%s', with args beginning with: ", words[0])
	case len(words) < least:
		return fmt.Sprintf("-ERR wrong number of arguments for '%s' command", command)
	}
	key := ""
	if len(words) > 1 {
		key = words[1]
	}
	switch command {
	case "ping":
		return "+PONG"
	case "echo":
		return "$" + key
	case "set":
		delete(d.lists, key)
		d.texts[key] = words[2]
		return "+OK"
	case "get":
		if value, ok := d.texts[key]; ok {
			return "$" + value
		}
		return "_"
	case "incr":
		return d.add(key, 1)
	case "decr":
		return d.add(key, -1)
	case "del", "exists":
		return d.each(words[1:], command == "del")
	case "keys", "dbsize":
		names := slices.Sorted(maps.Keys(d.texts))
		names = append(names, slices.Sorted(maps.Keys(d.lists))...)
		if command == "dbsize" {
			return ":" + strconv.Itoa(len(names))
		}
		return "*" + strings.Join(names, redisSeparator)
	case "flushall":
		clear(d.texts)
		clear(d.lists)
		return "+OK"
	case "config":
		value, ok := d.config[strings.ToLower(words[2])]
		if !strings.EqualFold(key, "get") || !ok {
			return "*"
		}
		return "*" + strings.ToLower(words[2]) + redisSeparator + value
	}
	return d.list(command, key, words[2:])
}

func (d *redisData) each(keys []string, remove bool) string {
	count := 0
	for _, key := range keys {
		_, isText := d.texts[key]
		_, isList := d.lists[key]
		if isText || isList {
			count++
		}
		if remove {
			delete(d.texts, key)
			delete(d.lists, key)
		}
	}
	return ":" + strconv.Itoa(count)
}

func (d *redisData) add(key string, n int) string {
	value := 0
	if text, ok := d.texts[key]; ok {
		var err error
		if value, err = strconv.Atoi(text); err != nil {
			return "-ERR value is not an integer or out of range"
		}
	}
	d.texts[key] = strconv.Itoa(value + n)
	return ":" + d.texts[key]
}

// list runs a command on a list, which is a queue if its ends are used so.
func (d *redisData) list(command, key string, args []string) string {
	if _, isText := d.texts[key]; isText {
		return "-WRONGTYPE Operation against a key holding the wrong kind of value"
	}
	items := d.lists[key]
	answer := ""
	switch command {
	case "rpush":
		items = append(items, args...)
	case "lpush":
		for _, item := range args {
			items = append([]string{item}, items...)
		}
	case "lpop", "rpop":
		if len(items) == 0 {
			return "_"
		}
		at := 0
		if command == "rpop" {
			at = len(items) - 1
		}
		answer = "$" + items[at]
		items = slices.Delete(slices.Clone(items), at, at+1)
	case "lrange":
		first, last := position(args[0], len(items)), position(args[1], len(items))
		if first > last || first >= len(items) {
			return "*"
		}
		return "*" + strings.Join(items[max(first, 0):min(last+1, len(items))], redisSeparator)
	}
	if d.lists[key] = items; len(items) == 0 {
		delete(d.lists, key)
	}
	if answer == "" {
		answer = ":" + strconv.Itoa(len(items))
	}
	return answer
}

// position counts from the end if it is negative.
func position(text string, length int) int {
	n, _ := strconv.Atoi(text)
	if n < 0 {
		n += length
	}
	return n
}
