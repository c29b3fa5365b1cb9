// SPDX-License-Identifier: MIT
// A scheme in a page: "counter:" gives a number that grows with each open; what is written to it
// is the next number.
//
//   counter &
//   cat /scheme/counter        1
//   echo 41 > /scheme/counter
//   cat /scheme/counter        42
#include "user/libredox/redox.h"
#include "user/libscheme/scheme.h"

static struct scheme_handle handles[64];
static uint64_t number;

// Each open for reading counts; the handle remembers its number.
static int64_t counter_open(struct scheme_call *c, struct scheme_handle *h, const char *path,
                            size_t length)
{
    if (length)
        return -REDOX_ENOENT; // there is nothing below "counter:"
    if (h->flags & REDOX_O_RDONLY)
        h->number = ++number;
    return 0;
}

// The handle has an offset because the server tells a size; the library keeps it.
static int64_t counter_read(struct scheme_call *c, struct scheme_handle *h, void *buffer,
                            size_t size, uint64_t offset)
{
    char text[24];
    size_t length = print_into(text, sizeof(text), "%llu\n", (unsigned long long)h->number);
    return scheme_text(buffer, size, offset, text, length);
}

static int64_t counter_size(struct scheme_call *c, struct scheme_handle *h)
{
    char text[24];
    return (int64_t)print_into(text, sizeof(text), "%llu\n", (unsigned long long)h->number);
}

static int64_t counter_write(struct scheme_call *c, struct scheme_handle *h, const void *buffer,
                             size_t size, uint64_t offset)
{
    const char *digit = buffer;
    uint64_t n = 0;
    if (c->user != 0)
        return -REDOX_EPERM;
    for (size_t i = 0; i < size && digit[i] >= '0' && digit[i] <= '9'; i++)
        n = n * 10 + (uint64_t)(digit[i] - '0');
    number = n;
    return (int64_t)size;
}

static int64_t counter_status(struct scheme_call *c, struct scheme_handle *h,
                              struct redox_stat *status)
{
    status->st_mode = REDOX_MODE_CHR | 0644;
    return 0;
}

static const struct scheme_ops ops = {
    .open = counter_open,
    .read = counter_read,
    .size = counter_size,
    .write = counter_write,
    .status = counter_status,
};

int main(int argc, char **argv, char **envp)
{
    struct scheme_server s = { .ops = &ops, .handles = handles, .handle_count = 64 };
    int64_t e = scheme_make(&s, "counter", 2);
    return e || scheme_serve(&s) ? 1 : 0;
}
