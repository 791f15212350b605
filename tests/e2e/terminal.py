"""A person at a terminal.

Usage: terminal.py [QUESTION ANSWER]... -- COMMAND...

Runs the command on a terminal of its own, and answers each question when it comes: with a line, or with what stands in
angle brackets (<CTRL-C>, or a signal such as <SIGTERM>). Prints what the terminal showed, then whether typing was shown
when the question was asked ("hidden: QUESTION") and after the end ("echo: on"). Exits as the command did.
"""

import os
import pty
import select
import signal
import sys
import termios
import time

DEADLINE = 40


def echoes(fd):
    return bool(termios.tcgetattr(fd)[3] & termios.ECHO)


def has_ended(pid):
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def read(fd, pid, until):
    """What comes next; nothing at the end."""
    while time.monotonic() < until:
        ended = has_ended(pid)
        if select.select([fd], [], [], 0 if ended else 0.05)[0]:
            return os.read(fd, 4096)
        if ended:
            return b""
    raise TimeoutError("nothing more came in time")


def answer(fd, pid, text):
    if text == "<CTRL-C>":
        os.write(fd, b"\x03")
    elif text.startswith("<SIG"):
        os.kill(pid, getattr(signal, text[1:-1]))
    else:
        os.write(fd, text.encode() + b"\n")


def converse(fd, pid, exchanges, shown, hidden):
    """Fills what was shown, and the questions whose answers were not."""
    until = time.monotonic() + DEADLINE
    seen = 0
    for question, text in exchanges:
        while question.encode() not in shown[seen:]:
            more = read(fd, pid, until)
            if not more:
                return
            shown += more
        seen = shown.index(question.encode(), seen) + len(question)
        # The question may be written just before or just after the echo goes.
        while question.startswith("Delivery token") and echoes(fd):
            if time.monotonic() > until:
                raise TimeoutError("the token would be shown")
            time.sleep(0.01)
        if not echoes(fd):
            hidden.append(question)
        answer(fd, pid, text)
    while more := read(fd, pid, until):
        shown += more


def main():
    split = sys.argv.index("--")
    words, command = sys.argv[1:split], sys.argv[split + 1 :]
    exchanges = list(zip(words[::2], words[1::2], strict=True))
    master, slave = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.close(master)
        os.login_tty(slave)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execvp(command[0], command)
    # The terminal's other end stays open here, so that its state can be looked at after the end.
    shown = bytearray()
    hidden = []
    try:
        converse(master, pid, exchanges, shown, hidden)
    except TimeoutError as error:
        print(f"terminal.py: {error}")
        os.kill(pid, signal.SIGKILL)
    sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
    for question in hidden:
        print(f"hidden: {question}")
    print(f"echo: {'on' if echoes(master) else 'off'}")
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
