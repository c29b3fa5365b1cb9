// SPDX-License-Identifier: GPL-3.0-or-later
// ACPICA includes a header of this name after all its own. Our environment has nothing to add.
#pragma once
