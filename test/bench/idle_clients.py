"""Holds idle connections open: idle_clients.py PORT

Reads lines `COUNT` from standard input; for each opens that many more connections, spread over 127.0.0.1,
127.0.0.2, ... so that ports do not run out, and answers with the total. Ends with its input.
"""
import socket
import struct
import sys

PER_ADDRESS = 20000
IP_BIND_ADDRESS_NO_PORT = 24

port = int(sys.argv[1])
held = []
for line in sys.stdin:
    for _ in range(int(line)):
        s = socket.socket()
        s.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)  # connect finds a free port faster than bind
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))  # else ports are taken for a minute
        s.bind((f'127.0.0.{1 + len(held) // PER_ADDRESS}', 0))
        s.connect(('127.0.0.1', port))
        held.append(s)
    print(len(held), flush=True)
