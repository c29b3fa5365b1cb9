// SPDX-License-Identifier: GPL-3.0-or-later
// Calls on descriptors.
#include "kernel/abi/redox/redox.h"

err_t redox_file(uint64_t number, struct file **file)
{
    return number > INT32_MAX ? -EBADF
                              : descriptor_file(process_current()->descriptors, (int)number, file);
}

REDOX_CALL(close)
{
    return ARG(0) > INT32_MAX ? -EBADF
                              : descriptor_close(process_current()->descriptors, ARG_INT(0));
}

REDOX_CALL(read)
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    struct io io = io_user(ARG(1), ARG(2));
    len_t n = file_read(file, &io);
    file_put(file);
    return n;
}

REDOX_CALL(write)
{
    struct file *file;
    err_t e = redox_file(ARG(0), &file);
    if (e)
        return e;
    struct io io = io_user(ARG(1), ARG(2));
    len_t n = file_write(file, &io);
    file_put(file);
    return n;
}
