"""Surfaces that SIFT can hold on to: procedural, multi-scale, never repeating, the same for the same seed.

Each is a picture of 8-bit gamma-coded BGR for a rectangle of so many metres; what is drawn is stated in metres, so that a
surface looks the same at any resolution.
"""
import string

import cv2
import numpy as np

# A mark below this is noise at best.
FINEST_PX = 2


def surface(style, width_m, height_m, px_per_m, rng):
    """uint8 [rows, columns, 3]. `style` is one of the keys of STYLES."""
    rows, columns = max(8, round(height_m * px_per_m)), max(8, round(width_m * px_per_m))
    picture = STYLES[style](rows, columns, px_per_m, rng)
    return cv2.convertScaleAbs(np.maximum(picture, 0))


def clouds(rows, columns, px_per_m, rng, coarsest_m=2.0, finest_px=2.0, roll_off=0.75):
    """Value noise of unit deviation, an octave for each halving of the grid: float32 [rows, columns]."""
    total, weight, grid = np.zeros((rows, columns), np.float32), 1.0, coarsest_m * px_per_m
    while grid >= finest_px:
        cells = (int(np.ceil(rows / grid)) + 2, int(np.ceil(columns / grid)) + 2)
        octave = cv2.resize(rng.standard_normal(cells, np.float32), None, fx=grid, fy=grid, interpolation=cv2.INTER_CUBIC)
        dy, dx = rng.integers(0, max(1, int(grid)), 2)
        total += np.float32(weight) * octave[dy : dy + rows, dx : dx + columns]
        weight, grid = weight * roll_off, grid / 2
    return total / total.std()


def tinted(rng, light=(60, 190)):
    """A muted colour."""
    grey = rng.uniform(*light)
    return (grey + rng.uniform(-20, 20, 3)).astype(np.float32)


def ground(rows, columns, px_per_m, rng, contrast):
    return tinted(rng) + np.float32(contrast) * clouds(rows, columns, px_per_m, rng)[..., None]


def marks(picture, px_per_m, rng, per_m2, sizes_m=(0.015, 0.25), contrast=60):
    """Stains, stickers and holes: ellipses and polygons whose number falls with the square of their size."""
    rows, columns = picture.shape[:2]
    area = rows * columns / px_per_m**2
    for _ in range(int(per_m2 * area)):
        small, large = sizes_m
        size = px_per_m * small / np.sqrt(1 - rng.uniform() * (1 - (small / large) ** 2))
        if size < FINEST_PX:
            continue
        at = rng.uniform((0, 0), (columns, rows))
        colour = picture[int(at[1]), int(at[0])] + rng.uniform(-contrast, contrast) + rng.uniform(-15, 15, 3)
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
        radii = size / 2 * rng.uniform(0.6, 1.2, len(angles))
        points = at + np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1)
        if rng.uniform() < 0.5:
            axes = (size / 2 * rng.uniform(0.4, 1), size / 2 * rng.uniform(0.4, 1))
            points = np.array(cv2.ellipse2Poly((0, 0), (100, 100), int(rng.uniform(0, 180)), 0, 360, 20)) / 100 * axes + at
        cv2.fillPoly(picture, [np.round(points * 16).astype(np.int32)], colour.tolist(), cv2.LINE_AA, 4)


def writing(picture, px_per_m, rng, per_m2, heights_m=(0.03, 0.2)):
    """Lines of characters that spell nothing."""
    rows, columns = picture.shape[:2]
    for _ in range(int(per_m2 * rows * columns / px_per_m**2) + 1):
        text = ''.join(rng.choice(list(string.ascii_letters + string.digits + '#&%+'), rng.integers(3, 10)))
        height = px_per_m * np.exp(rng.uniform(*np.log(heights_m)))
        at = rng.uniform((-height, 0), (columns, rows + height)).astype(int)
        colour = tinted(rng, (10, 245))
        cv2.putText(picture, text, at.tolist(), int(rng.integers(0, 8)), height / 22, colour.tolist(), max(1, int(height / 8)), cv2.LINE_AA)


def courses(picture, px_per_m, rng, brick_m, joint_m, contrast):
    """Bricks or slabs, each of a shade, with joints; every course is shifted by chance."""
    rows, columns = picture.shape[:2]
    pitch = np.array(brick_m) * px_per_m
    row = (np.arange(rows) / pitch[0]).astype(int)
    shifts, across = rng.uniform(0, 1, row[-1] + 1), np.arange(columns) / pitch[1]
    column = (across[None] + shifts[row][:, None]).astype(int)
    shades = rng.normal(0, contrast, (row[-1] + 1, column.max() + 1, 1)) + rng.normal(0, contrast / 4, (row[-1] + 1, column.max() + 1, 3))
    picture += shades.astype(np.float32)[row[:, None], column]
    in_row = (np.arange(rows) % pitch[0]) < joint_m * px_per_m
    in_column = ((across[None] + shifts[row][:, None]) % 1) * pitch[1] < joint_m * px_per_m
    picture *= np.where(in_row[:, None] | in_column, np.float32(0.6), np.float32(1))[..., None]


def brick(rows, columns, px_per_m, rng):
    picture = ground(rows, columns, px_per_m, rng, 10)
    courses(picture, px_per_m, rng, (0.09, 0.24), 0.012, 20)
    marks(picture, px_per_m, rng, 25)
    return picture


def paving(rows, columns, px_per_m, rng):
    picture = ground(rows, columns, px_per_m, rng, 9)
    courses(picture, px_per_m, rng, (0.4, 0.6), 0.015, 12)
    marks(picture, px_per_m, rng, 60, (0.01, 0.15), 40)
    return picture


def posters(rows, columns, px_per_m, rng):
    picture = ground(rows, columns, px_per_m, rng, 7)
    area = rows * columns / px_per_m**2
    for _ in range(int(1.6 * area) + 1):
        height, width = (px_per_m * rng.uniform(0.2, 0.8, 2)).astype(int)
        y, x = rng.integers(0, max(1, rows - height)), rng.integers(0, max(1, columns - width))
        part = picture[y : y + height, x : x + width]
        part[:] = ground(*part.shape[:2], px_per_m, rng, 14)
        marks(part, px_per_m, rng, 60, (0.02, 0.3), 100)
        writing(part, px_per_m, rng, 14)
    marks(picture, px_per_m, rng, 15)
    return picture


def crate(rows, columns, px_per_m, rng):
    picture = ground(rows, columns, px_per_m, rng, 16)
    marks(picture, px_per_m, rng, 120, (0.01, 0.2), 80)
    writing(picture, px_per_m, rng, 8)
    return picture


def plaster(rows, columns, px_per_m, rng):
    """Little to hold on to, as most walls are."""
    picture = ground(rows, columns, px_per_m, rng, 2.5)
    marks(picture, px_per_m, rng, 7, (0.01, 0.1), 30)
    return picture


STYLES = {'brick': brick, 'paving': paving, 'posters': posters, 'crate': crate, 'plaster': plaster}
