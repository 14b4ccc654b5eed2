#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small transformer trained with the products of its linear layers in FP8 (docs/Training.md), beside the same in bfloat16.

    torch_train.py --list > train.json                                   # the products of this model
    fp8gemm-compile --pack=train.json -o train.fp8pack --cache=.cache/fp8gemm
    torch_train.py --pack=train.fp8pack --out=FOLDER                     # needs a Hopper GPU; under a minute

Both start from the same weights and read the same texts, which are made here: in the first half of each, a word is usually followed by its successor
in a table; the second half repeats the first, which attention has to find. Writes the losses, loss.csv and loss.svg, and
fails if the loss in FP8 does not follow that in bfloat16.
"""

import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path

WIDTH, HIDDEN, HEADS, LAYERS, WORDS = 1024, 4096, 8, 2, 512
LENGTH, BATCH, STEPS = 256, 16, 300
KEPT_OUT = "head"  # stays in bfloat16
SMOOTH = 20  # steps of an average
COLOURS = {"bf16": "#0072b2", "fp8": "#d55e00"}


def problems():
    """As fp8gemm.torch.problems(model) lists them: written here because PyTorch may be missing where the compiler is."""
    listed = []
    for n, k in ((3 * WIDTH, WIDTH), (WIDTH, WIDTH), (HIDDEN, WIDTH), (WIDTH, HIDDEN)):
        listed += [{"op": "quantize", "k": k}, {"op": "gemm", "n": n, "k": k, "max_m": BATCH * LENGTH},
                   {"op": "quantize", "k": n}, {"op": "gemm", "n": k, "k": n, "max_m": BATCH * LENGTH},
                   {"op": "k_grouped_gemm", "m": n, "n": k, "groups": 1, "sfb": "mn_major", "d_type": "f32", "c": "in_place"}]
    return {"gpu": "h200-sxm", "problems": [problem for i, problem in enumerate(listed) if problem not in listed[:i]]}


def make_model(width=WIDTH, hidden=HIDDEN, heads=HEADS, layers=LAYERS, words=WORDS, length=LENGTH):
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.before, self.between = nn.RMSNorm(width), nn.RMSNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
            self.up, self.down = nn.Linear(width, hidden, bias=False), nn.Linear(hidden, width, bias=False)

        def forward(self, x):
            q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in self.qkv(self.before(x)).chunk(3, -1))
            mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(mixed.transpose(1, 2).flatten(2))
            return x + self.down(nn.functional.gelu(self.up(self.between(x))))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = nn.Embedding(words, width), nn.Embedding(length, width)
            self.blocks, self.norm = nn.Sequential(*(Block() for _ in range(layers))), nn.RMSNorm(width)
            self.head = nn.Linear(width, words, bias=False)

        def forward(self, text):
            return self.head(self.norm(self.blocks(self.words(text) + self.places.weight[:text.shape[1]])))

    torch.manual_seed(0)
    return Transformer()


def texts(count, length, words, seed, device):
    """[count, length + 1] words."""
    import torch

    random = torch.Generator(device).manual_seed(seed)
    successors = torch.randperm(words, generator=torch.Generator(device).manual_seed(1), device=device)
    half = -(-(length + 1) // 2)
    any_word = torch.randint(words, (half, count), generator=random, device=device)
    follows = torch.rand(half, count, generator=random, device=device) < 0.7
    made = [any_word[0]]
    for other, is_successor in zip(any_word[1:], follows[1:]):
        made.append(torch.where(is_successor, successors[made[-1]], other))
    return torch.stack(made, 1).repeat(1, 2)[:, :length + 1]


def train(model, device, steps=STEPS, batch=BATCH, length=LENGTH, words=WORDS):
    """The loss of each step, and the seconds of one."""
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-4, betas=(0.9, 0.95), weight_decay=0.01)
    losses, started = [], None
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 6e-4 * min(1, (step + 1) / SMOOTH)
        text = texts(batch, length, words, 100 + step, device)
        with torch.autocast(device, torch.bfloat16):
            scores = model(text[:, :-1])
        loss = torch.nn.functional.cross_entropy(scores.float().flatten(0, 1), text[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.detach())
        if step == 2:
            losses[-1].item()  # waits for the device
            started = time.monotonic()
    losses = torch.stack(losses).tolist()
    return losses, (time.monotonic() - started) / (steps - 3) if started and steps > 3 else math.nan


def smoothed(losses):
    """The mean of each step and those before it."""
    parts = [losses[max(0, i + 1 - SMOOTH):i + 1] for i in range(len(losses))]
    return [sum(part) / len(part) for part in parts]


def divergence(plain, fp8):
    """Why the losses in FP8 do not follow those in bfloat16, or None."""
    if not all(map(math.isfinite, fp8)):
        return f"expected finite losses, got {next(loss for loss in fp8 if not math.isfinite(loss))}"
    wanted, got = smoothed(plain), smoothed(fp8)
    if not got[-1] < 0.8 * fp8[0]:
        return f"expected the loss to fall by at least 20 %, got {fp8[0]:.3f} to {got[-1]:.3f}"
    if got[-1] > 1.03 * wanted[-1] + 0.01:
        return f"expected the loss to end within 3 % of bfloat16's {wanted[-1]:.3f}, got {got[-1]:.3f}"
    gaps = [b - a for a, b in zip(wanted, got)]
    if max(gaps) > 0.1 * plain[0]:
        return f"expected the loss to stay within {0.1 * plain[0]:.3f} of bfloat16's, got a gap of {max(gaps):.3f} at step {gaps.index(max(gaps))}"
    return None


def write(folder, curves):
    folder.mkdir(parents=True, exist_ok=True)
    rows = [",".join(["step", *curves]), *(",".join(map(str, (step, *losses))) for step, losses in enumerate(zip(*curves.values())))]
    (folder / "loss.csv").write_text("\n".join(rows) + "\n")
    (folder / "loss.svg").write_text(picture(curves))


def picture(curves, width=720, height=400, margin=48):
    """The curves as SVG."""
    top, steps = math.ceil(max(map(max, curves.values()))), max(map(len, curves.values()))
    x = lambda step: margin + step / max(1, steps - 1) * (width - 2 * margin)
    y = lambda loss: height - margin - loss / top * (height - 2 * margin)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for loss in range(top + 1):
        parts.append(f'<path d="M{margin} {y(loss):.1f}H{width - margin}" stroke="#ddd"/><text x="{margin - 8}" y="{y(loss) + 4:.1f}" text-anchor="end">{loss}</text>')
    for step in range(0, steps + 1, max(1, steps // 6)):
        parts.append(f'<text x="{x(step):.1f}" y="{height - margin + 20}" text-anchor="middle">{step}</text>')
    for i, (name, losses) in enumerate(curves.items()):
        points = " ".join(f"{x(step):.1f},{y(loss):.1f}" for step, loss in enumerate(losses))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-opacity="0.8" stroke-width="1.5"/>')
        parts.append(f'<text x="{width - margin - 80}" y="{margin + 18 * i}" fill="{COLOURS[name]}">{name}: {smoothed(losses)[-1]:.3f}</text>')
    return "\n".join([*parts, f'<text x="{width / 2}" y="{height - 8}" text-anchor="middle">step</text>', f'<text x="{margin}" y="{margin - 16}">loss</text>', "</svg>", ""])


def run(options, device="cuda", **sizes):
    import fp8gemm.torch as ft

    plain = make_model(**{name: value for name, value in sizes.items() if name not in ("steps", "batch")}).to(device)
    in_fp8 = copy.deepcopy(plain)
    print(ft.swap_linears(in_fp8, filter=lambda name, _: name != KEPT_OUT, trainable=True))
    of_training = {name: value for name, value in sizes.items() if name in ("steps", "batch", "length", "words")}
    curves = {}
    for name, model in (("bf16", plain), ("fp8", in_fp8)):
        curves[name], seconds = train(model, device, **{"steps": options.steps, **of_training})
        print(f"{name:5} loss {curves[name][0]:.4f} to {smoothed(curves[name])[-1]:.4f} in {len(curves[name])} steps, {1000 * seconds:.2f} ms a step", flush=True)
    write(options.out, curves)
    fault = divergence(curves["bf16"], curves["fp8"])
    print(fault or f"no divergence; {options.out}/loss.csv, {options.out}/loss.svg")
    return 1 if fault else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack")
    parser.add_argument("--out", type=Path, default=Path("train"), help="folder for the losses (train)")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--list", action="store_true", help="print the products of this model")
    options = parser.parse_args()
    if options.list:
        print(json.dumps(problems(), indent=1))
        return 0
    if not options.pack:
        raise SystemExit("expected --pack, got none")
    import torch

    import fp8gemm

    if not torch.cuda.is_available() or torch.cuda.get_device_capability() != (9, 0):
        raise SystemExit("expected a Hopper GPU (compute capability 9.0): the kernels run on nothing else")
    pack = fp8gemm.load(options.pack)
    pack.load(torch.cuda.current_device())
    fp8gemm.set_pack(pack)
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
