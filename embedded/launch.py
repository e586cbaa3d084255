"""Become another program that ends when its parent ends. Run as a script: standard library only, starts in 20 ms.

    python -I -S launch.py PARENT_PID DEATH_SIGNAL USER COMMAND ...

USER is `-` to stay who we are. PostgreSQL refuses to run as root, so root steps down to USER here. Its data folder and
the wheel's programs may lie under folders that only root may enter (`/root`); opening those to the world, as the
wheel's own starter does, would be worse than what PostgreSQL's rule protects from. Instead the one capability that
walks through them, CAP_DAC_OVERRIDE, is kept across the change of user.
"""

import ctypes
import os
import pwd
import sys

# From linux/prctl.h and linux/capability.h.
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1

EXIT_CANNOT_STEP_DOWN = 77


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _prctl(*arguments: int) -> bool:
    padded = [*arguments, 0, 0, 0, 0][:5]
    return bool(ctypes.CDLL(None).prctl(*padded) == 0)


def _step_down(user: str) -> None:
    """Change to `user`; on Linux keep the right to enter any folder, where this machine grants it."""
    entry = pwd.getpwnam(user)
    linux = sys.platform == "linux"
    if linux:
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if linux:
        bit = 1 << CAP_DAC_OVERRIDE
        sets = (_Sets * 2)(_Sets(bit, bit, bit), _Sets(0, 0, 0))
        header = _Header(LINUX_CAPABILITY_VERSION_3, 0)
        if ctypes.CDLL(None).capset(ctypes.byref(header), sets) == 0:
            _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def main(arguments: list[str]) -> None:
    """Step down, tie our life to the parent's, and become the command."""
    parent, death_signal, user, *command = arguments
    if user != "-":
        try:
            _step_down(user)
        except (OSError, KeyError) as error:
            sys.stderr.write(f"cannot change from root to the user '{user}': {error}\n")
            raise SystemExit(EXIT_CANNOT_STEP_DOWN) from error
    if sys.platform == "linux":
        # After the change of user, which would clear it.
        _prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != int(parent):
            raise SystemExit(f"the parent {parent} is gone")
    os.execv(command[0], command)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(sys.argv[1:])
