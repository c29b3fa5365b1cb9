// SPDX-License-Identifier: GPL-3.0-or-later
// What nobody may open: every file below the given directories (as root sees them; or a file) is
// tried for reading and for writing by a process of the user nobody; prints "rw PATH", "r- PATH" or
// "-w PATH" for each that can be opened, and "= DIRECTORY COUNT" at the end of each. Of processes
// it looks at the first, and at the trying one (as /proc/own).
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534, PATH_ROOM = 512, DEPTH_MOST = 6 };

static int question[2], answers[2], tried;
static pid_t trier;

static bool opens(const char *path, int how)
{
    char byte;
    int f = open(path, how | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (f < 0)
        return false;
    // Some files are opened by all, and read by few.
    bool good = how != O_RDONLY || read(f, &byte, 1) >= 0 || errno == EAGAIN || errno == EISDIR ||
                errno == EINVAL;
    if (how == O_WRONLY)
        good = write(f, "", 0) == 0; // some open, and refuse
    close(f);
    return good;
}

static void try_as_nobody(void)
{
    char path[PATH_ROOM];
    if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
        setresuid(NOBODY, NOBODY, NOBODY))
        _exit(1);
    while (read(question[0], path, sizeof(path)) == sizeof(path)) {
        char text[2] = { opens(path, O_RDONLY) ? 'r' : '-', opens(path, O_WRONLY) ? 'w' : '-' };
        if (write(answers[1], text, 2) != 2)
            break;
    }
    _exit(0);
}

static void try_file(const char *path)
{
    char block[PATH_ROOM] = "", text[2], own[24];
    snprintf(block, sizeof(block), "%s", path);
    if (write(question[1], block, sizeof(block)) != sizeof(block) || read(answers[0], text, 2) != 2)
        exit(3);
    tried++;
    int length = snprintf(own, sizeof(own), "/proc/%d/", (int)trier);
    const char *rest = strstr(path, own);
    if (text[0] == 'r' || text[1] == 'w')
        printf("%.2s %s%s\n", text, rest ? "/proc/own/" : "", rest ? rest + length : path);
}

static bool is_looked_at(const char *directory, const char *name)
{
    if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
        return false;
    bool number = name[strspn(name, "0123456789")] == '\0';
    if (!strcmp(directory, "/scheme") && (!strcmp(name, "scheme") || !strcmp(name, "file") ||
                                          !strcmp(name, "dev") || !strcmp(name, "tmp")))
        return false; // the tree once more
    return !number || (strcmp(directory, "/proc") && strcmp(directory, "/scheme/proc")) ||
           atoi(name) == 1 || atoi(name) == trier;
}

static void walk(const char *directory, int depth)
{
    char path[PATH_ROOM];
    struct stat st;
    DIR *d = depth < DEPTH_MOST ? opendir(directory) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof(path), "%s/%s", directory, e->d_name);
        if (!is_looked_at(directory, e->d_name) || lstat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode))
            walk(path, depth + 1);
        if (!S_ISLNK(st.st_mode) && !S_ISSOCK(st.st_mode))
            try_file(path);
    }
    if (d)
        closedir(d);
}

int main(int argc, char **argv)
{
    if (pipe(question) || pipe(answers) || (trier = fork()) < 0)
        return 2;
    if (trier == 0)
        try_as_nobody();
    for (int i = 1; i < argc; i++) {
        tried = 0;
        walk(argv[i], 0);
        if (!tried)
            try_file(argv[i]);
        printf("= %s %d\n", argv[i], tried);
        fflush(stdout);
    }
    return 0;
}
