"""Stands in for a service manager: listens where sd_notify(3) sends to.

Usage: service_manager.py SOCKET FILE

SOCKET as NOTIFY_SOCKET has it ("@name" in the abstract namespace). Each line that is heard goes to FILE, behind the
number of the process that said it. Ends when it is killed.
"""

import os
import socket
import struct
import sys

CREDENTIALS = struct.calcsize("3i")


def main(name, path):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    manager.bind("\0" + name[1:] if name.startswith("@") else name)
    with open(path, "a", encoding="utf-8") as heard:
        while True:
            message, extra, _, _ = manager.recvmsg(65536, socket.CMSG_SPACE(CREDENTIALS))
            pid = next(struct.unpack("3i", what)[0] for _, kind, what in extra if kind == socket.SCM_CREDENTIALS)
            for line in message.decode().splitlines():
                heard.write(f"{pid} {line}\n")
            heard.flush()
            os.fsync(heard.fileno())


if __name__ == "__main__":
    main(*sys.argv[1:])
