// SPDX-License-Identifier: GPL-3.0-or-later
// A dynamically linked program looks at what the kernel did for its loader: what the vector says,
// mappings of libraries, loading more of them, and programs whose loader is not what it should be.
//
//   dynamic       prints what is wrong, and "dynamic: N wrong"; status 1 when there was any
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOADS = 50, THREADS = 4, BROKEN_SIZE = 200, PATH_SIZE = 600 };

extern __thread long part1_counter;
extern int *const part1_table[2];
extern int part1_chosen(void), part1_constructed(void);
extern long part1_count(void);

extern char **environ;
static int wrong;
static char *self; // this program's file, in memory
static size_t self_size;
static char self_path[PATH_SIZE], interpreter[PATH_SIZE];

static void check(int ok, const char *what, long a, long b)
{
    if (!ok) {
        printf("wrong: %s: %ld %ld\n", what, a, b);
        wrong++;
    }
}

static int main_headers(struct dl_phdr_info *info, size_t size, void *data)
{
    *(struct dl_phdr_info *)data = *info; // the first is the program
    return 1;
}

static void test_vector(void)
{
    const Elf64_Ehdr *base = (const void *)getauxval(AT_BASE);
    check(base && !memcmp(base->e_ident, ELFMAG, SELFMAG) && base->e_type == ET_DYN, "AT_BASE",
          (long)base, 0);
    struct dl_phdr_info info = { 0 };
    dl_iterate_phdr(main_headers, &info);
    check(getauxval(AT_PHDR) == (uintptr_t)info.dlpi_phdr &&
              getauxval(AT_PHNUM) == info.dlpi_phnum && getauxval(AT_PHENT) == sizeof(Elf64_Phdr),
          "AT_PHDR", (long)getauxval(AT_PHDR), (long)info.dlpi_phdr);
    const Elf64_Ehdr *own = (const void *)self;
    check(getauxval(AT_ENTRY) == own->e_entry + info.dlpi_addr, "AT_ENTRY",
          (long)getauxval(AT_ENTRY), 0);
    const Elf64_Ehdr *vdso = (const void *)getauxval(AT_SYSINFO_EHDR);
    check(vdso && !memcmp(vdso->e_ident, ELFMAG, SELFMAG), "AT_SYSINFO_EHDR", (long)vdso, 0);
    check(!getauxval(AT_SECURE) && getauxval(AT_PAGESZ) == 4096, "AT_SECURE", 0, 0);
    check(!strcmp((const char *)getauxval(AT_EXECFN), self_path), "AT_EXECFN", 0, 0);
}

static void *count_in_thread(void *data)
{
    long (*late)(void) = data;
    return (void *)(part1_count() + 1000 * late());
}

// Each thread has its own of the data of both objects, the late one's too.
static void test_thread_data(void)
{
    void *object = dlopen("libdynamic_part2.so", RTLD_NOW);
    long (*late)(void) = object ? (long (*)(void))dlsym(object, "part2_count") : NULL;
    check(late != NULL, "dlopen", 0, 0);
    if (!late)
        return;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count_in_thread, (void *)late);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        check((long)result == 102 + 1000 * 202, "data of a thread", (long)result, i);
    }
    check(part1_counter == 100, "data of the first thread", part1_counter, 0);
    dlclose(object);
}

static int map_lines(void)
{
    char line[PATH_SIZE];
    int lines = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof(line), f))
        lines += strstr(line, "dynamic") != NULL; // of this program and its objects
    if (f)
        fclose(f);
    return lines;
}

static void test_loading(void)
{
    int before = map_lines();
    check(before > 4, "lines of maps", before, 0);
    for (int i = 0; i < LOADS; i++) {
        void *object = dlopen("libdynamic_part2.so", RTLD_NOW);
        int (*chosen)(void) = object ? (int (*)(void))dlsym(object, "part2_chosen") : NULL;
        int (*constructed)(void) = object ? (int (*)(void))dlsym(object, "part2_constructed") : 0;
        check(chosen && chosen() == 42 && constructed && constructed() == 2, "late object", i, 0);
        check(map_lines() > before, "it is mapped", i, 0);
        if (object)
            dlclose(object);
    }
    check(map_lines() == before, "what is left of it", map_lines(), before);
    check(part1_chosen() == 41 && part1_constructed() == 1, "linked object", part1_chosen(), 0);
    check(!dlopen("libno_such.so", RTLD_NOW) && strstr(dlerror(), "No such file"), "no object", 0,
          0);
}

