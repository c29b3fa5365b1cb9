// SPDX-License-Identifier: GPL-3.0-or-later
// Signals as Redox programs take them.
#include "kernel/abi/redox/redox.h"

err_t redox_signal_deliver(struct trap_frame *f, struct task *t, const struct signal_info *info,
                           const struct signal_action *action, uint64_t old_mask)
{
    return -EFAULT;
}
