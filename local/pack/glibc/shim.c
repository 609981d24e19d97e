// Linked into a program, this file makes it start with an older GNU C library than the one it is built with.
//
// Version 2.34 took pthread_create, dlopen and others from their own libraries into libc and gave them a new version, and
// __libc_start_main a new duty; a program that is linked there asks for 2.34, although the functions themselves did not
// change. Each has kept its first version for programs of old: with --wrap the linker sends every call to the functions here,
// and these call that first version. The program then names libpthread and libdl as well, where an old system has them.
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>

#if defined(__x86_64__)
#define FIRST "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define FIRST "GLIBC_2.17"
#else
#error "there is no oldest version of the GNU C library for this architecture"
#endif

#define WRAP(result, name, parameters, arguments)                                                                              \
  result first_##name parameters;                                                                                              \
  __asm__(".symver first_" #name "," #name "@" FIRST);                                                                         \
  result __wrap_##name parameters { return first_##name arguments; }

WRAP(int, pthread_create, (pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg), (t, a, run, arg))
WRAP(int, pthread_key_create, (pthread_key_t *k, void (*destroy)(void *)), (k, destroy))
WRAP(int, pthread_setspecific, (pthread_key_t k, const void *v), (k, v))
WRAP(int, pthread_attr_getstack, (const pthread_attr_t *a, void **stack, size_t *size), (a, stack, size))
WRAP(int, pthread_attr_getstacksize, (const pthread_attr_t *a, size_t *size), (a, size))
WRAP(int, pthread_getattr_np, (pthread_t t, pthread_attr_t *a), (t, a))
WRAP(int, pthread_sigmask, (int how, const sigset_t *set, sigset_t *old), (how, set, old))
WRAP(void *, dlopen, (const char *file, int mode), (file, mode))
WRAP(void *, dlsym, (void *lib, const char *name), (lib, name))
WRAP(int, dlclose, (void *lib), (lib))
WRAP(char *, dlerror, (void), ())

// The start-up code of 2.34 leaves it to libc to run what has to run before main and after it. The first
// __libc_start_main wants to be told.
typedef void initializer(int, char **, char **);
typedef void finalizer(void);

#define HIDDEN __attribute__((visibility("hidden")))
extern initializer *__preinit_array_start[] HIDDEN, *__preinit_array_end[] HIDDEN;
extern initializer *__init_array_start[] HIDDEN, *__init_array_end[] HIDDEN;
extern finalizer *__fini_array_start[] HIDDEN, *__fini_array_end[] HIDDEN;
extern void _init(void), _fini(void);

static void before(int argc, char **argv, char **env) {
  for (initializer **f = __preinit_array_start; f < __preinit_array_end; f++) (*f)(argc, argv, env);
  _init();
  for (initializer **f = __init_array_start; f < __init_array_end; f++) (*f)(argc, argv, env);
}

static void after(void) {
  for (finalizer **f = __fini_array_end; f > __fini_array_start;) (*--f)();
  _fini();
}

typedef int mainer(int, char **, char **);

int first_start(mainer *m, int argc, char **argv, initializer *init, finalizer *fini, finalizer *loader, void *stack);
__asm__(".symver first_start,__libc_start_main@" FIRST);

int __wrap___libc_start_main(mainer *m, int argc, char **argv, initializer *init, finalizer *fini, finalizer *loader, void *stack) {
  return first_start(m, argc, argv, init ? init : before, fini ? fini : after, loader, stack);
}
