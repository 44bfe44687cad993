#!/usr/bin/env python3
"""Kernel times on one GPU, as CSV rows. usage: measure.py OUTDIR DEADLINE_S [group ...]"""
import csv, ctypes, gc, json, math, os, signal, subprocess, sys, time, traceback

import numpy as np
import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from torch.nn.attention import SDPBackend, sdpa_kernel

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = sys.argv[1] if len(sys.argv) > 1 else "/tmp/out"
T0 = time.time()
END = T0 + float(sys.argv[2] if len(sys.argv) > 2 else 300)
QUICK = os.environ.get("QUICK") == "1"
COLS = ("gpu driver torch group kind source dtype m n k batch tokens context heads kv_heads head_dim hidden vocab bytes experts "
        "top_k sms_taken taker taker_gbs graph cold time_us min_us reps replays note").split()
BF, F32, FP8, I8 = torch.bfloat16, torch.float32, torch.float8_e4m3fn, torch.int8
DEV = "cuda"
CTX = {"group": "", "gpu": "", "driver": "", "torch": torch.__version__}
MEM = 0
S = None  # the stream everything is timed on
FAILS = {}


def log(*a):
    print("[%6.1f]" % (time.time() - T0), *a, flush=True)


def write(**c):
    r = dict(CTX)
    r.update(c)
    path = os.path.join(OUT, "rows.csv")
    new = not os.path.exists(path)
    with open(path, "a", newline="") as f:
        w = csv.DictWriter(f, COLS, extrasaction="ignore")
        if new:
            w.writeheader()
        w.writerow(r)


def fail(what, e):
    m = "%s: %s" % (type(e).__name__, " ".join(str(e).split())[:300])
    with open(os.path.join(OUT, "failures.txt"), "a") as f:
        f.write("%s | %s | %s\n" % (CTX["group"], what, m))
    key = (CTX["group"], what.split(" ")[0], m[:60])
    FAILS[key] = FAILS.get(key, 0) + 1
    if FAILS[key] == 1:
        log("FAIL", CTX["group"], what, m)
    if "illegal" in m or "unspecified launch" in m or "misaligned" in m or "device-side" in m:
        raise SystemExit("the context is broken")


def init(group):
    global S, MEM
    CTX["group"] = group
    torch.cuda.init()
    MEM = torch.cuda.get_device_properties(0).total_memory
    S = torch.cuda.Stream()
    torch.cuda.set_stream(S)
    gc.collect()
    gc.freeze()
    gc.disable()


def ev():
    return torch.cuda.Event(enable_timing=True)


def capture(fns, n):
    g = torch.cuda.CUDAGraph()
    g.capture_begin(capture_error_mode="thread_local")
    try:
        for i in range(n):
            fns[i % len(fns)]()
    finally:
        g.capture_end()
    return g


