#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# As much of a kubelet as the cases need: asks containerd's CRI (runtime.v1) for pods and containers. The requests
# are encoded here, for Debian has grpc and no CRI definitions. Field numbers: k8s.io/cri-api, api.proto.
#
#   cri.py run-pod NAME NAMESPACE CGROUP [LABEL=VALUE...]     prints the pod's id
#   cri.py create POD NAME IMAGE PROGRAM...                   prints the container's id
#   cri.py start|stop|remove ID    cri.py stop-pod|remove-pod ID
#   cri.py exec ID PROGRAM...      prints what it says; its status is ours
#   cri.py wait ID                 prints its log; its status is ours
import json
import os
import sys
import time

import grpc

SOCKET = 'unix:///run/containerd/containerd.sock'
LOGS = '/run/cri-logs'
NODE = 2  # NamespaceMode: the host's network, for there is no CNI


def number(n):
    out = b''
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def encode(fields):
    """[(field, int | str | bytes | dict of strings | list of fields)]"""
    out = b''
    for field, value in fields:
        if isinstance(value, dict):
            for item in value.items():
                out += encode([(field, list(enumerate(item, 1)))])
            continue
        if isinstance(value, int):
            out += number(field << 3) + number(value)
            continue
        if isinstance(value, list):
            value = encode(value)
        if isinstance(value, str):
            value = value.encode()
        out += number(field << 3 | 2) + number(len(value)) + value
    return out


def decode(data):
    fields, at = [], 0

    def varint():
        nonlocal at
        shift = n = 0
        while True:
            n |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                return n

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            fields.append((tag >> 3, varint()))
        else:
            size = varint()
            fields.append((tag >> 3, data[at:at + size]))
            at += size
    return fields


def call(method, fields):
    channel = grpc.insecure_channel(SOCKET)
    invoke = channel.unary_unary('/runtime.v1.RuntimeService/' + method, request_serializer=encode,
                                 response_deserializer=decode)
    return dict(invoke(fields, timeout=120, wait_for_ready=True))


def pod_config(pod):
    name, namespace, cgroup, labels = pod
    kubernetes = {'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace}
    return [(1, [(1, name), (2, 'uid-' + name), (3, namespace)]), (3, LOGS), (6, {**kubernetes, **labels}),
            (8, [(1, cgroup), (2, [(1, [(1, NODE), (2, 1)])])])]


def main(command, *args):
    os.makedirs(LOGS, exist_ok=True)
    if command == 'run-pod':
        pod = [*args[:3], dict(label.split('=') for label in args[3:])]
        identity = call('RunPodSandbox', [(1, pod_config(pod))])[1].decode()
        with open(f'{LOGS}/{identity}.pod', 'w') as file:
            json.dump(pod, file)
        print(identity)
    elif command == 'create':
        with open(f'{LOGS}/{args[0]}.pod') as file:
            pod = pod_config(json.load(file))
        log = f'{args[1]}-{time.time_ns()}.log'
        config = [(1, [(1, args[1])]), (2, [(1, args[2])]), *((3, word) for word in args[3:]),
                  (9, {'io.kubernetes.container.name': args[1]}), (11, log),
                  (15, [(2, [(3, [(1, NODE), (2, 1)])])])]
        identity = call('CreateContainer', [(1, args[0]), (2, config), (3, pod)])[1].decode()
        os.symlink(log, f'{LOGS}/{identity}.log')
        print(identity)
    elif command in ('start', 'stop', 'remove'):
        call(command.capitalize() + 'Container', [(1, args[0])])
    elif command in ('stop-pod', 'remove-pod'):
        call(command.split('-')[0].capitalize() + 'PodSandbox', [(1, args[0])])
    elif command == 'exec':
        reply = call('ExecSync', [(1, args[0]), *((2, word) for word in args[1:]), (3, 60)])
        sys.stdout.write((reply.get(1, b'') + reply.get(2, b'')).decode())
        return reply.get(3, 0)
    elif command == 'wait':
        while True:
            status = dict(decode(call('ContainerStatus', [(1, args[0])])[1]))
            if status.get(3, 0) == 2:  # CONTAINER_EXITED
                break
            time.sleep(0.2)
        with open(f'{LOGS}/{args[0]}.log') as file:
            for line in file:  # TIME STREAM F TEXT
                sys.stdout.write(line.split(' ', 3)[3])
        return status.get(7, 0)
    else:
        raise SystemExit(f'cri.py: {command}?')
    return 0


sys.exit(main(*sys.argv[1:]))
