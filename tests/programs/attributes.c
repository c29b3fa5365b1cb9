// SPDX-License-Identifier: GPL-3.0-or-later
// Extended attributes of tmpfs as xattr(7) says. For root, on a tmpfs of its own. Runs the same on
// Linux, whose tmpfs has no user.* before 6.6.
#include "tests/programs/check.h"
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define FOLDER "/tmp/attributes"
#define FILE_  FOLDER "/file"

static char value[70000];

static void test_values(const char *path, const char *name)
{
    FAILS(getxattr(path, name, value, 100), ENODATA);
    FAILS(setxattr(path, name, "one", 3, XATTR_REPLACE), ENODATA);
    RETURNS(setxattr(path, name, "one", 3, XATTR_CREATE), 0);
    FAILS(setxattr(path, name, "two", 3, XATTR_CREATE), EEXIST);
    RETURNS(getxattr(path, name, NULL, 0), 3);
    FAILS(getxattr(path, name, value, 2), ERANGE);
    RETURNS(getxattr(path, name, value, 100), 3);
    CHECK(!memcmp(value, "one", 3));
    RETURNS(setxattr(path, name, "longer", 6, XATTR_REPLACE), 0);
    RETURNS(getxattr(path, name, value, sizeof(value)), 6);
    RETURNS(setxattr(path, name, "", 0, 0), 0);
    RETURNS(getxattr(path, name, value, 100), 0);
    RETURNS(removexattr(path, name), 0);
    FAILS(removexattr(path, name), ENODATA);
    FAILS(setxattr(path, name, value, 65537, 0), E2BIG);
    FAILS(setxattr(path, name, value, 1, 4), EINVAL);
    FAILS(setxattr(path, name, (void *)8, 1, 0), EFAULT);
}

static void test_names(void)
{
    char name[300] = "trusted.";
    memset(name + 8, 'a', 255);
    FAILS(setxattr(FILE_, name, "", 0, 0), ERANGE);
    FAILS(setxattr(FILE_, "", "", 0, 0), ERANGE);
    FAILS(setxattr(FILE_, "trusted.", "", 0, 0), EINVAL);
    FAILS(setxattr(FILE_, "other.name", "", 0, 0), EOPNOTSUPP);
    FAILS(getxattr(FILE_, "other.name", value, 9), EOPNOTSUPP);
    FAILS(getxattr(FOLDER "/none", "trusted.a", value, 9), ENOENT);
    FAILS(fgetxattr(99, "trusted.a", value, 9), EBADF);
}

static void test_lists(void)
{
    int fd = (int)MADE(open(FILE_, O_RDONLY));
    RETURNS(listxattr(FILE_, value, 100), 0);
    RETURNS(fsetxattr(fd, "trusted.a", "1", 1, 0), 0);
    RETURNS(fsetxattr(fd, "trusted.bc", "2", 1, 0), 0);
    RETURNS(listxattr(FILE_, NULL, 0), 21);
    FAILS(listxattr(FILE_, value, 20), ERANGE);
    RETURNS(flistxattr(fd, value, 100), 21);
    CHECK(memmem(value, 21, "trusted.a", 10) && memmem(value, 21, "trusted.bc", 11));
    RETURNS(link(FILE_, FOLDER "/second"), 0);
    RETURNS(getxattr(FOLDER "/second", "trusted.a", value, 9), 1);
    RETURNS(symlink(FILE_, FOLDER "/link"), 0);
    RETURNS(getxattr(FOLDER "/link", "trusted.a", value, 9), 1);
    FAILS(lgetxattr(FOLDER "/link", "trusted.a", value, 9), ENODATA);
    RETURNS(lsetxattr(FOLDER "/link", "trusted.a", "x", 1, 0), 0);
    RETURNS(llistxattr(FOLDER "/link", NULL, 0), 10);
    RETURNS(unlink(FOLDER "/second"), 0);
    RETURNS(fremovexattr(fd, "trusted.bc"), 0);
    RETURNS(flistxattr(fd, NULL, 0), 10);
    close(fd);
}

static int as_nobody(void *data)
{
    RETURNS(setresuid(65534, 65534, 65534), 0);
    FAILS(setxattr(FILE_, "trusted.a", "1", 1, 0), EPERM);
    FAILS(getxattr(FILE_, "trusted.a", value, 9), ENODATA);
    RETURNS(listxattr(FILE_, value, 100), 0);
    if (data) {
        FAILS(getxattr(FILE_, "user.a", value, 9), EACCES);
        FAILS(setxattr(FILE_, "user.a", value, 9, 0), EACCES);
    }
    return 0;
}

static bool user_names_there(void)
{
    errno = 0;
    if (!setxattr(FILE_, "user.probe", "", 0, 0))
        return !removexattr(FILE_, "user.probe");
    CHECK(errno == EOPNOTSUPP);
    return false;
}

int main(void)
{
    mkdir(FOLDER, 0755);
    MADE(mount("attributes", FOLDER, "tmpfs", 0, "size=1m,mode=755"));
    close((int)MADE(open(FILE_, O_CREAT | O_WRONLY, 0600)));
    bool user = user_names_there();
    test_values(FILE_, "trusted.name");
    test_values(FOLDER, "trusted.name");
    test_values(FILE_, "security.name");
    if (user) {
        test_values(FILE_, "user.name");
        FAILS(setxattr("/dev/null", "user.name", "", 0, 0), EPERM);
    }
    test_names();
    test_lists();
    RETURNS(child_end(child_begin(as_nobody, user ? value : NULL)), 0);
    RETURNS(umount(FOLDER), 0);
    rmdir(FOLDER);
    return checks_end();
}
