"""A cable between two network namespaces that delays and loses packets, in place of `tc netem` where the kernel has none.

Usage: python3 link.py NAMESPACE ADDRESS NAMESPACE ADDRESS DELAY_MS LOSS_PERCENT
Makes a device `cable` in each namespace, prints a line when they are up, and carries packets until it is ended.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def open_device(number, namespace, address):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    name = f"fmcable{number}"
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    run = lambda *command: subprocess.run(["ip", *command], check=True)
    run("link", "set", name, "netns", namespace, "name", "cable")
    run("-n", namespace, "address", "add", address, "dev", "cable")
    run("-n", namespace, "link", "set", "cable", "up")
    return device


def main():
    first, first_address, second, second_address, delay, loss = sys.argv[1:]
    delay, loss = float(delay) / 1000, float(loss) / 100
    devices = [open_device(0, first, first_address), open_device(1, second, second_address)]
    print("up", flush=True)
    under_way = []  # (when to arrive, in which order, where, packet)
    count = lost = 0
    while True:
        wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        for device in select.select(devices, [], [], wait)[0]:
            packet = os.read(device, 65536)
            count += 1
            if random.random() < loss:
                lost += 1
                continue
            other = devices[1 - devices.index(device)]
            heapq.heappush(under_way, (time.monotonic() + delay, count, other, packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(under_way)
            try:
                os.write(device, packet)
            except OSError:
                pass  # the other end is down


main()