def bench(fns, graph=True, target_us=3000.0, max_n=500, replays=5):
    R = len(fns)
    for f in fns[:2]:
        f()
    S.synchronize()
    e0, e1 = ev(), ev()
    k = min(max(R, 3), 8)
    e0.record(S)
    for i in range(k):
        fns[i % R]()
    e1.record(S)
    S.synchronize()
    est = max(e0.elapsed_time(e1) * 1000 / k, 1e-3)
    n = int(max(1, min(max_n, target_us / est)))
    if R > 1:
        n = -(-n // R) * R
    if graph:
        g = capture(fns, n)
        run = g.replay
    else:
        def run():
            for i in range(n):
                fns[i % R]()
    reps = replays if est * n < 30000 else 3
    run()
    S.synchronize()
    if graph and n < max_n:
        torch.cuda._sleep(400000)
        e0.record(S)
        run()
        e1.record(S)
        S.synchronize()
        t = max(e0.elapsed_time(e1) * 1000, 1e-3)
        if t < target_us / 3:
            n = int(min(max_n, n * (target_us * 0.7 / t)))
            n = -(-n // R) * R
            del run
            g = None
            g = capture(fns, n)
            run = g.replay
            run()
            S.synchronize()
    ts = []
    for _ in range(reps):
        if graph:
            torch.cuda._sleep(400000)
        e0.record(S)
        run()
        e1.record(S)
        S.synchronize()
        ts.append(e0.elapsed_time(e1) * 1000 / n)
    ts.sort()
    return ts[len(ts) // 2], ts[0], n, reps


def row(kind, source, build, dtype="bf16", graph=True, target_us=3000.0, max_n=500, **c):
    if time.time() > END - 2:
        raise SystemExit("deadline")
    t = None
    heavy = 2.0 * (c.get("m") or 0) * (c.get("n") or 0) * (c.get("k") or 0) > 5e9
    if heavy or kind.startswith("attn_prefill") or kind.startswith("attn_chunk"):
        time.sleep(0.06)  # so that each starts from the boost clock, not from what the row before left
    try:
        fns = build()
        if callable(fns):
            fns = [fns]
        t, lo, n, reps = bench(fns, graph, target_us, max_n)
        write(kind=kind, source=source, dtype=dtype, graph=int(graph), time_us="%.4f" % t, min_us="%.4f" % lo, reps=n, replays=reps, **c)
    except Exception as e:  # noqa
        fail("%s %s %s %s" % (kind, source, dtype, c), e)
        if "out of memory" in str(e):
            torch.cuda.empty_cache()
        if graph and "captur" in str(e):
            c["note"] = (c.get("note", "") + "; could not be captured, so eager").lstrip("; ")
            return row(kind, source, build, dtype, False, target_us, max_n, **c)
    if torch.cuda.memory_reserved() > 0.7 * MEM:
        torch.cuda.empty_cache()
    return t


class Arena:
    """One big block of random data; rows take slices of it, so nothing is allocated between rows."""

    def __init__(self, n, dtype=BF):
        self.t = torch.empty(n, dtype=dtype, device=DEV)
        step = 1 << 27
        for o in range(0, n, step):
            v = self.t[o:o + step]
            if dtype == I8:
                v.random_(-127, 128)
            elif dtype == FP8:
                v.copy_(torch.randn(v.numel(), dtype=BF, device=DEV))
            else:
                v.normal_()
        self.o = 0
        torch.cuda.synchronize()

    def reset(self):
        self.o = 0

    def take(self, *shape):
        n = math.prod(shape)
        a = (n + 255) // 256 * 256
        if self.o + a > self.t.numel():
            raise RuntimeError("arena too small for %s" % (shape,))
        v = self.t[self.o:self.o + n].view(*shape)
        self.o += a
        return v


L2ROT = 200e6


def rot(bytes_, cap=64):
    return int(min(cap, max(2, math.ceil(L2ROT / max(bytes_, 1)))))


# ---------------------------------------------------------------- Triton kernels

@triton.jit
def k_rms(x, w, y, H, eps, B: tl.constexpr):
    r = tl.program_id(0)
    c = tl.arange(0, B)
    v = tl.load(x + r * H + c, mask=c < H, other=0.0).to(tl.float32)
    g = tl.load(w + c, mask=c < H, other=0.0).to(tl.float32)
    s = 1.0 / tl.sqrt(tl.sum(v * v, 0) / H + eps)
    tl.store(y + r * H + c, (v * s * g).to(y.dtype.element_ty), mask=c < H)


@triton.jit
def k_add_rms(x, res, w, y, H, eps, B: tl.constexpr):
    r = tl.program_id(0)
    c = tl.arange(0, B)
    v = tl.load(x + r * H + c, mask=c < H, other=0.0).to(tl.float32)
    v += tl.load(res + r * H + c, mask=c < H, other=0.0).to(tl.float32)
    tl.store(res + r * H + c, v.to(res.dtype.element_ty), mask=c < H)
    g = tl.load(w + c, mask=c < H, other=0.0).to(tl.float32)
    s = 1.0 / tl.sqrt(tl.sum(v * v, 0) / H + eps)
    tl.store(y + r * H + c, (v * s * g).to(y.dtype.element_ty), mask=c < H)


@triton.jit
def k_silu_mul(x, y, H, B: tl.constexpr):
    r = tl.program_id(0)
    c = tl.program_id(1) * B + tl.arange(0, B)
    a = tl.load(x + r * 2 * H + c).to(tl.float32)
    b = tl.load(x + r * 2 * H + H + c).to(tl.float32)
    tl.store(y + r * H + c, (a / (1.0 + tl.exp(-a)) * b).to(y.dtype.element_ty))


@triton.jit
def k_rope(q, cs, sn, stride, D: tl.constexpr, NH: tl.constexpr):
    t = tl.program_id(0)
    h = tl.program_id(1) * NH + tl.arange(0, NH)
    d = tl.arange(0, D // 2)
    c = tl.load(cs + t * (D // 2) + d)[None, :]
    s = tl.load(sn + t * (D // 2) + d)[None, :]
    p = q + t * stride + h[:, None] * D + d[None, :]
    a = tl.load(p).to(tl.float32)
    b = tl.load(p + D // 2).to(tl.float32)
    tl.store(p, (a * c - b * s).to(q.dtype.element_ty))
    tl.store(p + D // 2, (b * c + a * s).to(q.dtype.element_ty))


@triton.jit
def k_amax(x, out, n, B: tl.constexpr):
    acc = tl.zeros([B], tl.float32)
    for i in range(tl.program_id(0) * B, n, tl.num_programs(0) * B):
        o = i + tl.arange(0, B)
        acc = tl.maximum(acc, tl.abs(tl.load(x + o, mask=o < n, other=0.0).to(tl.float32)))
    tl.atomic_max(out, tl.max(acc, 0))


@triton.jit
def k_quant(x, amax, y, n, B: tl.constexpr):
    o = tl.program_id(0) * B + tl.arange(0, B)
    s = 448.0 / tl.load(amax)
    v = tl.load(x + o, mask=o < n, other=0.0).to(tl.float32) * s
    v = tl.minimum(tl.maximum(v, -448.0), 448.0)
    tl.store(y + o, v.to(y.dtype.element_ty), mask=o < n)


@triton.jit
def k_quant_tok(x, sc, y, H, B: tl.constexpr):
    r = tl.program_id(0)
    c = tl.arange(0, B)
    v = tl.load(x + r * H + c, mask=c < H, other=0.0).to(tl.float32)
    m = tl.maximum(tl.max(tl.abs(v), 0), 1e-6)
    tl.store(sc + r, m / 448.0)
    tl.store(y + r * H + c, (v * (448.0 / m)).to(y.dtype.element_ty), mask=c < H)


@triton.jit
def k_quant_blk(x, sc, y, H, NB: tl.constexpr):
    r = tl.program_id(0)
    g = tl.program_id(1) * NB + tl.arange(0, NB)
    o = r * H + g[:, None] * 128 + tl.arange(0, 128)[None, :]
    v = tl.load(x + o).to(tl.float32)
    m = tl.maximum(tl.max(tl.abs(v), 1), 1e-6)
    tl.store(sc + r * (H // 128) + g, m / 448.0)
    tl.store(y + o, (v * (448.0 / m)[:, None]).to(y.dtype.element_ty))


@triton.jit
def k_sum(x, out, n, B: tl.constexpr):
    acc = tl.zeros([B], tl.float32)
    for i in range(tl.program_id(0) * B, n, tl.num_programs(0) * B):
        o = i + tl.arange(0, B)
        acc += tl.load(x + o, mask=o < n, other=0.0)
    tl.store(out + tl.program_id(0), tl.sum(acc, 0))


@triton.jit
def k_route(lg, wo, io, T, E: tl.constexpr, K: tl.constexpr, BT: tl.constexpr):
    t = tl.program_id(0) * BT + tl.arange(0, BT)
    e = tl.arange(0, E)
    p = tl.load(lg + t[:, None] * E + e[None, :], mask=(t < T)[:, None], other=0.0).to(tl.float32)
    p = tl.exp(p - tl.max(p, 1)[:, None])
    p = p / tl.sum(p, 1)[:, None]
    for k in tl.static_range(K):
        mx = tl.max(p, 1)
        ix = tl.argmax(p, 1)
        tl.store(wo + t * K + k, mx, mask=t < T)
        tl.store(io + t * K + k, ix, mask=t < T)
        p = tl.where(e[None, :] == ix[:, None], -1.0, p)


@triton.jit
def k_gather(x, idx, y, H, B: tl.constexpr):
    r = tl.program_id(0)
    c = tl.program_id(1) * B + tl.arange(0, B)
    s = tl.load(idx + r)
    tl.store(y + r.to(tl.int64) * H + c, tl.load(x + s.to(tl.int64) * H + c))


@triton.jit
def k_final(y, pos, w, out, H, K: tl.constexpr, B: tl.constexpr):
    t = tl.program_id(0)
    c = tl.program_id(1) * B + tl.arange(0, B)
    acc = tl.zeros([B], tl.float32)
    for k in tl.static_range(K):
        p = tl.load(pos + t * K + k).to(tl.int64)
        g = tl.load(w + t * K + k)
        acc += g * tl.load(y + p * H + c).to(tl.float32)
    tl.store(out + t.to(tl.int64) * H + c, acc.to(out.dtype.element_ty))


@triton.jit
def k_kv_write(kv, slots, kc, vc, W: tl.constexpr):
    t = tl.program_id(0)
    c = tl.arange(0, W)
    s = tl.load(slots + t).to(tl.int64)
    tl.store(kc + s * W + c, tl.load(kv + t * 2 * W + c))
    tl.store(vc + s * W + c, tl.load(kv + t * 2 * W + W + c))


@triton.jit
def k_mm(a, b, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, GR: tl.constexpr):
    pid = tl.program_id(0)
    gm = M // BM
    gn = N // BN
    w = GR * gn
    first = (pid // w) * GR
    size = min(gm - first, GR)
    pm = first + (pid % w) % size
    pn = (pid % w) // size
    rm = pm * BM + tl.arange(0, BM)
    rn = pn * BN + tl.arange(0, BN)
    rk = tl.arange(0, BK)
    ap = a + rm[:, None] * K + rk[None, :]
    bp = b + rk[:, None] + rn[None, :] * K
    acc = tl.zeros([BM, BN], tl.float32)
    for _ in range(0, K // BK):
        acc = tl.dot(tl.load(ap), tl.load(bp), acc)
        ap += BK
        bp += BK
    tl.store(c + rm[:, None] * N + rn[None, :], acc.to(c.dtype.element_ty))


@triton.jit
def k_dec1(q, kc, vc, table, mo, ml, per, scale, tstride, KVH: tl.constexpr, G: tl.constexpr, GP: tl.constexpr, D: tl.constexpr,
           BN: tl.constexpr, PG: tl.constexpr, SPLITS: tl.constexpr):
    b = tl.program_id(0)
    h = tl.program_id(1)
    sp = tl.program_id(2)
    rg = tl.arange(0, GP)
    rd = tl.arange(0, D)
    qh = b * (KVH * G) + h * G + rg
    qv = tl.load(q + qh[:, None] * D + rd[None, :], mask=(rg < G)[:, None], other=0.0)
    m = tl.zeros([GP], tl.float32) - 1e30
    l = tl.zeros([GP], tl.float32)
    acc = tl.zeros([GP, D], tl.float32)
    for n0 in range(sp * per, sp * per + per, BN):
        rn = n0 + tl.arange(0, BN)
        pg = tl.load(table + b * tstride + rn // PG).to(tl.int64)
        r = (pg * PG + rn % PG) * KVH + h
        kt = tl.load(kc + r[None, :] * D + rd[:, None])
        s = tl.dot(qv, kt) * scale
        mn = tl.maximum(m, tl.max(s, 1))
        p = tl.exp(s - mn[:, None])
        al = tl.exp(m - mn)
        l = l * al + tl.sum(p, 1)
        vt = tl.load(vc + r[:, None] * D + rd[None, :])
        acc = acc * al[:, None]
        acc = tl.dot(p.to(vt.dtype), vt, acc)
        m = mn
    o = (qh * SPLITS + sp)
    tl.store(mo + o[:, None] * D + rd[None, :], acc / l[:, None], mask=(rg < G)[:, None])
    tl.store(ml + o, m + tl.log(l), mask=rg < G)


@triton.jit
def k_dec2(mo, ml, out, D: tl.constexpr, SPLITS: tl.constexpr):
    i = tl.program_id(0)
    rs = tl.arange(0, SPLITS)
    rd = tl.arange(0, D)
    s = tl.load(ml + i * SPLITS + rs)
    e = tl.exp(s - tl.max(s, 0))
    o = tl.load(mo + (i * SPLITS + rs)[:, None] * D + rd[None, :])
    r = tl.sum(o * e[:, None], 0) / tl.sum(e, 0)
    tl.store(out + i * D + rd, r.to(out.dtype.element_ty))


def nw(H):
    return 4 if H <= 2048 else 8 if H <= 4096 else 16


def p2(n):
    return 1 << (n - 1).bit_length()


def f_rms(x, w, y):
    T, H = x.shape
    return lambda: k_rms[(T,)](x, w, y, H, 1e-5, B=p2(H), num_warps=nw(H))


def f_add_rms(x, r, w, y):
    T, H = x.shape
    return lambda: k_add_rms[(T,)](x, r, w, y, H, 1e-5, B=p2(H), num_warps=nw(H))


def f_silu(x, y):
    T, H = y.shape
    return lambda: k_silu_mul[(T, H // 2048)](x, y, H, B=2048, num_warps=4)


def f_mm(a, b, c, BM=128, BN=256, BK=64, stages=4):
    M, K = a.shape
    N = b.shape[0]
    return lambda: k_mm[((M // BM) * (N // BN),)](a, b, c, M, N, K, BM=BM, BN=BN, BK=BK, GR=8, num_warps=8, num_stages=stages)


def f_dec(q, kc, vc, table, S_, KVH, out, splits, mo, ml, PG=16):
    B, QH, D = q.shape
    G = QH // KVH
    BN = 64

    def go():
        k_dec1[(B, KVH, splits)](q, kc, vc, table, mo, ml, S_ // splits, D ** -0.5, table.stride(0), KVH=KVH, G=G, GP=max(16, p2(G)),
                                 D=D, BN=BN, PG=PG, SPLITS=splits, num_warps=4, num_stages=3)
        k_dec2[(B * QH,)](mo, ml, out, D=D, SPLITS=splits, num_warps=4)
    return go


# ---------------------------------------------------------------- taker library

LIB = None


def lib():
    global LIB
    if LIB is None:
        last = None
        for p in ("/tmp/libtaker.so", os.path.join(HERE, "libtaker.so")):
            try:
                LIB = ctypes.CDLL(p)
                break
            except OSError as e:
                last = e
        if LIB is None:
            raise last
    return LIB


def vp(x):
    return ctypes.c_void_p(x)


def cur():
    return vp(torch.cuda.current_stream().cuda_stream)


def chk(e):
    if e:
        raise RuntimeError("CUDA error code %s" % e)


# ---------------------------------------------------------------- groups

TOK = (1, 8, 64, 512, 4096, 16384)
HID = (2048, 4096, 8192, 16384)


def g_launch():
    L = lib()
    for blocks, threads in ((1, 32), (132, 256), (1056, 256), (132 * 64, 128)):
        for fn, src in ((L.empty_n, "cuda"), (L.empty_pdl_n, "cuda, programmatic dependent launch")):
            for nodes in (100, 1000):
                row("empty_kernel", src, lambda: [lambda: chk(fn(nodes, blocks, threads, cur()))], dtype="", max_n=1,
                    batch=nodes, note="%d blocks x %d threads; time_us is of a chain of `batch` nodes" % (blocks, threads))
                if nodes == 1000:
                    row("empty_kernel", src, lambda: [lambda: chk(fn(nodes, blocks, threads, cur()))], dtype="", graph=False, max_n=1,
                        batch=nodes, note="%d blocks x %d threads; eager C loop; time_us is of `batch` launches" % (blocks, threads))
    # host cost of a C launch
    for n in (200, 500, 900):
        try:
            best = []
            for _ in range(7):
                torch.cuda.synchronize()
                t = time.perf_counter()
                chk(L.empty_n(n, 1, 32, cur()))
                h = time.perf_counter() - t
                torch.cuda.synchronize()
                best.append(h / n * 1e6)
            best.sort()
            write(kind="host_launch_c", source="cuda", dtype="", batch=n, graph=0, time_us="%.4f" % best[3], min_us="%.4f" % best[0], reps=n,
                  note="host time of one launch, not waiting")
        except Exception as e:  # noqa
            fail("host_launch_c", e)
    # small elementwise kernels in a graph
    for ne in (256, 4096, 65536, 1 << 20):
        x = torch.randn(ne, device=DEV, dtype=BF)
        y = torch.randn(ne, device=DEV, dtype=BF)
        z = torch.empty_like(x)
        row("small_add", "torch eager", lambda: [lambda: torch.add(x, y, out=z)], bytes=6 * ne, note="%d elements" % ne)
        row("small_add", "torch eager", lambda: [lambda: torch.add(x, y, out=z)], bytes=6 * ne, graph=False, note="%d elements; eager" % ne)
        row("small_memset", "cuda", lambda: [lambda: z.zero_()], bytes=2 * ne, note="%d elements" % ne)
        row("small_copy", "cuda", lambda: [lambda: z.copy_(x)], bytes=4 * ne, note="%d elements" % ne)
    # host cost of a graph launch
    for nodes in (1, 10, 100, 1000):
        try:
            g = capture([lambda: chk(L.empty_n(1, 1, 32, cur()))], nodes)
            for _ in range(3):
                g.replay()
            torch.cuda.synchronize()
            hs, ts = [], []
            for _ in range(9):
                torch.cuda.synchronize()
                t = time.perf_counter()
                g.replay()
                h = time.perf_counter()
                torch.cuda.synchronize()
                e = time.perf_counter()
                hs.append((h - t) * 1e6)
                ts.append((e - t) * 1e6)
            hs.sort()
            ts.sort()
            write(kind="graph_launch_host", source="torch", dtype="", batch=nodes, graph=1, time_us="%.3f" % hs[4], min_us="%.3f" % hs[0], note="host time of replay(), not waiting; `batch` empty nodes")
            write(kind="graph_launch_to_done", source="torch", dtype="", batch=nodes, graph=1, time_us="%.3f" % ts[4], min_us="%.3f" % ts[0], note="host time of replay() and synchronize; `batch` empty nodes")
            e0, e1 = ev(), ev()
            q = []
            for _ in range(5):
                torch.cuda._sleep(3000000)
                e0.record(S)
                for _ in range(20):
                    g.replay()
                e1.record(S)
                S.synchronize()
                q.append(e0.elapsed_time(e1) * 50)
            q.sort()
            write(kind="graph_back_to_back", source="torch", dtype="", batch=nodes, graph=1, time_us="%.3f" % q[2], min_us="%.3f" % q[0], note="GPU time a graph of `batch` empty nodes, 20 queued behind one another")
        except Exception as e:  # noqa
            fail("graph_launch %d" % nodes, e)
    # host cost of one torch op
    x = torch.randn(64, 64, device=DEV, dtype=BF)
    y = torch.randn(64, 64, device=DEV, dtype=BF)
    w = torch.randn(64, device=DEV, dtype=BF)
    ids = torch.arange(64, device=DEV)
    q4 = torch.randn(1, 8, 64, 64, device=DEV, dtype=BF)
    lg = torch.randn(4, 1000, device=DEV)
    pin = torch.zeros(64, dtype=torch.int64).pin_memory()
    dst = torch.zeros(64, dtype=torch.int64, device=DEV)
    kx, kw, ky = torch.randn(8, 2048, device=DEV, dtype=BF), torch.randn(2048, device=DEV, dtype=BF), torch.empty(8, 2048, device=DEV, dtype=BF)
    ops = {
        "add": lambda: x + y, "add_": lambda: x.add_(1), "add_out": lambda: torch.add(x, y, out=y), "mul": lambda: x * y, "view": lambda: x.view(4096),
        "transpose": lambda: x.t(), "slice": lambda: x[:32], "empty": lambda: torch.empty(64, 64, device=DEV, dtype=BF), "linear": lambda: F.linear(x, y),
        "silu": lambda: F.silu(x), "softmax": lambda: F.softmax(x, -1), "rms_norm": lambda: F.rms_norm(x, (64,), w), "layer_norm": lambda: F.layer_norm(x, (64,), w),
        "embedding": lambda: F.embedding(ids, x), "index_select": lambda: x.index_select(0, ids), "index": lambda: x[ids], "cat": lambda: torch.cat([x, y]),
        "argmax": lambda: lg.argmax(-1), "topk": lambda: lg.topk(50), "sort": lambda: lg.sort(-1), "cumsum": lambda: lg.cumsum(-1),
        "sdpa": lambda: F.scaled_dot_product_attention(q4, q4, q4, is_causal=True), "to_float": lambda: x.float(), "h2d_pinned_async": lambda: dst.copy_(pin, non_blocking=True),
        "triton_launch": f_rms(kx, kw, ky),
    }
    for name, op in ops.items():
        try:
            for _ in range(50):
                op()
            hs, ts = [], []
            n = 300
            for _ in range(5):
                torch.cuda.synchronize()
                t = time.perf_counter()
                for _ in range(n):
                    op()
                h = time.perf_counter()
                torch.cuda.synchronize()
                e = time.perf_counter()
                hs.append((h - t) / n * 1e6)
                ts.append((e - t) / n * 1e6)
            hs.sort()
            ts.sort()
            write(kind="host_op_" + name, source="torch eager", graph=0, time_us="%.3f" % hs[2], min_us="%.3f" % hs[0], reps=n, note="host time an op, from Python; with the wait at the end %.3f" % ts[2])
        except Exception as e:  # noqa
            fail("host_op_" + name, e)
    # waits
    one = torch.ones(1, device=DEV)
    tok = torch.zeros(512, dtype=torch.int64, device=DEV)
    evs = torch.cuda.Event()

    def ev_wait():
        torch.add(one, 1, out=one)
        evs.record(S)
        evs.synchronize()
    for name, op in (("item", lambda: one.item()), ("cpu_512_int64", lambda: tok.cpu()), ("kernel_event_synchronize", ev_wait), ("synchronize_idle", lambda: torch.cuda.synchronize())):
        try:
            for _ in range(10):
                op()
            hs = []
            for _ in range(200):
                t = time.perf_counter()
                op()
                hs.append((time.perf_counter() - t) * 1e6)
            hs.sort()
            write(kind="host_wait_" + name, source="torch eager", graph=0, time_us="%.3f" % hs[100], min_us="%.3f" % hs[0], reps=200, note="host time, the queue otherwise empty")
        except Exception as e:  # noqa
            fail("host_wait_" + name, e)


def g_bandwidth():
    big = torch.empty(16 << 30, dtype=torch.uint8, device=DEV)
    f = big.view(F32)
    for o in range(0, f.numel(), 1 << 28):
        f[o:o + (1 << 28)].normal_()
    part = torch.empty(132 * 16, dtype=F32, device=DEV)
    for mb in (1, 4, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192):
        nb = mb << 20
        colds = (1,) if mb > 256 else (0, 1)
        for cold in colds:
            R = 1 if not cold or mb > 256 else rot(nb, 32)
            if R * nb * 2 > big.numel():
                continue
            src = [big[i * nb:(i + 1) * nb] for i in range(R)]
            dst = [big[(R + i) * nb:(R + i + 1) * nb] for i in range(R)]

            def mk(fn):
                return lambda: [(lambda a=a, b=b: fn(a, b)) for a, b in zip(src, dst)]
            row("copy", "torch copy_", mk(lambda a, b: b.copy_(a)), dtype="u8", bytes=2 * nb, cold=cold, note="bytes counts reads and writes")
            row("copy", "torch copy_ of float32 slices by a kernel", mk(lambda a, b: torch.mul(a.view(F32), 1.0, out=b.view(F32))), dtype="fp32", bytes=2 * nb, cold=cold, note="x*1 element-wise kernel; bytes counts reads and writes")
            for blocks in ((132 * 4,) if mb < 64 else (132 * 2, 132 * 4, 132 * 8)):
                row("read_sum", "triton", mk(lambda a, b: k_sum[(blocks,)](a.view(F32), part, nb // 4, B=8192, num_warps=16)), dtype="fp32", bytes=nb, cold=cold, note="%d blocks" % blocks)
            row("read_sum", "torch sum", mk(lambda a, b: torch.sum(a.view(F32))), dtype="fp32", bytes=nb, cold=cold)
            row("write_fill", "torch fill_ (kernel)", mk(lambda a, b: b.view(F32).fill_(1.5)), dtype="fp32", bytes=nb, cold=cold)
            row("write_zero", "torch zero_ (memset)", mk(lambda a, b: b.zero_()), dtype="u8", bytes=nb, cold=cold)
            row("add", "torch add", mk(lambda a, b: torch.add(a.view(F32), b.view(F32), out=b.view(F32))), dtype="fp32", bytes=3 * nb, cold=cold)


def rel(a, b):
    a, b = a.float(), b.float()
    return float((a - b).norm() / b.norm())


def g_check():
    torch.manual_seed(1)

    def t(name, fn):
        try:
            log("check", name, "relative error %.2e" % fn())
        except Exception as e:  # noqa
            fail("check " + name, e)
    x = torch.randn(64, 4096, device=DEV, dtype=BF)
    r = torch.randn(64, 4096, device=DEV, dtype=BF)
    w = torch.randn(4096, device=DEV, dtype=BF)
    y = torch.full_like(x, float("nan"))

    def rms():
        f_rms(x, w, y)()
        return rel(y, F.rms_norm(x.float(), (4096,), w.float(), 1e-5))

    def addrms():
        r2 = r.clone()
        f_add_rms(x, r2, w, y)()
        s = x.float() + r.float()
        return max(rel(y, F.rms_norm(s, (4096,), w.float(), 1e-5)), rel(r2, s))

    def silu():
        g = torch.randn(64, 8192, device=DEV, dtype=BF)
        f_silu(g, y)()
        return rel(y, F.silu(g.float()[:, :4096]) * g.float()[:, 4096:])

    def rope():
        q = torch.randn(16, 8, 128, device=DEV, dtype=BF)
        c, s = torch.randn(16, 64, device=DEV), torch.randn(16, 64, device=DEV)
        a, b = q.float()[..., :64], q.float()[..., 64:]
        ref = torch.cat([a * c[:, None] - b * s[:, None], b * c[:, None] + a * s[:, None]], -1)
        k_rope[(16, 1)](q, c, s, 1024, D=128, NH=8, num_warps=2)
        return rel(q, ref)

    def qten():
        am = torch.zeros(1, device=DEV)
        y8 = torch.empty(64, 4096, device=DEV, dtype=FP8)
        k_amax[(32,)](x, am, x.numel(), B=4096, num_warps=8)
        k_quant[(x.numel() // 4096,)](x, am, y8, x.numel(), B=4096, num_warps=8)
        return rel(y8.float() * (am / 448.0), x)

    def qtok():
        y8 = torch.empty(64, 4096, device=DEV, dtype=FP8)
        sc = torch.empty(64, device=DEV)
        k_quant_tok[(64,)](x, sc, y8, 4096, B=4096, num_warps=8)
        return rel(y8.float() * sc[:, None], x)

    def qblk():
        y8 = torch.empty(64, 4096, device=DEV, dtype=FP8)
        sc = torch.empty(64, 32, device=DEV)
        k_quant_blk[(64, 2)](x, sc, y8, 4096, NB=16, num_warps=4)
        return rel((y8.float().view(64, 32, 128) * sc[..., None]).view(64, 4096), x)

    def route():
        lg = torch.randn(100, 256, device=DEV)
        wo, io = torch.empty(100, 8, device=DEV), torch.empty(100, 8, device=DEV, dtype=torch.int32)
        k_route[(25,)](lg, wo, io, 100, E=256, K=8, BT=4, num_warps=4)
        v, i = torch.softmax(lg, -1).topk(8)
        return rel(wo, v) + float((i != io).float().mean())

    def final():
        yy = torch.randn(256, 4096, device=DEV, dtype=BF)
        pos = torch.randperm(256, device=DEV).to(torch.int32).view(64, 4)
        g = torch.rand(64, 4, device=DEV)
        k_final[(64, 4)](yy, pos, g, y, 4096, K=4, B=1024, num_warps=4)
        return rel(y, (yy.float()[pos.long()] * g[..., None]).sum(1))

    def mm():
        a, b = torch.randn(256, 512, device=DEV, dtype=BF), torch.randn(512, 512, device=DEV, dtype=BF)
        c = torch.empty(256, 512, device=DEV, dtype=BF)
        f_mm(a, b, c)()
        return rel(c, a.float() @ b.float().t())

    def dec():
        B, QH, KVH, D, S_, PG = 2, 32, 8, 128, 1024, 16
        q = torch.randn(B, QH, D, device=DEV, dtype=BF)
        kc = torch.randn(B * S_, KVH, D, device=DEV, dtype=BF)
        vc = torch.randn(B * S_, KVH, D, device=DEV, dtype=BF)
        tb = torch.randperm(B * S_ // PG, device=DEV).to(torch.int32).view(B, S_ // PG)
        out = torch.empty(B, QH, D, device=DEV, dtype=BF)
        mo, ml = torch.empty(B * QH * 8 * D, device=DEV), torch.empty(B * QH * 8, device=DEV)
        f_dec(q, kc, vc, tb, S_, KVH, out, 8, mo, ml)()
        kk = kc.view(-1, PG, KVH, D)[tb.long()].reshape(B, S_, KVH, D).permute(0, 2, 1, 3).repeat_interleave(4, 1).float()
        vv = vc.view(-1, PG, KVH, D)[tb.long()].reshape(B, S_, KVH, D).permute(0, 2, 1, 3).repeat_interleave(4, 1).float()
        p = torch.softmax((q.float()[:, :, None] @ kk.transpose(-1, -2)) * D ** -0.5, -1)
        return rel(out, (p @ vv)[:, :, 0])
    for n, fn in (("rms", rms), ("add_rms", addrms), ("silu_mul", silu), ("rope", rope), ("quant_tensor", qten), ("quant_token", qtok), ("quant_block", qblk),
                  ("route", route), ("finalize", final), ("matmul", mm), ("decode", dec)):
        t(n, fn)


def colds(b):
    return (1,) if b >= 200e6 else (0, 1) if b >= 4e6 else (0,)


def g_elem():
    A = Arena(3 << 30)
    cs, sn = torch.rand(16384, 64, device=DEV), torch.rand(16384, 64, device=DEV)
    for H in HID:
        w = torch.rand(H, device=DEV, dtype=BF)
        W = H // 128
        for T in TOK:
            e = T * H

            def go(kind, src, per, mk, nb, sizes):
                # sizes: element counts taken from the arena for one set
                for cold in colds(nb):
                    R = 1 if (not cold or nb >= 200e6) else rot(nb)

                    def build():
                        A.reset()
                        return [mk(*[A.take(*s) for s in sizes]) for _ in range(R)]
                    row(kind, src, build, tokens=T, hidden=H, bytes=nb, cold=cold, note=per)
            x2 = (T, H)
            go("rmsnorm", "triton", "", lambda x, y: f_rms(x, w, y), 4 * e, [x2, x2])
            go("rmsnorm", "torch rms_norm", "", lambda x: (lambda: F.rms_norm(x, (H,), w, 1e-5)), 4 * e, [x2])
            go("layernorm", "torch layer_norm", "", lambda x: (lambda: F.layer_norm(x, (H,), w, w, 1e-5)), 4 * e, [x2])
            go("add_rmsnorm", "triton", "residual updated in place", lambda x, r, y: f_add_rms(x, r, w, y), 8 * e, [x2, x2, x2])
            go("silu_and_mul", "triton", "hidden is the width of the output", lambda x, y: f_silu(x, y), 6 * e, [(T, 2 * H), x2])
            go("silu_and_mul", "torch eager", "two kernels; hidden is the width of the output; bytes are those of one fused pass",
               lambda x: (lambda: F.silu(x[:, :H]).mul_(x[:, H:])), 6 * e, [(T, 2 * H)])
            go("gelu", "torch eager", "", lambda x: (lambda: F.gelu(x, approximate="tanh")), 4 * e, [x2])
            nh = W + 8
            go("rope", "triton", "in place on the first hidden/128+8 heads of a fused qkv; table in float32",
               lambda q: (lambda: k_rope[(T, nh // 8)](q, cs, sn, (W + 16) * 128, D=128, NH=8, num_warps=2)), 4 * T * nh * 128 + T * 512, [(T, (W + 16) * 128)])
            go("add", "torch add", "", lambda a, b, c: (lambda: torch.add(a, b, out=c)), 6 * e, [x2, x2, x2])
            go("copy", "torch copy_", "a memcpy node", lambda a, b: (lambda: b.copy_(a)), 4 * e, [x2, x2])
            go("copy", "torch mul", "x*1, an element-wise kernel", lambda a, b: (lambda: torch.mul(a, 1.0, out=b)), 4 * e, [x2, x2])
    # odd widths of real models
    for H in (5120, 7168):
        w = torch.rand(H, device=DEV, dtype=BF)
        for T in TOK:
            def b2():
                A.reset()
                return [f_add_rms(A.take(T, H), A.take(T, H), w, A.take(T, H)) for _ in range(1 if 8 * T * H < 4e6 else rot(8 * T * H))]
            row("add_rmsnorm", "triton", b2, tokens=T, hidden=H, bytes=8 * T * H, cold=int(8 * T * H >= 4e6), note="residual updated in place")


def g_quant():
    A = Arena(1 << 30)
    Y = torch.empty(1 << 30, dtype=torch.uint8, device=DEV).view(FP8)
    SC = torch.empty(1 << 24, dtype=F32, device=DEV)
    am = torch.ones(1, device=DEV)
    for H in HID:
        for T in TOK:
            e = T * H
            nb = 3 * e
            for cold in colds(nb):
                R = 1 if (not cold or nb >= 200e6) else rot(nb)

                def sets(mk):
                    def b():
                        A.reset()
                        return [mk(A.take(T, H), Y[i * e:(i + 1) * e]) for i in range(R)]
                    return b

                def dyn(x, y):
                    def f():
                        am.zero_()
                        k_amax[(min(132 * 8, -(-e // 4096)),)](x, am, e, B=4096, num_warps=8)
                        k_quant[(-(-e // 4096),)](x, am, y, e, B=4096, num_warps=8)
                    return f
                c = dict(tokens=T, hidden=H, cold=cold, dtype="bf16>fp8")
                row("quant_tensor_dynamic", "triton", sets(dyn), bytes=5 * e, note="memset, amax, scale: three nodes; bytes counts the input twice", **c)
                row("quant_tensor_amax", "triton", sets(lambda x, y: (lambda: k_amax[(min(132 * 8, -(-e // 4096)),)](x, am, e, B=4096, num_warps=8))), bytes=2 * e, **c)
                row("quant_tensor_static", "triton", sets(lambda x, y: (lambda: k_quant[(-(-e // 4096),)](x, am, y, e, B=4096, num_warps=8))), bytes=nb, **c)
                row("quant_token", "triton", sets(lambda x, y: (lambda: k_quant_tok[(T,)](x, SC, y, H, B=H, num_warps=nw(H)))), bytes=nb + 4 * T, **c)
                row("quant_block_1x128", "triton", sets(lambda x, y: (lambda: k_quant_blk[(T, H // 2048)](x, SC, y, H, NB=16, num_warps=4))), bytes=nb + 4 * e // 128, **c)


def g_sampling():
    for V in (32000, 128256, 151936):
        for B in (1, 16, 128, 512):
            nb = 4 * B * V
            R = 1 if nb < 4e6 else min(8, rot(nb))
            if nb > 150e6:
                R = 1
            base = torch.randn(R * B, V, device=DEV) * 3
            lgs = [base[i * B:(i + 1) * B] for i in range(R)]
            b16 = [l.to(BF) for l in lgs]
            c = dict(batch=B, vocab=V, cold=int(R > 1 or nb > 150e6), dtype="fp32")
            P = 0.9

            def each(fn):
                return lambda: [(lambda l=l: fn(l)) for l in lgs]

            def noise_pick(p):
                return p.div(torch.empty_like(p).exponential_()).argmax(-1)

            def greedy16(l):
                return l.argmax(-1)

            def temp_sample(l):
                return noise_pick(torch.softmax(l.div(0.8), -1))

            def full_sort(l):  # the whole vocabulary sorted, as engines do it in plain torch
                s, i = l.div(0.8).sort(dim=-1, descending=False)
                kth = s[:, V - 50].unsqueeze(1)
                s.masked_fill_(s < kth, float("-inf"))
                p = s.softmax(-1)
                cum = p.cumsum(-1)
                m = cum <= 1 - P
                m[:, -1] = False
                s.masked_fill_(m, float("-inf"))
                lo = torch.empty_like(s).scatter_(-1, i, s)
                return noise_pick(torch.softmax(lo, -1))

            def topk_first(l):
                v, i = l.div(0.8).topk(50, dim=-1)
                p = torch.softmax(v, -1)
                m = p.cumsum(-1) - p > P
                p = p.masked_fill(m, 0.0)
                return i.gather(-1, noise_pick(p).unsqueeze(-1))
            row("argmax", "torch", each(greedy16), bytes=nb, **c)
            row("logits_to_fp32", "torch", lambda: [(lambda l=l: l.float()) for l in b16], bytes=6 * B * V, **c)
            row("softmax", "torch", each(lambda l: torch.softmax(l, -1)), bytes=2 * nb, **c)
            row("log_softmax", "torch", each(lambda l: torch.log_softmax(l, -1)), bytes=2 * nb, **c)
            row("topk50", "torch", each(lambda l: l.topk(50, dim=-1)), bytes=nb, **c)
            row("sort", "torch", each(lambda l: l.sort(dim=-1)), bytes=nb, **c)
            row("cumsum", "torch", each(lambda l: l.cumsum(-1)), bytes=2 * nb, **c)
            row("exponential_noise_argmax", "torch", each(noise_pick), bytes=nb, **c)
            row("sample_temperature", "torch", each(temp_sample), bytes=nb, note="divide, softmax, exponential noise, argmax", **c)
            for gr in (True, False):
                row("sample_topk50_topp0.9_full_sort", "torch", each(full_sort), bytes=nb, graph=gr, note="sort of the whole vocabulary, masks, softmax, noise, argmax", **c)
                row("sample_topk50_topp0.9_topk_first", "torch", each(topk_first), bytes=nb, graph=gr, note="topk(50), then top-p within it, noise, argmax", **c)
            row("multinomial", "torch multinomial", each(lambda l: torch.multinomial(torch.softmax(l, -1), 1)), bytes=nb, graph=False, note="softmax and multinomial; eager", **c)
            del base, lgs, b16
    V = 128256
    for H in (4096, 8192):
        w = torch.randn(V, H, device=DEV, dtype=BF)
        for T in TOK:
            ids = [torch.randint(0, V, (T,), device=DEV) for _ in range(8)]
            row("embedding", "torch embedding", lambda: [(lambda i=i: F.embedding(i, w)) for i in ids], tokens=T, hidden=H, vocab=V, bytes=4 * T * H + 8 * T, cold=1)
        del w


def g_moe():
    for E in (8, 64, 128, 256):
        for K in (2, 8):
            if K >= E and E != 8:
                continue
            if K == 8 and E == 8:
                continue
            for T in (1, 64, 1024, 8192):
                lg = torch.randn(T, E, device=DEV, dtype=BF)
                wo = torch.empty(T, K, device=DEV)
                io = torch.empty(T, K, device=DEV, dtype=torch.int32)
                BT = max(1, 1024 // E)
                c = dict(tokens=T, experts=E, top_k=K)
                row("router_softmax_topk", "triton", lambda: [lambda: k_route[(-(-T // BT),)](lg, wo, io, T, E=E, K=K, BT=BT, num_warps=4)], bytes=2 * T * E + 8 * T * K, **c)

                def torch_route():
                    p = torch.softmax(lg, -1, dtype=F32)
                    v, i = p.topk(K, dim=-1)
                    return v / v.sum(-1, keepdim=True), i.to(torch.int32)
                row("router_softmax_topk", "torch eager", lambda: [torch_route], bytes=2 * T * E + 8 * T * K, note="softmax, topk, sum, divide, cast", **c)
                flat = torch.softmax(lg, -1, dtype=F32).topk(K, -1)[1].flatten().to(torch.int32)
                row("moe_sort", "torch argsort", lambda: [lambda: torch.argsort(flat, stable=True)], dtype="int32", bytes=4 * T * K, note="stable argsort of tokens*top_k expert numbers", **c)

                def counts():
                    o = torch.zeros(E, device=DEV, dtype=torch.int32)
                    o.scatter_add_(0, flat.long(), torch.ones_like(flat))
                    return o.cumsum(0)
                row("moe_count", "torch", lambda: [counts], dtype="int32", bytes=4 * T * K, note="zeros, cast, ones, scatter_add, cumsum", **c)
    A = Arena(5 << 29)
    for H in (4096, 7168):
        for E, K in ((8, 2), (256, 8)):
            for T in (1, 64, 1024, 8192):
                lg = torch.randn(T, E, device=DEV)
                wv, ix = torch.softmax(lg, -1).topk(K, -1)
                order = torch.argsort(ix.flatten(), stable=True)
                src = (order // K).to(torch.int32)
                inv = torch.empty_like(order)
                inv[order] = torch.arange(T * K, device=DEV)
                inv = inv.to(torch.int32)
                wv = wv.contiguous()
                wflat = wv.flatten()[order].to(BF)[:, None]
                c = dict(tokens=T, experts=E, top_k=K, hidden=H)
                nb = 2 * T * H * (K + 1)
                for cold in colds(nb):
                    R = 1 if (not cold or nb >= 200e6) else rot(nb)

                    def sets(mk):
                        def b():
                            A.reset()
                            return [mk(A.take(T, H), A.take(T * K, H)) for _ in range(R)]
                        return b
                    row("moe_permute", "triton", sets(lambda x, y: (lambda: k_gather[(T * K, H // 1024)](x, src, y, H, B=1024, num_warps=4))), bytes=nb, cold=cold,
                        note="rows gathered by expert; bytes counts each token once and top_k rows written", **c)
                    row("moe_permute", "torch index_select", sets(lambda x, y: (lambda: torch.index_select(x, 0, src, out=y))), bytes=nb, cold=cold, **c)
                    row("moe_finalize", "triton", sets(lambda x, y: (lambda: k_final[(T, H // 1024)](y, inv, wv, x, H, K=K, B=1024, num_warps=4))), bytes=nb, cold=cold,
                        note="weighted sum of top_k rows into each token", **c)

                    def scat(x, y):
                        def f():
                            x.zero_()
                            x.index_add_(0, src, y * wflat)
                        return f
                    row("moe_finalize", "torch index_add_", sets(scat), bytes=nb, cold=cold, note="zero, multiply, index_add_: atomics; bytes are those of one fused pass", **c)
        for E in (8, 128, 256):
            w = torch.randn(E, H, device=DEV, dtype=BF)
            for T in (1, 64, 1024, 8192):
                x = torch.randn(T, H, device=DEV, dtype=BF)
                row("router_gemm", "torch.matmul/cublas", lambda: [lambda: F.linear(x, w)], m=T, n=E, k=H, tokens=T, experts=E, hidden=H, bytes=2 * (T * H + E * H + T * E), cold=0)


SHAPES = ((4096, 4096), (6144, 4096), (28672, 4096), (4096, 14336), (8192, 8192), (57344, 8192), (8192, 28672), (2112, 7168), (7168, 2048), (128256, 4096))
MS = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)


def wsets(A, n, k, esz, cap=64):
    b = n * k * esz
    R = max(2, min(cap, math.ceil(L2ROT / b)))
    A.reset()
    return [A.take(n, k) for _ in range(R)]


def g_gemm_bf16():
    A = Arena(1 << 30)
    X = Arena(8192 * 28672)
    for n, k in SHAPES:
        W = wsets(A, n, k, 2)
        for m in MS:
            x = X.t[:m * k].view(m, k)
            o = torch.empty(m, n, dtype=BF, device=DEV)
            row("gemm", "torch.matmul/cublas", lambda: [(lambda w=w: torch.matmul(x, w.t(), out=o)) for w in W], m=m, n=n, k=k, bytes=2 * (n * k + m * k + m * n), cold=1)
            del o
    # finer steps in m: where the tiles and the waves change
    for n, k in ((4096, 4096), (8192, 8192)):
        W = wsets(A, n, k, 2)
        for m in list(range(128, 2048 + 1, 128)) + [2304, 2560, 3072, 3328, 3584]:
            x = X.t[:m * k].view(m, k)
            row("gemm_m_steps", "torch.matmul/cublas", lambda: [(lambda w=w: torch.matmul(x, w.t())) for w in W], m=m, n=n, k=k, bytes=2 * (n * k + m * k + m * n), cold=1)
    for n, k in ((8192, 8192), (28672, 4096)):
        W = wsets(A, n, k, 2)
        for m in (2, 4, 24, 40, 48, 56, 72, 80, 96, 112, 120, 136, 144, 160, 176, 192, 208, 224, 240, 264, 288, 320, 352, 384, 448):
            x = X.t[:m * k].view(m, k)
            row("gemm_m_steps", "torch.matmul/cublas", lambda: [(lambda w=w: torch.matmul(x, w.t())) for w in W], m=m, n=n, k=k, bytes=2 * (n * k + m * k + m * n), cold=1)
    # batched products of latent attention: heads as the batch
    for (n, k) in ((512, 128), (128, 512)):
        for m in (1, 16, 64, 256, 1024):
            a = torch.randn(128, m, k, device=DEV, dtype=BF)
            b = torch.randn(128, k, n, device=DEV, dtype=BF)
            row("bmm", "torch.bmm/cublas", lambda: [lambda: torch.bmm(a, b)], batch=128, m=m, n=n, k=k, bytes=2 * 128 * (m * k + k * n + m * n), cold=0)


def g_gemm_fp8():
    A = Arena(1 << 30, FP8)
    X = Arena(8192 * 28672, FP8)
    one = torch.ones((), device=DEV)
    for n, k in SHAPES:
        W = wsets(A, n, k, 1)
        sb = torch.rand(1, n, device=DEV) + 0.5
        for m in MS:
            x = X.t[:m * k].view(m, k)
            sa = torch.rand(m, 1, device=DEV) + 0.5
            c = dict(m=m, n=n, k=k, bytes=n * k + m * k + 2 * m * n, cold=1, dtype="fp8>bf16")
            row("gemm", "torch._scaled_mm per tensor", lambda: [(lambda w=w: torch._scaled_mm(x, w.t(), scale_a=one, scale_b=one, out_dtype=BF, use_fast_accum=True)) for w in W], **c)
            row("gemm", "torch._scaled_mm row-wise", lambda: [(lambda w=w: torch._scaled_mm(x, w.t(), scale_a=sa, scale_b=sb, out_dtype=BF, use_fast_accum=True)) for w in W], **c)
    for n, k in ((2112, 7168), (7168, 2048), (4096, 4096), (8192, 8192)):
        W = wsets(A, n, k, 1)
        for m in (16, 64, 256, 1024, 4096):
            x = X.t[:m * k].view(m, k)
            sa = torch.rand(k // 128, m, device=DEV).t()
            sb = torch.rand(-(-n // 128), k // 128, device=DEV).t()
            row("gemm", "torch._scaled_mm blocks 1x128 by 128x128", lambda: [(lambda w=w: torch._scaled_mm(x, w.t(), scale_a=sa, scale_b=sb, out_dtype=BF)) for w in W],
                m=m, n=n, k=k, bytes=n * k + m * k + 2 * m * n, cold=1, dtype="fp8>bf16")


def g_gemm_int8():
    A = Arena(1 << 30, I8)
    X = Arena(8192 * 28672, I8)
    for n, k in SHAPES:
        W = wsets(A, n, k, 1)
        for m in MS:
            if m <= 16:
                continue
            x = X.t[:m * k].view(m, k)
            row("gemm", "torch._int_mm", lambda: [(lambda w=w: torch._int_mm(x, w.t())) for w in W], m=m, n=n, k=k, bytes=n * k + m * k + 4 * m * n, cold=1, dtype="int8>int32", note="torch._int_mm needs m > 16")


def g_grouped():
    A = Arena(3 << 30)
    for name, E, K, H, I in (("8 experts top 2 (4096, 14336)", 8, 2, 4096, 14336), ("128 experts top 8 (2048, 768)", 128, 8, 2048, 768), ("32 of 256 experts top 8 (7168, 2048)", 32, 8, 7168, 2048)):
        for n, k, part in ((2 * I, H, "gate and up"), (H, I, "down")):
            A.reset()
            w = A.take(E, n, k)
            for T in (1, 16, 64, 256, 1024, 4096):
                M = T * K if E != 32 else max(1, T * K // 8)
                try:
                    ids = torch.rand(M, E, device=DEV).argmax(-1) if E == 32 else torch.rand(T, E, device=DEV).topk(K, -1)[1].flatten()
                    cnt = torch.bincount(ids, minlength=E)
                    offs = cnt.cumsum(0).to(torch.int32)
                    used = int((cnt > 0).sum())
                    x = torch.randn(M, k, device=DEV, dtype=BF)
                    row("grouped_gemm", "torch._grouped_mm", lambda: [lambda: torch._grouped_mm(x, w.transpose(-2, -1), offs=offs)], m=M, n=n, k=k, tokens=T, experts=E, top_k=K,
                        bytes=2 * (used * n * k + M * k + M * n), cold=int(2 * used * n * k > 150e6), note="%s; %s; %d experts hit; most rows of one %d" % (name, part, used, int(cnt.max())))
                except Exception as e:  # noqa
                    fail("grouped", e)


BACK = (("flash", SDPBackend.FLASH_ATTENTION), ("cudnn", SDPBackend.CUDNN_ATTENTION))


def g_attn_prefill():
    for bn, be in BACK:
        for H, KV, D, DV in ((32, 8, 128, 128), (64, 8, 128, 128), (32, 8, 64, 64), (64, 8, 64, 64), (128, 128, 128, 128), (128, 128, 192, 128)):
            for B, s in ((1, 128), (1, 512), (1, 1024), (1, 2048), (1, 4096), (1, 16384), (8, 2048), (4, 8192), (4, 128), (32, 128), (32, 512), (4, 1024)):
                if H == 128 and (B * s > 20000):
                    continue

                def build():
                    q = torch.randn(B, s, H, D, device=DEV, dtype=BF).transpose(1, 2)
                    k = torch.randn(B, s, KV, D, device=DEV, dtype=BF).transpose(1, 2)
                    v = torch.randn(B, s, KV, DV, device=DEV, dtype=BF).transpose(1, 2)
                    return [lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=H != KV)]
                with sdpa_kernel(be):
                    row("attn_prefill_causal", "torch sdpa " + bn, build, batch=B, tokens=s, context=s, heads=H, kv_heads=KV, head_dim=D, bytes=2 * B * s * (H * (D + DV) + KV * (D + DV)), cold=0,
                        note="" if D == DV else "value head dim %d" % DV)
        for T, C in ((16, 4096), (256, 8192), (1024, 8192), (2048, 32768), (2048, 131072)):
            H, KV, D = 32, 8, 128

            def build():
                q = torch.randn(1, T, H, D, device=DEV, dtype=BF).transpose(1, 2)
                k = torch.randn(1, C, KV, D, device=DEV, dtype=BF).transpose(1, 2)
                v = torch.randn(1, C, KV, D, device=DEV, dtype=BF).transpose(1, 2)
                return [lambda: F.scaled_dot_product_attention(q, k, v, enable_gqa=True)]
            with sdpa_kernel(be):
                row("attn_chunk_full", "torch sdpa " + bn, build, batch=1, tokens=T, context=C, heads=H, kv_heads=KV, head_dim=D, bytes=4 * (T * H * D + C * KV * D), cold=0,
                    note="a chunk of `tokens` queries over `context` keys, no mask")


DEC = [(B, C) for C in (1024, 8192, 32768) for B in (1, 16, 64)] + [(B, C) for C in (256, 2048, 4096, 131072) for B in (1, 4, 16, 64, 256)] + [(4, 1024), (4, 8192), (4, 32768), (256, 1024), (256, 8192)]


def g_attn_decode():
    P = Arena(9 << 29)  # 9 GB: K and V together, the largest is 8.6 GB
    for H, KV, D in ((32, 8, 128), (64, 8, 64), (32, 32, 128), (64, 8, 128), (8, 1, 128)):
        for B, C in DEC if H == 32 and KV == 8 else DEC[:9]:
            nb = 2 * 2 * B * C * KV * D
            if nb // 2 > P.t.numel():
                continue
            R = 1 if nb > 400e6 else rot(nb, 50)
            R = min(R, max(1, P.t.numel() // (nb // 2)))
            c = dict(batch=B, tokens=1, context=C, heads=H, kv_heads=KV, head_dim=D, bytes=nb + 4 * B * H * D, cold=1)
            q = torch.randn(B, H, 1, D, device=DEV, dtype=BF)
            for bn, be in BACK:
                def build():
                    P.reset()
                    fs = []
                    for _ in range(R):
                        k = P.take(B, C, KV, D).transpose(1, 2)
                        v = P.take(B, C, KV, D).transpose(1, 2)
                        fs.append(lambda k=k, v=v: F.scaled_dot_product_attention(q, k, v, enable_gqa=H != KV))
                    return fs
                with sdpa_kernel(be):
                    row("attn_decode", "torch sdpa " + bn, build, **c)

            def dec(splits):
                def b():
                    P.reset()
                    q3 = q.view(B, H, D)
                    out = torch.empty_like(q3)
                    mo, ml = torch.empty(B * H * splits * D, device=DEV), torch.empty(B * H * splits, device=DEV)
                    tb = torch.randperm(B * C // 16, device=DEV).to(torch.int32).view(B, C // 16)
                    return [f_dec(q3, P.take(B * C, KV, D), P.take(B * C, KV, D), tb, C, KV, out, splits, mo, ml) for _ in range(R)]
                return b
            want = p2(max(1, 264 // (B * KV)))
            for sp in sorted({min(want, C // 64, 64), min(want * 2, C // 64, 64)}):
                row("attn_decode_paged", "triton split-kv", dec(sp), note="two nodes; pages of 16 tokens at random; %d splits" % sp, **c)
    for B in (1, 16, 64):
        for T in (2, 4, 8):
            C, H, KV, D = 8192, 32, 8, 128
            nb = 4 * B * C * KV * D
            R = 1 if nb > 400e6 else rot(nb, 50)
            q = torch.randn(B, H, T, D, device=DEV, dtype=BF)
            for bn, be in BACK:
                def build():
                    P.reset()
                    kv = [(P.take(B, C, KV, D).transpose(1, 2), P.take(B, C, KV, D).transpose(1, 2)) for _ in range(R)]
                    return [lambda k=k, v=v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True) for k, v in kv]
                with sdpa_kernel(be):
                    row("attn_verify", "torch sdpa " + bn, build, batch=B, tokens=T, context=C, heads=H, kv_heads=KV, head_dim=D, bytes=nb + 4 * B * H * D * T, cold=1,
                        note="`tokens` queries a sequence, no mask, as when drafts are verified")
    # the write of new keys and values into pages
    for T in (1, 8, 64, 512, 4096, 16384):
        P.reset()
        kv = P.take(T, 2 * 1024)
        kc, vc = P.take(1 << 19, 1024), P.take(1 << 19, 1024)
        sl = torch.randperm(1 << 19, device=DEV)[:T].to(torch.int32)
        row("kv_cache_write", "triton", lambda: [lambda: k_kv_write[(T,)](kv, sl, kc, vc, W=1024, num_warps=4)], tokens=T, kv_heads=8, head_dim=128, bytes=2 * 2 * T * 2048, cold=0)


# ---------------------------------------------------------------- overlap

SMEM = 232448
TAKEN = (0, 1, 2, 4, 8, 16, 20, 24, 32, 48, 66, 0)


class Taker:
    def __init__(self):
        self.s2 = torch.cuda.Stream()
        self.host = torch.zeros(1024, dtype=torch.int32).pin_memory()
        self.h = self.host.numpy()
        self.done = torch.zeros(512, dtype=torch.int64, device=DEV)
        self.flag = torch.zeros(64, dtype=torch.int32, device=DEV)  # the stop word, in the GPU's own memory: polling the host's slows everything
        self.buf = [torch.randint(0, 1 << 30, (1 << 26,), device=DEV, dtype=torch.int32) for _ in range(3)]
        self.flag.fill_(1)
        chk(lib().setup(SMEM))
        torch.cuda.synchronize()

    def go(self, run, kind, blocks, smem=SMEM):
        """GPU time (us) of run() on S beside the taker, the taker's GB/s, and the SMs it sat on."""
        self.h[:] = 0
        self.flag.zero_()
        S.synchronize()
        p = self.host.data_ptr()
        mx = ctypes.c_ulonglong(300000000)
        sms = set()
        if blocks:
            if kind == "spin":
                chk(lib().spin(blocks, smem, vp(self.flag.data_ptr()), vp(p + 256), mx, vp(self.s2.cuda_stream)))
            else:
                a, b, c = [vp(t.data_ptr()) for t in self.buf]
                chk(lib().stream_mem(blocks, smem, vp(self.flag.data_ptr()), vp(p + 256), mx, a, b, c, ctypes.c_ulonglong(self.buf[0].numel() // 4), vp(self.done.data_ptr()), vp(self.s2.cuda_stream)))
            t = time.perf_counter()
            while np.count_nonzero(self.h[64:64 + blocks]) < blocks:
                if time.perf_counter() - t > 0.1:
                    self.flag.fill_(1)
                    self.s2.synchronize()
                    raise RuntimeError("the taker did not start")
            sms = set(self.h[64:64 + blocks].tolist())
        e0, e1 = ev(), ev()
        torch.cuda._sleep(200000)
        e0.record(S)
        run()
        e1.record(S)
        self.flag.fill_(1)
        S.synchronize()
        us = e0.elapsed_time(e1) * 1000
        self.s2.synchronize()
        gbs = ""
        if blocks and kind != "spin":
            d = self.done[:2 * blocks].view(-1, 2).cpu().numpy().astype(float)
            gbs = "%.0f" % (d[:, 0] * 48 / np.maximum(d[:, 1], 1)).sum()
        return us, gbs, len(sms)


def victims():
    """name, source, dtype, columns, function"""
    out = []

    def rnd(*s):
        return torch.randn(*s, device=DEV, dtype=BF)

    def cub(m, n, k, name="gemm"):
        a, b, o = rnd(m, k), rnd(n, k), torch.empty(m, n, device=DEV, dtype=BF)
        out.append((name, "torch.matmul/cublas", "bf16", dict(m=m, n=n, k=k, bytes=2 * (m * k + n * k + m * n)), lambda: torch.matmul(a, b.t(), out=o)))

    def tri(m, n, k):
        a, b, o = rnd(m, k), rnd(n, k), torch.empty(m, n, device=DEV, dtype=BF)
        out.append(("gemm", "triton 128x256x64", "bf16", dict(m=m, n=n, k=k, note="%d tiles, one block a tile, one block an SM" % (m // 128 * (n // 256))), f_mm(a, b, o)))
    cub(4096, 4096, 4096)
    cub(8192, 8192, 4096)
    for i, j in ((6, 11), (9, 12), (10, 12), (11, 12), (12, 12), (18, 12), (22, 12), (24, 12), (33, 12), (44, 12), (88, 12)):
        tri(128 * i, 256 * j, 4096)
    for i, j in ((11, 12), (22, 12), (33, 12), (44, 12)):
        cub(128 * i, 256 * j, 4096)
    cub(8448, 3072, 4096)
    cub(11264, 3072, 4096)
    cub(2816, 3072, 12288)
    cub(16, 28672, 4096)
    cub(64, 8192, 8192)
    cub(256, 8192, 8192)
    cub(1024, 8192, 8192)
    one = torch.ones((), device=DEV)
    a8, b8 = rnd(8192, 4096).to(FP8), rnd(8192, 4096).to(FP8)
    out.append(("gemm", "torch._scaled_mm per tensor", "fp8>bf16", dict(m=8192, n=8192, k=4096), lambda: torch._scaled_mm(a8, b8.t(), scale_a=one, scale_b=one, out_dtype=BF, use_fast_accum=True)))
    for bn, be in BACK:
        q, k, v = rnd(1, 4096, 32, 128).transpose(1, 2), rnd(1, 4096, 8, 128).transpose(1, 2), rnd(1, 4096, 8, 128).transpose(1, 2)

        def att(q=q, k=k, v=v, be=be):
            with sdpa_kernel(be):
                F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        out.append(("attn_prefill_causal", "torch sdpa " + bn, "bf16", dict(batch=1, tokens=4096, context=4096, heads=32, kv_heads=8, head_dim=128), att))
    x, w, y = rnd(8192, 8192), rnd(8192), torch.empty(8192, 8192, device=DEV, dtype=BF)
    out.append(("rmsnorm", "triton", "bf16", dict(tokens=8192, hidden=8192, bytes=4 * 8192 * 8192), f_rms(x, w, y)))
    x1, y1 = rnd(256, 8192), torch.empty(256, 8192, device=DEV, dtype=BF)
    out.append(("rmsnorm", "triton", "bf16", dict(tokens=256, hidden=8192, bytes=4 * 256 * 8192), f_rms(x1, w, y1)))
    xa, xb = torch.empty(1 << 29, dtype=torch.uint8, device=DEV), torch.ones(1 << 29, dtype=torch.uint8, device=DEV)
    out.append(("copy", "torch copy_", "u8", dict(bytes=2 << 29), lambda: xa.copy_(xb)))
    return out


def beside(tk, v, kinds, taken=TAKEN):
    kind, src, dt, cols, fn = v
    cols = dict(cols)
    note0 = cols.pop("note", "")
    try:
        t, _, _, _ = bench([fn], target_us=1000.0, replays=3)
        n = int(max(2, min(400, 3000.0 / t)))
        g = capture([fn], n)
        g.replay()
        S.synchronize()
    except Exception as e:  # noqa
        fail("overlap %s %s %s" % (kind, src, cols), e)
        return
    for tkind, smem in kinds:
        for b in taken:
            if time.time() > END - 2:
                raise SystemExit("deadline")
            try:
                rs = [tk.go(g.replay, tkind, b, smem) for _ in range(3)]
                us = sorted(r[0] for r in rs)
                note = note0
                if b and rs[0][2] != b:
                    note += ("; " if note else "") + "%d blocks on %d SMs" % (b, rs[0][2])
                write(kind=kind, source=src, dtype=dt, sms_taken=b, taker=(tkind if smem == SMEM else "%s, %d KB a block" % (tkind, smem >> 10)) if b else "none",
                      taker_gbs=rs[1][1], graph=1, cold=0, time_us="%.4f" % (us[1] / n), min_us="%.4f" % (us[0] / n), reps=n, replays=3, note=note, **cols)
            except Exception as e:  # noqa
                fail("overlap %s %s %s %s %d" % (kind, src, cols, tkind, b), e)


def g_overlap():
    tk = Taker()
    for b in (1, 2, 4, 8, 16, 20, 24, 32, 48, 66, 131):
        try:
            rs = [tk.go(lambda: torch.cuda._sleep(5000000), "stream", b) for _ in range(3)]
            write(kind="taker_alone", source="cuda", dtype="", sms_taken=b, taker="stream", taker_gbs=rs[1][1], graph=0, time_us="%.1f" % rs[1][0], note="blocks of 512 threads on %d SMs; reads two arrays, writes one; bytes moved over its own time" % rs[1][2])
        except Exception as e:  # noqa
            fail("taker_alone %d" % b, e)
    vs = victims()
    for v in vs:
        beside(tk, v, (("spin", SMEM), ("stream", SMEM)))
    for v in vs:
        if v[0] in ("rmsnorm", "copy") or v[3].get("m") in (4096, 8192, 1408):
            beside(tk, v, (("stream", 65536),), (8, 16, 24, 32))
    # the libraries told to leave SMs free
    try:
        for b in (0, 8, 16, 20, 24, 32, 48):
            torch._C._set_sm_carveout_experimental(b if b else None)
            for v in vs:
                if v[0] == "gemm" and not v[1].startswith("triton") and v[3].get("m") in (4096, 8192, 1408, 2816, 1024):
                    v2 = (v[0], v[1] + ", told to leave SMs free", v[2], dict(v[3], note="carve-out of %d SMs" % b), v[4])
                    beside(tk, v2, (("spin", SMEM),), (0, b) if b else (0,))
        torch._C._set_sm_carveout_experimental(None)
    except Exception as e:  # noqa
        fail("carveout", e)


def g_pair():
    """Two kernels on two streams, each repeated for about 5 ms."""
    s2 = torch.cuda.Stream()
    vs = {}
    for v in victims():
        c = v[3]
        if (v[0], v[1][:6], c.get("m")) in (("gemm", "torch.", 4096), ("gemm", "torch.", 16), ("gemm", "torch.", 64), ("gemm", "triton", 11264)) or v[0] in ("copy", "attn_prefill_causal") or c.get("tokens") == 8192:
            vs[" ".join([v[0], v[1]] + ["%s=%s" % (k, c[k]) for k in ("m", "n", "k", "tokens", "hidden") if k in c])] = v[4]
    q = torch.randn(16, 32, 1, 128, device=DEV, dtype=BF)
    kv = [torch.randn(16, 8192, 8, 128, device=DEV, dtype=BF).transpose(1, 2) for _ in range(2)]

    def dec():
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            F.scaled_dot_product_attention(q, kv[0], kv[1], enable_gqa=True)
    vs["attn_decode torch sdpa cudnn batch=16 context=8192 heads=32/8"] = dec
    gr = {}
    for n, f in vs.items():
        try:
            t, _, _, _ = bench([f], target_us=1000.0, replays=3)
            k = int(max(2, min(400, 5000.0 / t)))
            gr[n] = (capture([f], k), k)
            gr[n][0].replay()
            S.synchronize()
        except Exception as e:  # noqa
            fail("pair " + n, e)

    def once(a, b):
        e0, ea, eb = ev(), ev(), ev()
        torch.cuda._sleep(400000)
        e0.record(S)
        s2.wait_event(e0)
        if b:
            with torch.cuda.stream(s2):
                b[0].replay()
                eb.record(s2)
        if a:
            a[0].replay()
        ea.record(S)
        torch.cuda.synchronize()
        return e0.elapsed_time(ea) * 1000, e0.elapsed_time(eb) * 1000 if b else 0.0

    def med(a, b):
        r = [once(a, b) for _ in range(3)]
        return sorted(x[0] for x in r)[1], sorted(x[1] for x in r)[1]
    path = os.path.join(OUT, "pairs.csv")
    with open(path, "a", newline="") as fo:
        w = csv.writer(fo)
        w.writerow("gpu driver torch a a_reps b b_reps a_alone_us b_alone_us a_beside_us b_beside_us makespan_us over_sum over_max".split())
        names = list(gr)
        for i, a in enumerate(names):
            for b in names[i:]:
                if time.time() > END - 2:
                    raise SystemExit("deadline")
                try:
                    if a == b:
                        ga = gr[a]
                        gb = (capture([vs[a]], ga[1]), ga[1])
                    else:
                        ga, gb = gr[a], gr[b]
                    ta, tb = med(ga, None)[0], med(None, gb)[1]
                    x, y = med(ga, gb)
                    mk = max(x, y)
                    w.writerow([CTX["gpu"], CTX["driver"], CTX["torch"], a, ga[1], b, gb[1]] + ["%.1f" % z for z in (ta, tb, x, y, mk)] + ["%.3f" % (mk / (ta + tb)), "%.3f" % (mk / max(ta, tb))])
                    fo.flush()
                except Exception as e:  # noqa
                    fail("pair %s %s" % (a, b), e)


def g_names():
    """Kernel names, grids and blocks of what the libraries pick."""
    from torch.profiler import ProfilerActivity, profile
    A = Arena(1 << 29)
    X = Arena(8192 * 28672)
    W8 = torch.randn(1 << 29, device=DEV, dtype=BF).to(FP8)
    X8 = torch.randn(8192 * 14336, device=DEV, dtype=BF).to(FP8)
    one = torch.ones((), device=DEV)
    items = []
    for n, k in SHAPES:
        for m in MS:
            if n * k <= A.t.numel():
                items.append(("gemm", "torch.matmul/cublas", "bf16", m, n, k, lambda m=m, n=n, k=k: torch.matmul(X.t[:m * k].view(m, k), A.t[:n * k].view(n, k).t())))
            if n * k <= W8.numel() and m * k <= X8.numel():
                a8, b8 = X8[:m * k].view(m, k), W8[:n * k].view(n, k)
                items.append(("gemm", "torch._scaled_mm per tensor", "fp8>bf16", m, n, k, lambda a=a8, b=b8: torch._scaled_mm(a, b.t(), scale_a=one, scale_b=one, out_dtype=BF, use_fast_accum=True)))
                items.append(("gemm", "torch._scaled_mm row-wise", "fp8>bf16", m, n, k,
                              lambda a=a8, b=b8, sa=torch.ones(m, 1, device=DEV), sb=torch.ones(1, n, device=DEV): torch._scaled_mm(a, b.t(), scale_a=sa, scale_b=sb, out_dtype=BF, use_fast_accum=True)))
    for v in victims():
        items.append((v[0], v[1], v[2], v[3].get("m", v[3].get("tokens", "")), v[3].get("n", ""), v[3].get("k", ""), v[4]))
    for B, C in DEC[:8]:
        for bn, be in BACK:
            q = torch.randn(B, 32, 1, 128, device=DEV, dtype=BF)
            kv = A.t[:B * C * 1024].view(B, C, 8, 128).transpose(1, 2) if B * C * 1024 <= A.t.numel() else None
            if kv is None:
                continue

            def att(q=q, kv=kv, be=be):
                with sdpa_kernel(be):
                    F.scaled_dot_product_attention(q, kv, kv, enable_gqa=True)
            items.append(("attn_decode", "torch sdpa " + bn, "bf16", B, C, "", att))
    good = []
    for it in items:
        try:
            it[-1]()
            good.append(it)
        except Exception as e:  # noqa
            fail("names %s" % (it[:6],), e)
    torch.cuda.synchronize()
    log("names: warmed", len(good))
    with profile(activities=[ProfilerActivity.CUDA]) as prof:
        for it in good:
            torch.cuda._sleep(100)
            it[-1]()
        torch.cuda.synchronize()
    prof.export_chrome_trace("/tmp/trace.json")
    evs = [e for e in json.load(open("/tmp/trace.json"))["traceEvents"] if e.get("cat") == "kernel"]
    evs.sort(key=lambda e: e["ts"])
    i = -1
    with open(os.path.join(OUT, "kernels.csv"), "w", newline="") as f:
        w = csv.writer(f)
        w.writerow("kind source dtype m n k kernel grid block shared_bytes regs dur_us".split())
        for e in evs:
            if "spin_kernel" in e["name"]:
                i += 1
                continue
            if 0 <= i < len(good):
                a = e.get("args", {})
                w.writerow(list(good[i][:6]) + [e["name"][:200], "x".join(map(str, a.get("grid", []))), "x".join(map(str, a.get("block", []))), a.get("shared memory", ""), a.get("registers per thread", ""), e.get("dur", "")])
    log("names: %d markers for %d items, %d kernels" % (i + 1, len(good), len(evs)))


def g_hostcopy():
    big = torch.empty(256 << 20, dtype=torch.uint8, device=DEV)
    pin = torch.empty(256 << 20, dtype=torch.uint8).pin_memory()
    page = torch.ones(64 << 20, dtype=torch.uint8)
    for nb in (8, 4096, 65536, 1 << 20, 1 << 24, 1 << 26, 1 << 28):
        row("h2d_pinned", "torch copy_", lambda: [lambda: big[:nb].copy_(pin[:nb], non_blocking=True)], dtype="u8", bytes=nb, max_n=100)
        row("d2h_pinned", "torch copy_", lambda: [lambda: pin[:nb].copy_(big[:nb], non_blocking=True)], dtype="u8", bytes=nb, max_n=100)
        if nb <= page.numel():
            row("h2d_pageable", "torch copy_", lambda: [lambda: big[:nb].copy_(page[:nb])], dtype="u8", bytes=nb, graph=False, max_n=50)
            row("d2h_pageable", "torch copy_", lambda: [lambda: page[:nb].copy_(big[:nb])], dtype="u8", bytes=nb, graph=False, max_n=50)


def g_sustained():
    try:
        import pynvml
        pynvml.nvmlInit()
        hd = pynvml.nvmlDeviceGetHandleByIndex(0)

        def state():
            return "SM %d MHz, memory %d MHz, %.0f W, %d C" % (pynvml.nvmlDeviceGetClockInfo(hd, 1), pynvml.nvmlDeviceGetClockInfo(hd, 2), pynvml.nvmlDeviceGetPowerUsage(hd) / 1000, pynvml.nvmlDeviceGetTemperature(hd, 0))
    except Exception as e:  # noqa
        fail("nvml", e)

        def state():
            return ""
    a, b, o = torch.randn(8192, 8192, device=DEV, dtype=BF), torch.randn(8192, 8192, device=DEV, dtype=BF), torch.empty(8192, 8192, device=DEV, dtype=BF)
    a8, b8, one = a.to(FP8), b.to(FP8), torch.ones((), device=DEV)
    x, w, y = torch.randn(16384, 8192, device=DEV, dtype=BF), torch.randn(8192, device=DEV, dtype=BF), torch.empty(16384, 8192, device=DEV, dtype=BF)
    for kind, src, dt, fn, n, secs, c in (("gemm_sustained", "torch.matmul/cublas", "bf16", lambda: torch.matmul(a, b.t(), out=o), 50, 2.0, dict(m=8192, n=8192, k=8192)),
                                          ("gemm_sustained", "torch._scaled_mm per tensor", "fp8>bf16", lambda: torch._scaled_mm(a8, b8.t(), scale_a=one, scale_b=one, out_dtype=BF, use_fast_accum=True), 100, 2.0, dict(m=8192, n=8192, k=8192)),
                                          ("rmsnorm_sustained", "triton", "bf16", f_rms(x, w, y), 400, 1.0, dict(tokens=16384, hidden=8192, bytes=4 * 16384 * 8192))):
        try:
            for _ in range(2):
                fn()
            g = capture([fn], n)
            S.synchronize()
            time.sleep(0.5)
            st = time.time()
            marks = [ev()]
            marks[0].record(S)
            states = []
            while time.time() - st < secs:
                g.replay()
                e = ev()
                e.record(S)
                marks.append(e)
                if len(marks) > 3:
                    marks[-3].synchronize()
                states.append(state())
            S.synchronize()
            for i in range(1, len(marks)):
                at = marks[0].elapsed_time(marks[i])
                write(kind=kind, source=src, dtype=dt, graph=1, cold=1, time_us="%.3f" % (marks[i - 1].elapsed_time(marks[i]) * 1000 / n), reps=n, note="ends %.0f ms after the start; %s" % (at, states[i - 1]), **c)
        except Exception as e:  # noqa
            fail(kind + " " + src, e)


def g_steady():
    try:
        import pynvml
        pynvml.nvmlInit()
        hd = pynvml.nvmlDeviceGetHandleByIndex(0)

        def state():
            return "SM %d MHz, %.0f W" % (pynvml.nvmlDeviceGetClockInfo(hd, 1), pynvml.nvmlDeviceGetPowerUsage(hd) / 1000)
    except Exception as e:  # noqa
        fail("nvml", e)

        def state():
            return ""
    one = torch.ones((), device=DEV)
    for m, n, k in ((4096, 4096, 4096), (8192, 4096, 4096), (8192, 8192, 8192), (2048, 8192, 8192), (1024, 28672, 4096), (8192, 28672, 4096), (4096, 4096, 14336), (256, 8192, 8192), (512, 28672, 4096)):
        a = torch.randn(m, k, device=DEV, dtype=BF)
        W = [torch.randn(n, k, device=DEV, dtype=BF) for _ in range(3)]
        o = torch.empty(m, n, device=DEV, dtype=BF)
        a8, W8 = a.to(FP8), [w.to(FP8) for w in W]
        for src, dt, fns in (("torch.matmul/cublas", "bf16", [(lambda w=w: torch.matmul(a, w.t(), out=o)) for w in W]),
                             ("torch._scaled_mm per tensor", "fp8>bf16", [(lambda w=w: torch._scaled_mm(a8, w.t(), scale_a=one, scale_b=one, out_dtype=BF, use_fast_accum=True)) for w in W8])):
            try:
                t, _, _, _ = bench(fns, target_us=500.0, replays=3)
                per = max(3, int(10000.0 / t) // 3 * 3)
                g = capture(fns, per)
                S.synchronize()
                for _ in range(int(600000.0 / (t * per)) + 1):
                    g.replay()
                es = [ev() for _ in range(12)]
                es[0].record(S)
                for e in es[1:]:
                    for _ in range(2):
                        g.replay()
                    e.record(S)
                es[6].synchronize()
                st = state()
                S.synchronize()
                ts = sorted(x.elapsed_time(y) * 1000 / (2 * per) for x, y in zip(es, es[1:]))
                write(kind="gemm_steady", source=src, dtype=dt, m=m, n=n, k=k, graph=1, cold=1, time_us="%.4f" % ts[len(ts) // 2], min_us="%.4f" % ts[0], reps=per * 2, replays=len(ts), note="after 0.6 s of the same load; at rest %.2f; %s" % (t, st))
            except Exception as e:  # noqa
                fail("steady %s %d %d %d" % (src, m, n, k), e)
    B, s, H, KV, D = 1, 8192, 32, 8, 128
    q, k_, v = [torch.randn(B, s, h, D, device=DEV, dtype=BF).transpose(1, 2) for h in (H, KV, KV)]
    with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
        try:
            f = lambda: F.scaled_dot_product_attention(q, k_, v, is_causal=True, enable_gqa=True)
            t, _, _, _ = bench([f], replays=3)
            g = capture([f], 10)
            for _ in range(int(600000.0 / (t * 10)) + 1):
                g.replay()
            e0, e1 = ev(), ev()
            e0.record(S)
            for _ in range(20):
                g.replay()
            e1.record(S)
            S.synchronize()
            write(kind="attn_prefill_steady", source="torch sdpa cudnn", dtype="bf16", batch=B, tokens=s, context=s, heads=H, kv_heads=KV, head_dim=D, graph=1, cold=0, time_us="%.3f" % (e0.elapsed_time(e1) * 5), reps=200, replays=1, note="after 0.6 s of the same load; at rest %.2f; %s" % (t, state()))
        except Exception as e:  # noqa
            fail("steady attention", e)


GROUPS = {"launch": (g_launch, 30), "check": (g_check, 40), "bandwidth": (g_bandwidth, 25), "elem": (g_elem, 60), "quant": (g_quant, 40), "overlap": (g_overlap, 50),
          "gemm_bf16": (g_gemm_bf16, 40), "gemm_fp8": (g_gemm_fp8, 50), "gemm_int8": (g_gemm_int8, 25), "attn_prefill": (g_attn_prefill, 45),
          "attn_decode": (g_attn_decode, 60), "sampling": (g_sampling, 45), "moe": (g_moe, 40), "grouped": (g_grouped, 20), "names": (g_names, 40),
          "hostcopy": (g_hostcopy, 15), "sustained": (g_sustained, 15), "steady": (g_steady, 25), "pair": (g_pair, 25)}


def child(name):
    """Runs one group in a forked process, so that a broken context ends with it."""
    global END
    fn, cap = GROUPS[name]
    END = min(END, time.time() + cap)
    code = 0
    try:
        init(name)
        fn()
        torch.cuda.synchronize()
    except SystemExit as e:
        log("group", name, "stopped:", e)
        code = 3
    except BaseException as e:  # noqa
        if "forked subprocess" in str(e):
            code = 77
        else:
            traceback.print_exc()
            try:
                fail("group " + name, e)
            except SystemExit:
                pass
            code = 4
    for k, v in FAILS.items():
        if v > 1:
            log("failed %d times:" % v, *k)
    sys.stdout.flush()
    os._exit(code)


def main():
    os.makedirs(OUT, exist_ok=True)
    try:
        o = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version,clocks.max.sm,clocks.max.mem,power.limit,clocks.sm,temperature.gpu", "--format=csv,noheader"], capture_output=True, text=True, timeout=20).stdout.strip()
        log("nvidia-smi:", o)
        CTX["gpu"], CTX["driver"] = [p.strip() for p in o.split(",")[:2]]
    except Exception as e:  # noqa
        log("nvidia-smi", e)
    names = sys.argv[3:] or list(GROUPS)
    for name in names:
        left = END - time.time()
        if left < 6:
            log("skipped for time:", name)
            continue
        st = time.time()
        pid = os.fork()
        if pid == 0:
            child(name)
        hard = st + min(left + 5, GROUPS[name][1] + 8)
        status = None
        while True:
            p, s = os.waitpid(pid, os.WNOHANG)
            if p:
                status = s
                break
            if time.time() > hard:
                os.kill(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
                log("killed", name)
                break
            time.sleep(0.05)
        try:
            rows = sum(1 for _ in open(os.path.join(OUT, "rows.csv"))) - 1
        except OSError:
            rows = 0
        log("group %s: %.1f s, status %s, %d rows in all" % (name, time.time() - st, status, rows))
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 77:
            log("fork refused; again by itself")
            subprocess.run([sys.executable, __file__, OUT, str(min(END - time.time(), GROUPS[name][1])), "--solo", name])
    log("done")


if __name__ == "__main__":
    if len(sys.argv) > 4 and sys.argv[3] == "--solo":
        CTX["gpu"], CTX["driver"] = os.environ.get("GPU_NAME", ""), os.environ.get("GPU_DRIVER", "")
        child(sys.argv[4])
    main()
