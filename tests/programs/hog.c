// SPDX-License-Identifier: GPL-3.0-or-later
// Takes memory page by page until somebody stops it.
//
//   hog MEBIBYTES
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(int count, char **arguments)
{
    size_t size = (size_t)(count > 1 ? atoi(arguments[1]) : 1024) << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("hog");
        return 1;
    }
    for (size_t at = 0; at < size; at += 4096)
        memory[at] = 1;
    printf("took %zu MiB\n", size >> 20);
    return 0;
}
