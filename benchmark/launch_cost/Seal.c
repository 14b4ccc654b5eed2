/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A filter of system calls (seccomp), for all threads. */

#define _GNU_SOURCE
#include "Seal.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef __x86_64__
#error "expected x86-64: the numbers and registers of system calls are its"
#endif

/* `path` is the register of the call's file name. */
static const struct {
  const char *name;
  int number, path;
} kForbidden[] = {{"open", SYS_open, REG_RDI},
                  {"creat", SYS_creat, REG_RDI},
                  {"openat", SYS_openat, REG_RSI},
                  {"openat2", SYS_openat2, REG_RSI},
                  {"open_by_handle_at", SYS_open_by_handle_at, -1},
                  {"execve", SYS_execve, REG_RDI},
                  {"execveat", SYS_execveat, REG_RSI},
                  {"fork", SYS_fork, -1},
                  {"vfork", SYS_vfork, -1},
                  {"clone (not of a thread)", SYS_clone, -1}};
enum { kCalls = sizeof(kForbidden) / sizeof(kForbidden[0]) };

static void onBroken(int signal, siginfo_t *info, void *context) {
  (void)signal;
  const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
  char text[512];
  int length = snprintf(text, sizeof(text), "seal broken: system call %d", info->si_syscall);
  for (int i = 0; i < kCalls; ++i)
    if (kForbidden[i].number == info->si_syscall)
      length = snprintf(text, sizeof(text), "seal broken: %s %.400s", kForbidden[i].name,
                        kForbidden[i].path < 0 ? "" : (const char *)registers[kForbidden[i].path]);
  text[length] = '\n';
  ssize_t ignored = write(STDERR_FILENO, text, (size_t)length + 1);
  (void)ignored;
  _exit(FP8GEMM_SEAL_BROKEN);
}

int fp8gemm_seal(void) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_sigaction = onBroken;
  action.sa_flags = SA_SIGINFO;
  if (sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return errno;

  struct sock_filter filter[16 + 2 * kCalls];
  unsigned short count = 0;
#define EMIT(...) filter[count++] = (struct sock_filter)__VA_ARGS__
  const unsigned load = BPF_LD | BPF_W | BPF_ABS, equal = BPF_JMP | BPF_JEQ | BPF_K, end = BPF_RET | BPF_K;
  EMIT(BPF_STMT(load, offsetof(struct seccomp_data, arch)));
  EMIT(BPF_JUMP(equal, AUDIT_ARCH_X86_64, 1, 0));
  EMIT(BPF_STMT(end, SECCOMP_RET_TRAP));
  EMIT(BPF_STMT(load, offsetof(struct seccomp_data, nr)));
  /* Its flags are in memory, which filters cannot see; if it is missing, the C library uses clone. */
  EMIT(BPF_JUMP(equal, SYS_clone3, 0, 1));
  EMIT(BPF_STMT(end, SECCOMP_RET_ERRNO | ENOSYS));
  EMIT(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1)); /* of the x32 ABI */
  EMIT(BPF_STMT(end, SECCOMP_RET_TRAP));
  EMIT(BPF_JUMP(equal, SYS_clone, 0, 4));
  EMIT(BPF_STMT(load, offsetof(struct seccomp_data, args[0])));
  EMIT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
  EMIT(BPF_STMT(end, SECCOMP_RET_ALLOW));
  EMIT(BPF_STMT(end, SECCOMP_RET_TRAP));
  for (int i = 0; i < kCalls; ++i) {
    EMIT(BPF_JUMP(equal, (unsigned)kForbidden[i].number, 0, 1));
    EMIT(BPF_STMT(end, SECCOMP_RET_TRAP));
  }
  EMIT(BPF_STMT(end, SECCOMP_RET_ALLOW));
#undef EMIT
  struct sock_fprog program = {count, filter};
  long failed = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  return failed == 0 ? 0 : failed > 0 ? EBUSY : errno; /* > 0: a thread that has another filter */
}
