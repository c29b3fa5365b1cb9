// SPDX-License-Identifier: GPL-3.0-or-later
// Extended attributes: no file system here keeps any. The calls find their file, check what they
// are asked as xattr(7) says, and then tell that: an empty list, EOPNOTSUPP for all else.
#include "kernel/abi/linux/flags.h"
#include "kernel/arch/x86_64/user_memory.h"
#include "kernel/memory/heap.h"

enum { NAME_SIZE = 256, VALUE_MAX = 65536, XATTR_FLAGS = 3 };

static err_t file_there(uaddr_t path, unsigned find)
{
    struct linux_path p;
    struct name *where;
    err_t e = linux_path_begin(&p, AT_CURRENT, path);
    if (e)
        return e;
    e = name_find(&p.view, p.start, p.text, find, &where);
    if (!e)
        name_put(where);
    linux_path_end(&p);
    return e;
}

static err_t descriptor_there(int number)
{
    struct file *file;
    err_t e = linux_file(number, &file);
    if (!e)
        file_put(file);
    return e;
}

// What reading, changing or removing the attribute called `name` ends with.
static int64_t refuse(err_t e, uaddr_t name)
{
    char text[NAME_SIZE];
    size_t length;
    if (e)
        return e;
    e = user_string_in(text, name, sizeof(text), &length);
    if (e)
        return e == -ENAMETOOLONG ? -ERANGE : e;
    return length ? -EOPNOTSUPP : -ERANGE;
}

static int64_t refuse_value(err_t e, uaddr_t name, uint64_t size, uint64_t flags)
{
    int64_t result = refuse(0, name);
    if (flags & ~(uint64_t)XATTR_FLAGS)
        return -EINVAL;
    if (result == -EOPNOTSUPP && size > VALUE_MAX)
        return -E2BIG;
    return e ? e : result;
}

LINUX_CALL(setxattr)
{
    return refuse_value(file_there(ARG(0), 0), ARG(1), ARG(3), ARG(4));
}

LINUX_CALL(lsetxattr)
{
    return refuse_value(file_there(ARG(0), FIND_NO_FOLLOW), ARG(1), ARG(3), ARG(4));
}

LINUX_CALL(fsetxattr)
{
    return refuse_value(descriptor_there(ARG_INT(0)), ARG(1), ARG(3), ARG(4));
}

LINUX_CALL(getxattr)
{
    return refuse(file_there(ARG(0), 0), ARG(1));
}

LINUX_CALL(lgetxattr)
{
    return refuse(file_there(ARG(0), FIND_NO_FOLLOW), ARG(1));
}

LINUX_CALL(fgetxattr)
{
    return refuse(descriptor_there(ARG_INT(0)), ARG(1));
}

LINUX_CALL(listxattr)
{
    return file_there(ARG(0), 0);
}

LINUX_CALL(llistxattr)
{
    return file_there(ARG(0), FIND_NO_FOLLOW);
}

LINUX_CALL(flistxattr)
{
    return descriptor_there(ARG_INT(0));
}

LINUX_CALL(removexattr)
{
    return refuse(file_there(ARG(0), 0), ARG(1));
}

LINUX_CALL(lremovexattr)
{
    return refuse(file_there(ARG(0), FIND_NO_FOLLOW), ARG(1));
}

LINUX_CALL(fremovexattr)
{
    return refuse(descriptor_there(ARG_INT(0)), ARG(1));
}
