// SPDX-License-Identifier: GPL-3.0-or-later
// Rows: names and contents of files, in the file system that /tmp is.

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/programs/bench/rows.h"

#define FOLDER "/tmp/bench_folder"
#define FILE_  "/tmp/bench_file"

enum { ENTRIES = 20 };

static char buffer[64 * KIB];
static int file;

static void zero_begin(void)
{
    file = open("/dev/zero", O_RDONLY);
    must(file >= 0);
}

static void zero_turn(void)
{
    buffer[0] = buffer[15] = 1;
    must(call(SYS_read, file, (long)buffer, 16, 0) == 16);
    must(buffer[0] == 0 && buffer[15] == 0);
}

static void file_close(void)
{
    must(close(file) == 0);
}

static void null_begin(void)
{
    file = open("/dev/null", O_WRONLY);
    must(file >= 0);
}

static void null_turn(void)
{
    must(call(SYS_write, file, (long)buffer, 16, 0) == 16);
}

// A file of 64 KiB, each byte the number of its page.
static void file_begin(void)
{
    for (unsigned i = 0; i < sizeof(buffer); i++)
        buffer[i] = (char)(1 + i / PAGE);
    file = open(FILE_, O_RDWR | O_CREAT | O_TRUNC, 0644);
    must(file >= 0 && write(file, buffer, sizeof(buffer)) == sizeof(buffer));
}

static void file_end(void)
{
    file_close();
    must(unlink(FILE_) == 0);
}

static void stat_turn(void)
{
    struct stat found;
    found.st_size = 0;
    must(call(SYS_newfstatat, AT_FDCWD, (long)FILE_, (long)&found, 0) == 0);
    must(found.st_size == sizeof(buffer));
}

static void open_turn(void)
{
    long fd = call(SYS_openat, AT_FDCWD, (long)FILE_, O_RDONLY, 0);
    must(fd > 2);
    must(call(SYS_close, fd, 0, 0, 0) == 0);
}

static void pread_turn(void)
{
    buffer[0] = buffer[PAGE - 1] = 0;
    must(call(SYS_pread64, file, (long)buffer, PAGE, PAGE) == PAGE);
    must(buffer[0] == 2 && buffer[PAGE - 1] == 2);
}

static void pread_64k_turn(void)
{
    buffer[0] = buffer[sizeof(buffer) - 1] = 0;
    must(call(SYS_pread64, file, (long)buffer, sizeof(buffer), 0) == sizeof(buffer));
    must(buffer[0] == 1 && buffer[sizeof(buffer) - 1] == 16);
}

static void create_turn(void)
{
    long fd = call(SYS_openat, AT_FDCWD, (long)FILE_, O_RDWR | O_CREAT | O_EXCL, 0644);
    must(fd > 2);
    must(call(SYS_close, fd, 0, 0, 0) == 0);
    must(call(SYS_unlink, (long)FILE_, 0, 0, 0) == 0);
}

static void folder_path(char path[64], int i)
{
    snprintf(path, 64, FOLDER "/entry%d", i);
}

static void readdir_begin(void)
{
    char path[64];
    must(mkdir(FOLDER, 0755) == 0);
    for (int i = 0; i < ENTRIES; i++) {
        folder_path(path, i);
        must(close(open(path, O_WRONLY | O_CREAT, 0644)) == 0);
    }
    file = open(FOLDER, O_RDONLY | O_DIRECTORY);
    must(file >= 0);
}

static void readdir_turn(void)
{
    unsigned found = 0;
    must(call(SYS_lseek, file, 0, SEEK_SET, 0) == 0);
    for (long n; (n = call(SYS_getdents64, file, (long)buffer, PAGE, 0)) != 0;) {
        must(n > 0);
        for (long at = 0; at < n; at += ((struct dirent *)(buffer + at))->d_reclen)
            found++;
    }
    must(found == ENTRIES + 2);
}

static void readdir_end(void)
{
    char path[64];
    file_close();
    for (int i = 0; i < ENTRIES; i++) {
        folder_path(path, i);
        must(unlink(path) == 0);
    }
    must(rmdir(FOLDER) == 0);
}

const struct row rows_of_files[] = {
    { "read_zero", zero_begin, zero_turn, file_close, .turns = 2000 },
    { "write_null", null_begin, null_turn, file_close, .turns = 2000 },
    { "stat", file_begin, stat_turn, file_end, .turns = 1000 },
    { "open_close", file_begin, open_turn, file_end, .turns = 1000 },
    { "readdir", readdir_begin, readdir_turn, readdir_end, .turns = 200 },
    { "create_unlink", .turn = create_turn, .turns = 200 },
    { "pread_4k", file_begin, pread_turn, file_end, .turns = 500 },
    { "pread_64k", file_begin, pread_64k_turn, file_end, .turns = 100 },
    { 0 },
};