static int signal_of(void (*act)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        act();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void write_relocated(void)
{
    *(int *volatile *)part1_table = NULL;
}

static void write_code(void)
{
    *(volatile char *)(uintptr_t)part1_count = 0;
}

static void test_protection(void)
{
    check(*part1_table[0] == 1, "relocated data", *part1_table[0], 0);
    check(signal_of(write_relocated) == SIGSEGV, "relocated data is written", 0, 0);
    check(signal_of(write_code) == SIGSEGV, "code is written", 0, 0);
}

// A private mapping of a file: what is written stays with who writes, page by page.
static void test_private_mapping(void)
{
    int f = open(self_path, O_RDONLY);
    size_t size = 3 * 4096;
    char *a = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_DENYWRITE, f, 0);
    char *b = mmap(NULL, size, PROT_READ, MAP_SHARED, f, 0);
    check(a != MAP_FAILED && b != MAP_FAILED, "map", errno, 0);
    a[4096] = (char)~a[4096];
    check(a[4096] != b[4096] && !memcmp(a, b, 4096) && !memcmp(a + 8192, b + 8192, 4096),
          "copied page", a[4096], b[4096]);
    // What a loader does: room for all, then pieces of the file over it, and zeros over the tail.
    char *room = mmap(NULL, 4 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(mmap(room + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, f, 4096) == room + 4096 &&
              mmap(room + 8192, 4096, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == room + 8192,
          "pieces", errno, 0);
    check(!memcmp(room + 4096, b + 4096, 4096) && room[8192] == 0, "pieces' content", 0, 0);
    check(!mprotect(room, 4 * 4096, PROT_READ) && room[0] == 0 && room[3 * 4096] == 0, "protect",
          errno, 0);
    check(open(self_path, O_WRONLY) == -1 && errno == ETXTBSY, "writing what runs", errno, 0);
    check(mprotect(b, 4096, PROT_READ | PROT_WRITE) == -1 && errno == EACCES, "shared, writable",
          errno, 0);
    munmap(a, size);
    munmap(b, size);
    munmap(room, 4 * 4096);
    close(f);
}

static int write_file(const char *path, const void *bytes, size_t size, int mode)
{
    unlink(path);
    int f = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    int ok = f >= 0 && write(f, bytes, size) == (ssize_t)size;
    close(f);
    return ok;
}

// The error that executing the file ends with; 0 when it ran.
static int exec_error(const char *path)
{
    char *arguments[] = { (char *)path, "child", NULL };
    int ends[2], error = 0;
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    pid_t child = fork();
    if (child == 0) {
        close(2); // a copy does not find its objects, and says so
        execv(path, arguments);
        error = errno;
        (void)!write(ends[1], &error, sizeof(error));
        _exit(1);
    }
    close(ends[1]);
    if (read(ends[0], &error, sizeof(error)) < 0)
        error = -1;
    close(ends[0]);
    waitpid(child, NULL, 0);
    return error;
}

static Elf64_Phdr *interpreter_header(char *file)
{
    Elf64_Phdr *p = (void *)(file + ((Elf64_Ehdr *)file)->e_phoff);
    for (int i = 0; i < ((Elf64_Ehdr *)file)->e_phnum; i++)
        if (p[i].p_type == PT_INTERP)
            return &p[i];
    return NULL;
}

// A copy of this program that names another loader; `size` 0: of the path's length.
static int error_with(const char *path, size_t size)
{
    static const char copy_path[] = "/tmp/dynamic.copy";
    char *copy = malloc(self_size);
    memcpy(copy, self, self_size);
    Elf64_Phdr *p = interpreter_header(copy);
    memset(copy + p->p_offset, 0, p->p_filesz);
    memcpy(copy + p->p_offset, path, strlen(path));
    p->p_filesz = size ? size : strlen(path) + 1;
    check(write_file(copy_path, copy, self_size, 0755), "copy", errno, 0);
    free(copy);
    int error = exec_error(copy_path);
    unlink(copy_path);
    return error;
}

static void test_broken_loaders(void)
{
    char text[BROKEN_SIZE];
    memset(text, 'x', sizeof(text));
    write_file("/tmp/text", text, sizeof(text), 0755);
    write_file("/tmp/data", text, sizeof(text), 0644);
    const struct {
        const char *path;
        size_t size;
        int error;
    } cases[] = {
        { interpreter, 0, 0 },       { "/tmp/none", 0, ENOENT },    { "/tmp", 0, EACCES },
        { "/tmp/data", 0, EACCES },  { "/tmp/text", 0, ELIBBAD },   { "/tmp/text", 9, ENOEXEC },
        { "/tmp/text", 1, ENOEXEC }, { "/tmp/text/x", 0, ENOTDIR }, { "/tmp/text", 1u << 30, -1 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int error = error_with(cases[i].path, cases[i].size);
        check(cases[i].error < 0 ? error > 0 : error == cases[i].error, cases[i].path, error,
              (long)i);
    }
    unlink("/tmp/text");
    unlink("/tmp/data");
}

// What a program prints that is started with these arguments and one more variable.
static void output_of(char *to, size_t room, const char *path, char **arguments, char *variable)
{
    int ends[2], status;
    char *variables[] = { "PART_SAYS=1", variable, NULL };
    posix_spawn_file_actions_t actions;
    pid_t child;
    memset(to, 0, room);
    posix_spawn_file_actions_init(&actions);
    if (pipe2(ends, O_CLOEXEC) || posix_spawn_file_actions_adddup2(&actions, ends[1], 1))
        return;
    int error = posix_spawn(&child, path, &actions, NULL, arguments, variables);
    close(ends[1]);
    for (ssize_t n; room > 1 && (n = read(ends[0], to, room - 1)) > 0; room -= (size_t)n)
        to += n;
    close(ends[0]);
    if (!error)
        waitpid(child, &status, 0);
    check(!error && status == 0, "spawn", error, 0);
    posix_spawn_file_actions_destroy(&actions);
}

static void test_starts(void)
{
    char text[PATH_SIZE], preload[PATH_SIZE + 32], *slash;
    char *plain[] = { self_path, "child", NULL };
    char *by_loader[] = { interpreter, self_path, "child", NULL };
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", self_path);
    slash = strrchr(preload, '/');
    strcpy(slash, "/libdynamic_part2.so");
    output_of(text, sizeof(text), self_path, plain, NULL);
    check(!strcmp(text, "part 1\nchild\n"), text, 0, 0);
    output_of(text, sizeof(text), self_path, plain, preload);
    check(strstr(text, "part 1\n") && strstr(text, "part 2\n") && strstr(text, "child\n"), text, 0,
          0);
    output_of(text, sizeof(text), self_path, plain, "LD_BIND_NOW=1");
    check(!strcmp(text, "part 1\nchild\n"), text, 0, 0);
    output_of(text, sizeof(text), interpreter, by_loader, NULL);
    check(!strcmp(text, "part 1\nchild\n"), text, 0, 0);
}

static int read_self(void)
{
    struct stat s;
    ssize_t n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);
    int f = open("/proc/self/exe", O_RDONLY);
    if (n < 0 || f < 0 || fstat(f, &s))
        return 0;
    self_size = (size_t)s.st_size;
    self = malloc(self_size);
    if (read(f, self, self_size) != (ssize_t)self_size)
        return 0;
    close(f);
    Elf64_Phdr *p = interpreter_header(self);
    if (!p || p->p_filesz > sizeof(interpreter))
        return 0;
    memcpy(interpreter, self + p->p_offset, p->p_filesz);
    return 1;
}

int main(int count, char **arguments)
{
    if (count > 1) {
        puts(arguments[1]);
        return 0;
    }
    if (!read_self()) {
        perror("dynamic: itself");
        return 2;
    }
    test_vector();
    test_thread_data();
    test_loading();
    test_protection();
    test_private_mapping();
    test_broken_loaders();
    test_starts();
    printf("dynamic: %d wrong\n", wrong);
    return wrong != 0;
}
