// SPDX-License-Identifier: GPL-3.0-or-later
// redox PROGRAM [ARGUMENT...]: runs a program that speaks Redox and whose file does not say so.
// The program is found as a shell finds it; this one leaves nothing behind but its place.
#include <cryptos/abi.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

enum { USAGE = 2, CANNOT_RUN = 126, NOT_FOUND = 127 };

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: redox PROGRAM [ARGUMENT...]\n");
        return USAGE;
    }
    int now = personality(0xffffffff);
    if (now < 0 || personality((unsigned)now | CRYPTOS_PERSONALITY_REDOX) < 0)
        return CANNOT_RUN;
    execvp(argv[1], argv + 1);
    int error = errno;
    fprintf(stderr, "redox: %s: %s\n", argv[1], strerror(error));
    return error == ENOENT ? NOT_FOUND : CANNOT_RUN;
}
