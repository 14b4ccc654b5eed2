// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of glibc whose symbol is newer than 2.28 in the glibc that the compiler's wheel is built with, over their older symbols
// of x86-64. LLVM's and libstdc++'s archives ask for them by name, so that a header (runtime/src/OldGlibc.h) would be too late:
// here are functions of these names, which the linker finds first. scripts/check_wheel.py says if one is missing.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>

// Not for other libraries, which would find these in a program instead of glibc's: so would the functions themselves.
#define HIDDEN extern "C" __attribute__((visibility("hidden")))

// OLD(result, name, version, (parameters), (arguments)): name is the function of this version.
#define OLD(RESULT, NAME, VERSION, PARAMETERS, ARGUMENTS)                                                                                  \
  extern "C" RESULT old_##NAME PARAMETERS noexcept;                                                                                        \
  __asm__(".symver old_" #NAME ", " #NAME "@GLIBC_" VERSION);                                                                              \
  __asm__(".hidden " #NAME); /*also where a compiler has declared it*/                                                                     \
  extern "C" RESULT NAME PARAMETERS noexcept { return old_##NAME ARGUMENTS; }

OLD(double, exp, "2.2.5", (double x), (x))
OLD(double, exp2, "2.2.5", (double x), (x))
OLD(double, log, "2.2.5", (double x), (x))
OLD(double, log2, "2.2.5", (double x), (x))
OLD(double, pow, "2.2.5", (double x, double y), (x, y))

// In libpthread.so.0 and libdl.so.2 until glibc 2.33, in libc.so.6 from 2.34 on.
OLD(int, pthread_attr_setstacksize, "2.2.5", (pthread_attr_t * attributes, size_t size), (attributes, size))
OLD(int, pthread_create, "2.2.5", (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument),
    (thread, attributes, start, argument))
OLD(int, pthread_getname_np, "2.12", (pthread_t thread, char *name, size_t size), (thread, name, size))
OLD(int, pthread_rwlock_rdlock, "2.2.5", (pthread_rwlock_t * lock), (lock))
OLD(int, pthread_rwlock_unlock, "2.2.5", (pthread_rwlock_t * lock), (lock))
OLD(int, pthread_rwlock_wrlock, "2.2.5", (pthread_rwlock_t * lock), (lock))
OLD(int, pthread_setname_np, "2.12", (pthread_t thread, const char *name), (thread, name))
OLD(int, pthread_sigmask, "2.2.5", (int how, const __sigset_t *set, __sigset_t *old), (how, set, old))
OLD(int, __pthread_key_create, "2.2.5", (pthread_key_t * key, void (*destroy)(void *)), (key, destroy))
OLD(int, dladdr, "2.2.5", (const void *address, void *info), (address, info))
OLD(void *, dlopen, "2.2.5", (const char *path, int mode), (path, mode))
OLD(void *, dlsym, "2.2.5", (void *library, const char *name), (library, name))
OLD(int, dlclose, "2.2.5", (void *library), (library))
OLD(int, pthread_detach, "2.2.5", (pthread_t thread), (thread))
OLD(char *, dlerror, "2.2.5", (), ())

#undef OLD

// These run what may throw.
#define OLD_THROWING(NAME, PARAMETERS, ARGUMENTS)                                                                                          \
  extern "C" int old_##NAME PARAMETERS;                                                             \
  __asm__(".symver old_" #NAME ", " #NAME "@GLIBC_2.2.5");                                                                                 \
  HIDDEN int NAME PARAMETERS { return old_##NAME ARGUMENTS; }

OLD_THROWING(pthread_join, (pthread_t thread, void **result), (thread, result))
OLD_THROWING(pthread_once, (pthread_once_t * once, void (*function)()), (once, function))

#undef OLD_THROWING

// Inline functions over others until glibc 2.32.
#define OLD_STAT(NAME, OLD, FILE)                                                                                                          \
  extern "C" int OLD(int version, FILE file, struct stat *status) noexcept;                         \
  HIDDEN int NAME(FILE file, struct stat *status) noexcept { return OLD(/*_STAT_VER of x86-64*/ 1, file, status); }

OLD_STAT(stat, __xstat, const char *)
OLD_STAT(lstat, __lxstat, const char *)
OLD_STAT(fstat, __fxstat, int)

#undef OLD_STAT

// Of libstdc++: reference counts are atomic also while there is one thread.
HIDDEN char __libc_single_threaded;
char __libc_single_threaded = 0;

HIDDEN struct mallinfo2 mallinfo2() noexcept {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  struct mallinfo known = mallinfo(); // counts up to 2 GiB
#pragma GCC diagnostic pop
  auto size = [](int value) { return static_cast<size_t>(static_cast<unsigned>(value)); };
  return {size(known.arena),    size(known.ordblks),  size(known.smblks),   size(known.hblks),    size(known.hblkhd),
          size(known.usmblks),  size(known.fsmblks),  size(known.uordblks), size(known.fordblks), size(known.keepcost)};
}

// Of libstdc++'s random_device.
HIDDEN uint32_t arc4random() noexcept {
  uint32_t value;
  if (getrandom(&value, sizeof value, 0) != sizeof value)
    abort();
  return value;
}
