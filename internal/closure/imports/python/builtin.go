package python

import "strings"

// BuiltIn reports whether the interpreter has a module in itself, or freezes it
// (sys.builtin_module_names of the versions in use, with the modules that some
// builds link in), or has it on other systems only.
func BuiltIn(name string) bool {
	first, _, _ := strings.Cut(name, ".")
	switch first {
	case "__main__", "_abc", "_ast", "_bisect", "_blake2", "_bootlocale", "_codecs", "_collections", "_csv", "_datetime", "_elementtree",
		"_frozen_importlib", "_frozen_importlib_external", "_functools", "_heapq", "_imp", "_io", "_locale", "_md5", "_operator", "_opcode",
		"_pickle", "_posixsubprocess", "_random", "_sha1", "_sha2", "_sha256", "_sha3", "_sha512", "_signal", "_socket", "_sre", "_stat",
		"_statistics", "_string", "_struct", "_suggestions", "_symtable", "_sysconfig", "_thread", "_tokenize", "_tracemalloc", "_typing",
		"_warnings", "_weakref", "array", "atexit", "binascii", "builtins", "cmath", "errno", "faulthandler", "fcntl", "gc", "grp",
		"itertools", "marshal", "math", "posix", "pwd", "pyexpat", "select", "spwd", "sys", "syslog", "time", "unicodedata", "xxsubtype", "zlib":
		return true
	case "winreg", "_winapi", "msvcrt", "nt", "_overlapped", "win32api", "win32con", "pywintypes", "winsound", "_scproxy", "java", "org":
		return true
	}
	return false
}
