package node

import "strings"

// BuiltIn reports whether node has a module in itself (module.builtinModules).
func BuiltIn(name string) bool {
	name, prefixed := strings.CutPrefix(name, "node:")
	first, _, _ := strings.Cut(name, "/")
	switch first {
	case "assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram", "diagnostics_channel",
		"dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module", "net", "os", "path", "perf_hooks", "process",
		"punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys", "timers", "tls", "trace_events", "tty", "url",
		"util", "v8", "vm", "wasi", "worker_threads", "zlib":
		return true
	}
	return prefixed
}
