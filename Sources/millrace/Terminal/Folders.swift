#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A path as a person in the current folder would write it: below it without the folder, else as it is.
func shownPath(_ path: String) -> String {
  guard path.hasPrefix("/"), let here = currentFolder() else { return path }
  let prefix = here == "/" ? here : here + "/"
  return path.hasPrefix(prefix) && path.utf8.count > prefix.utf8.count ? String(path.dropFirst(prefix.count)) : path
}

private func currentFolder() -> String? {
  guard let path = getcwd(nil, 0) else { return nil }
  defer { free(path) }
  return String(cString: path)
}

func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
