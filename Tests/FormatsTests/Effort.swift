/// Whether the tests were compiled with optimization. Where they were not, every check is kept, maybe a sanitizer's too, and the same
/// loop takes fifty times as long.
let isOptimized: Bool = {
  var optimized = true
  assert({
    optimized = false
    return true
  }())
  return optimized
}()

/// How often a test of random input goes round. `make test` goes all of it; a debug build, which looks at every step of the same code
/// with more eyes, a part.
func rounds(_ count: Int) -> Int { isOptimized ? count : max(1, count / 6) }
