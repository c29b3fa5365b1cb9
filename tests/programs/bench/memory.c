// SPDX-License-Identifier: GPL-3.0-or-later
// Rows: page faults and mappings.
//
// The faults are those of single pages: the mapping lies across the border of two blocks of 2 MiB
// and contains none, so no kernel gives it a large page.

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/programs/bench/rows.h"

enum { BLOCK = 2 * MIB, PAGES = 256, CYCLE_PAGES = 4, PROTECT_PAGES = 16 };

static char *pages;
static unsigned next; // to be touched
static pid_t sharer;  // has the pages too

static char *map_at(void *where, size_t size)
{
    int fixed = where ? MAP_FIXED : 0;
    char *at =
        mmap(where, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
    must(at != MAP_FAILED);
    return at;
}

// Its neighbours are mapped, too, but for nobody: nothing joins it.
static void untouched(void)
{
    if (!pages) {
        char *room = mmap(NULL, 3 * BLOCK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must(room != MAP_FAILED);
        uintptr_t border = ((uintptr_t)room + 2 * BLOCK - 1) & ~(uintptr_t)(BLOCK - 1);
        pages = (char *)border - PAGES / 2 * PAGE;
    }
    map_at(pages, PAGES * PAGE);
    next = 0;
}

// The next page; a new mapping when all were touched.
static char *page_after(void (*renew)(void))
{
    if (next == PAGES) {
        unsigned long long begin = cycles();
        renew();
        counted_as(begin, 0);
    }
    return pages + PAGE * next++;
}

static void read_turn(void)
{
    must(*(volatile char *)page_after(untouched) == 0);
}

static void write_turn(void)
{
    volatile char *page = page_after(untouched);
    page[5] = 1;
    must(page[5] == 1 && page[6] == 0);
}

static void shared(void)
{
    if (sharer)
        child_drop(sharer);
    untouched();
    memset(pages, 3, PAGES * PAGE);
    sharer = fork();
    must(sharer >= 0);
    while (sharer == 0)
        pause();
}

static void copy_turn(void)
{
    volatile char *page = page_after(shared);
    page[5] = 1;
    must(page[5] == 1 && page[6] == 3);
}

static void fault_end(void)
{
    if (sharer)
        child_drop(sharer);
    sharer = 0;
    untouched();
}

static void cycle_turn(void)
{
    char *at = map_at(NULL, CYCLE_PAGES * PAGE);
    for (unsigned i = 0; i < CYCLE_PAGES; i++)
        at[i * PAGE] = 1;
    must(munmap(at, CYCLE_PAGES * PAGE) == 0);
}

static void protect_begin(void)
{
    pages = NULL;
    untouched();
    memset(pages, 1, PROTECT_PAGES * PAGE);
}

static void protect_turn(void)
{
    must(mprotect(pages, PROTECT_PAGES * PAGE, PROT_READ) == 0);
    must(mprotect(pages, PROTECT_PAGES * PAGE, PROT_READ | PROT_WRITE) == 0);
    pages[PAGE]++;
}

static void protect_end(void)
{
    must(pages[PAGE] != 1);
}

const struct row rows_of_memory[] = {
    { "fault_read", untouched, read_turn, fault_end, .turns = 512 },
    { "fault_write", untouched, write_turn, fault_end, .turns = 512 },
    { "fault_copy", shared, copy_turn, fault_end, .turns = 512 },
    { "map_cycle", .turn = cycle_turn, .turns = 200 },
    { "protect", protect_begin, protect_turn, protect_end, .turns = 200, .parts = 2 },
    { 0 },
};
