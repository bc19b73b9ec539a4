#!/usr/bin/env python3
"""Check the written-out gradient of scan.scan against finite differences in float64, for every setting of the unit
and for several ways to cut time into pieces. Prints the number of settings; raises where a gradient is wrong."""
import itertools

import torch

import scan

BATCH, LENGTH, H, P, N = 2, 5, 2, 3, 2


def arguments(complex_a, complex_c, selective_c, weight, bias):
    def leaf(is_complex, *shape):
        return torch.randn(*shape, dtype=torch.cdouble if is_complex else torch.double, requires_grad=True)

    a = -0.1 - torch.rand(H, P, N, dtype=torch.double)
    a = (torch.complex(a, torch.randn_like(a)) if complex_a else a).requires_grad_()
    delta = torch.rand(BATCH, LENGTH, H, P, dtype=torch.double, requires_grad=True)
    return (leaf(False, BATCH, LENGTH, H, P), delta, a,
            leaf(complex_a, BATCH, LENGTH, H, N) if weight else None, leaf(complex_a, H, P, N) if bias else None,
            leaf(complex_c, *((BATCH, LENGTH, H, N) if selective_c else (H, P, N))))


def main():
    torch.manual_seed(0)
    count = 0
    for size in (LENGTH, 2, 1):
        scan.chunks = lambda shape, on_gpu: [slice(k, min(k + size, shape[0])) for k in range(0, shape[0], size)]
        for *kinds, weight, bias, zoh in itertools.product((False, True), repeat=6):
            if weight or bias:
                torch.autograd.gradcheck(lambda *t: scan.scan(*t, zoh, 2.0), arguments(*kinds, weight, bias))
                count += 1
    print(f"gradients right in {count} settings")


if __name__ == "__main__":
    main()
