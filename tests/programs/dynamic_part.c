// SPDX-License-Identifier: GPL-3.0-or-later
// Two shared objects for dynamic.c: with PART=1 the one it is linked with, with PART=2 the one it
// loads and unloads. Each has what needs the dynamic linker: thread-local data, a constructor, a
// function chosen while it is loaded, data that is relocated and then protected.
#include <stdio.h>
#include <stdlib.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b)  JOIN2(a, b)
#define NAME(what)  JOIN(JOIN(part, PART), what)

__thread long NAME(_counter) = 100 * PART;
static __thread char far[9000]; // more than the room that is kept for late modules
int NAME(_data) = PART;
int *const NAME(_table)[2] = { &NAME(_data), NULL };
static int constructed;

__attribute__((constructor)) static void construct(void)
{
    constructed = PART;
    if (getenv("PART_SAYS"))
        printf("part %d\n", PART);
}

static int chosen(void)
{
    return 40 + PART;
}

static int (*choose(void))(void)
{
    return chosen;
}

int NAME(_chosen)(void) __attribute__((ifunc("choose")));
long NAME(_count)(void);
int NAME(_constructed)(void);

long NAME(_count)(void)
{
    far[sizeof(far) - 1]++;
    return ++NAME(_counter) + far[sizeof(far) - 1];
}

int NAME(_constructed)(void)
{
    return constructed;
}
