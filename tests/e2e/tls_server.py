#!/usr/bin/env python3
"""A TLS server with a certificate that nobody signed. Writes its port to one file, and to another what it is told."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys


def main(certificate: str, port: str, heard: str) -> None:
    """Serves until it is killed."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate + ".key", "-out", certificate],
        check=True, timeout=60, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate + ".key")
    with socket.create_server(("127.0.0.1", 0)) as server, open(heard, "wb", buffering=0) as log:
        with open(port, "w", encoding="ascii") as file:
            file.write(f"{server.getsockname()[1]}\n")
        while True:
            plain = server.accept()[0]
            plain.settimeout(10)
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    while text := secure.recv(4096):
                        log.write(text)
            except OSError:
                plain.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
